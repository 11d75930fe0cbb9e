"""The notebooks: what lies in git is clean, and each runs on fresh kernels, two at once and then once more."""
import json
import os
import re
import subprocess
import sys
import threading

import pytest

from conftest import ROOT, SLOW

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def outside(code):
    """Without the programs for the inside, which are texts."""
    return re.sub(r'r?f?""".*?"""', '""', code, flags=re.DOTALL)


def source(cell):
    return "".join(cell["source"])


def test_each_chapter_has_one():
    names = {path.stem for path in NOTEBOOKS}
    assert {"00-tour", "10-veth-bridge", "11-image-layers", "12-full-run", "13-break-the-sandbox", "14-performance"} <= names
    assert {path.name for path in (ROOT / "chapters").glob("[01]?-*") if "01" <= path.name < "13"} <= names


@every
def test_what_is_in_git_is_clean(path):
    notebook = read(path)
    assert path.read_text(encoding="utf-8") == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "written in another form"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-z][a-z0-9-]{2,40}", id) for id in ids), "ids are words, each once"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), cell["id"]
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info", "drydock"}


@every
def test_it_has_the_parts_of_a_notebook(path):
    notebook = read(path)
    cells = notebook["cells"]
    assert source(cells[0]).startswith("# ") and "**Question.**" in source(cells[0])
    tags = {tag: cell for cell in cells for tag in cell["metadata"].get("tags", [])}
    assert "prediction" in tags
    assert tags["leaks"] is cells[-1] and "drydock.leaks()" in source(cells[-1]) and "assert" in source(cells[-1])
    setup = source(next(cell for cell in cells if cell["cell_type"] == "code"))
    assert [word for word in notebook["metadata"]["drydock"]["needs"] if f'"{word}"' not in setup] == []
    code = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "code")
    assert code.count("assert ") >= 5
    assert re.search(r"\b(figure|grid)\(", code), "a plot with labels and a caption"
    assert not re.search(r"os\.(v?fork|unshare|setns)|multiprocessing|preexec_fn", outside(code)), "this process forks nothing"
    assert len(re.findall(r"^# \d\. ", code, re.MULTILINE)) in (2, 3), "two or three tasks"


@every
def test_the_items_it_cites_are_in_the_catalogue(path):
    catalogue = (ROOT / "docs" / "notes-catalogue.tsv").read_text(encoding="utf-8")
    cited = re.findall(r"\[(N\d-\d{3})\]", path.read_text(encoding="utf-8"))
    assert cited and [item for item in cited if f"\n{item}\t" not in catalogue] == []


RUNNER = """
import sys, nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
# A fresh kernel of this very interpreter.
manager = AsyncKernelManager(kernel_name="python3")
manager.kernel_spec.argv[0] = sys.executable
NotebookClient(notebook, km=manager, timeout=int(sys.argv[2]), resources={"metadata": {"path": sys.argv[3]}}).execute()
code = [cell for cell in notebook.cells if cell.cell_type == "code"]
print("executed", sum(cell.execution_count is not None for cell in code), "of", len(code))
print("pictures", sum("image/png" in output.get("data", {}) for cell in code for output in cell.outputs))
print("diagrams", sum("<svg" in output.get("data", {}).get("text/html", "") for cell in code for output in cell.outputs))
"""


def execute(path, folder, into):
    folder.mkdir(exist_ok=True)
    result = subprocess.run([sys.executable, "-B", "-c", RUNNER, str(path), str(int(300 * SLOW)), str(folder)], capture_output=True, text=True,
                            timeout=900 * SLOW, env={**os.environ, "JUPYTER_RUNTIME_DIR": str(folder), "DRYDOCK_SHORT": "1"})
    into.append(result)


def assert_ran(result):
    if re.search(r"^drydock\.errors\.Skipped|Skipped: ", result.stderr, re.MULTILINE):
        pytest.skip(result.stderr.strip().splitlines()[-1])
    assert result.returncode == 0, result.stderr[-3000:]
    counts = dict(line.split(" ", 1) for line in result.stdout.splitlines())
    done, of = counts["executed"].split(" of ")
    assert done == of
    return counts


@every
def test_two_run_at_once_and_one_more_after_them(path, root, tmp_path):
    pytest.importorskip("nbclient")
    results = []
    threads = [threading.Thread(target=execute, args=(path, tmp_path / name, results)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    execute(path, tmp_path / "third", results)
    assert len(results) == 3
    for result in results:
        counts = assert_ran(result)
        assert int(counts["pictures"]) >= 1
    if path.stem == "00-tour":
        assert int(counts["diagrams"]) >= 3


def test_the_gallery(root, tmp_path):
    pytest.importorskip("nbconvert")
    (tmp_path / "source").mkdir()
    cell = {"cell_type": "code", "execution_count": None, "id": "only", "metadata": {}, "outputs": [], "source": ["print(6 * 7)"]}
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# A <small> page"]}
    form = {"metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "source" / "good.ipynb").write_text(json.dumps({"cells": [title, cell], **form}))
    (tmp_path / "source" / "lacking.ipynb").write_text(json.dumps({"cells": [title, {**cell, "source": ["import drydock\nraise drydock.Skipped('no moon here')"]}], **form}))

    def gallery():
        return subprocess.run([sys.executable, "-B", ROOT / "tools" / "gallery.py", tmp_path / "source", tmp_path / "out"], capture_output=True,
                              text=True, timeout=300 * SLOW)
    first = gallery()
    assert first.returncode == 0 and "good.ipynb: ran" in first.stdout and "lacking.ipynb: skipped (Skipped: no moon here)" in first.stdout, first.stdout + first.stderr
    assert "42" in (tmp_path / "out" / "good.html").read_text()
    assert "A &lt;small&gt; page" in (tmp_path / "out" / "index.html").read_text()
    (tmp_path / "source" / "bad.ipynb").write_text(json.dumps({"cells": [title, {**cell, "source": ["1 / 0"]}], **form}))
    second = gallery()
    assert second.returncode == 1 and "bad.ipynb: failed (ZeroDivisionError" in second.stdout
