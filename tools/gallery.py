#!/usr/bin/env python3
"""Runs every notebook on a fresh kernel and writes it with its outputs as a page; an index leads to them.

Example: tools/gallery.py notebooks build/gallery
Exit status 1 when a cell of a notebook failed; a notebook that this machine cannot run is a page that says so.
"""
import html
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

CELL_SECONDS = 300


def executed(path):
    """(the notebook with outputs, "ran" | "skipped" | "failed", why)"""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute()
    except CellExecutionError as error:
        return notebook, "skipped" if error.ename == "Skipped" else "failed", f"{error.ename}: {error.evalue}"
    return notebook, "ran", ""


def title_of(notebook):
    return notebook.cells[0].source.splitlines()[0].lstrip("# ")


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    rows, failed = [], False
    for path in sorted(source.glob("*.ipynb")):
        notebook, outcome, why = executed(path)
        page, _ = HTMLExporter().from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
        (target / f"{path.stem}.html").write_text(page, encoding="utf-8")
        print(f"{path.name}: {outcome}{f' ({why})' if why else ''}", flush=True)
        failed = failed or outcome == "failed"
        rows.append(f'<li><a href="{path.stem}.html">{html.escape(title_of(notebook))}</a> {html.escape(why)}</li>')
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Drydock: the notebooks</title>'
    style = "<style>body { font: 16px/1.6 sans-serif; max-width: 45em; margin: 3em auto }</style>"
    (target / "index.html").write_text(f"{head}{style}<h1>Drydock: the notebooks</h1><ol start=0>{''.join(rows)}</ol></html>\n", encoding="utf-8")
    print(f"the pages begin at {target}/index.html")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
