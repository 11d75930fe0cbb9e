"""The magics in an IPython shell as a notebook has it: output while it comes, a cap, short errors, variables."""
import os
import signal
import sys
import threading
import time

import pytest

import drydock

pytest.importorskip("IPython")
from IPython.core.error import UsageError  # noqa: E402
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402
from traitlets.config import Config  # noqa: E402


@pytest.fixture
def shell():
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "drydock") if "drydock" not in shell.extension_manager.loaded else None
    yield shell
    shell.reset(new_session=False)


def cell(shell, options, text):
    shell.run_cell_magic("container", "--network none " + options, text)


def test_a_cell_runs_in_a_container(root, shell, capsys):
    cell(shell, "--hostname dock -m 64M -e GREETING='hello world'", "hostname; echo $GREETING; echo $$; echo oops >&2")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("dock\nhello world\n1\n", "oops\n")


def test_the_cell_is_data_and_no_shell_of_ours_reads_it(root, shell, capsys):
    cell(shell, "", "echo \"$(echo inner)\" '`' \"{not_formatted}\" '%s'")
    assert capsys.readouterr().out == "inner ` {not_formatted} %s\n"


def test_output_comes_while_it_runs(root, shell, monkeypatch):
    seen = []

    class Watch:
        def write(self, text):
            seen.append((time.monotonic(), text))

        def flush(self):
            pass
    monkeypatch.setattr(sys, "stdout", Watch())
    cell(shell, "", "echo one; sleep 0.4; echo two")
    assert [text for _, text in seen] == ["one\n", "two\n"] and seen[1][0] - seen[0][0] > 0.2


def test_output_is_capped(root, shell, capsys):
    cell(shell, "", "yes | head -c 3000000")
    out = capsys.readouterr().out
    assert len(out) < 300 * 1024 and "the rest is not shown: 256 KiB" in out


def test_a_failing_cell_is_a_short_error(root, shell, capsys):
    with pytest.raises(drydock.ProgramError, match="exited with 3; no good"):
        cell(shell, "", "echo no good >&2; exit 3")
    cell(shell, "--no-raise --out seen", "exit 4")
    assert shell.user_ns["seen"].exit_code == 4
    capsys.readouterr()
    shell.run_cell("%%container --network none\nfalse")
    shown = capsys.readouterr().out
    assert "ProgramError: exited with 1" in shown and len(shown.splitlines()) < 6 and "Traceback" not in shown


def test_wrong_options_are_named(shell):
    for line, said in (("--memroy 64M", "--memroy"), ("--timeout soon", "--timeout"), ("extra", "extra")):
        with pytest.raises(UsageError, match=said):
            shell.run_cell_magic("container", line, "true")
    with pytest.raises(ValueError, match="memory='64x'"):
        shell.run_cell_magic("container", "-m 64x", "true")


def test_python_cells(root, shell, capsys):
    cell(shell, "--interpreter python", "import os\nprint(os.getpid())")
    assert capsys.readouterr().out == "1\n"


def test_ctrl_c_ends_the_cell_and_its_container(root, shell):
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        cell(shell, "", "sleep 100")
    assert time.monotonic() - begun < 20


def test_facts(root, shell):
    assert shell.run_line_magic("facts", "").pid == os.getpid()
    with drydock.Container("busybox", "sleep 60", network="none", name="shown") as container:
        shell.user_ns["held"] = container
        assert shell.run_line_magic("facts", "held").pid == container.pid == shell.run_line_magic("facts", "shown").pid
        difference = shell.run_line_magic("facts", "diff shown")
        assert "pid" in [change.name for change in difference if change.group == "namespaces"]
        assert len(shell.run_line_magic("facts", "diff held shown").changes) <= 3
    with pytest.raises(drydock.NotFound):
        shell.run_line_magic("facts", "nobody")
    with pytest.raises(UsageError):
        shell.run_line_magic("facts", "one two")


def test_every_option_of_the_command_line_is_taken(root, shell, capsys):
    """The flags of `drydock run` and the arguments of Options are known; what is given reaches the container."""
    from drydock.arguments import Options
    from drydock.magics import _parser
    known = {flag for action in _parser()._actions for flag in action.option_strings}
    assert {"--" + name.replace("_", "-") for name in Options.__annotations__ if name != "remove"} <= known
    assert {"-m", "-p", "-e", "-v", "-w", "-u", "--rm", "--pids-limit", "--net", "--ip", "--add-host", "--ulimit", "--tmpfs"} <= known
    cell(shell, "--rm -w /tmp -u 7 --ulimit nofile=100", "id -u; pwd; ulimit -n")
    cell(shell, "--read-only --tmpfs /run --cap-drop ALL", "touch /new || touch /run/new && grep CapEff /proc/self/status | tr -d '[:space:]'")
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["7", "/tmp", "100", "CapEff:0000000000000000"]
    assert "Read-only file system" in shown.err


def test_the_course_tool_streams_and_its_status_is_told(shell, tmp_path, monkeypatch, capsys):
    tool = tmp_path / "build" / "release" / "bin" / "lab"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho \"asked for $*\"\necho trouble >&2\nexit 3\n")
    tool.chmod(0o755)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    shell.run_line_magic("lab", "check 03.1 --out 'a file'")
    shown = capsys.readouterr()
    assert shown.out == "asked for check 03.1 --out a file\ntrouble\n"
    assert "[lab check 03.1 --out 'a file': exit status 3]" in shown.err


def test_ctrl_c_ends_the_course_tool(shell, tmp_path, monkeypatch, capsys):
    tool = tmp_path / "build" / "release" / "bin" / "lab"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho $$\nexec sleep 30\n")
    tool.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        shell.run_line_magic("lab", "watch 03")
    assert not os.path.exists(f"/proc/{capsys.readouterr().out.strip()}")


def test_a_tool_that_is_not_built_is_said(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("drydock.magics.__file__", str(tmp_path / "magics.py"))
    with pytest.raises(drydock.NotFound, match="not built") as caught:
        shell.run_line_magic("lab", "list")
    assert caught.value.remedy == "./lab build"
