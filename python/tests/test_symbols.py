"""The module cannot fork, clone or enter a namespace: neither through the C library nor by calls of its own."""
import os
import re
import subprocess
from pathlib import Path

from conftest import ROOT
from drydock import _core

FORBIDDEN = {"fork", "_Fork", "vfork", "clone", "clone3", "unshare", "setns", "daemon", "system", "popen", "forkpty", "chroot", "pivot_root", "syscall",
             "mount", "umount2"}
# Of the core, what enters the kernel with these numbers directly (kernel/raw.hpp needs no symbol).
CALLS = re.compile(r"raw::call\(SYS_(fork|vfork|clone|clone3|unshare|setns|chroot|pivot_root|mount)\b|(?<!\w)::clone\(")


def test_no_symbol_of_the_c_library():
    listed = subprocess.run(["nm", "--dynamic", "--undefined-only", _core.__file__], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in listed.splitlines()}
    assert "posix_spawn" in names  # how the monitor is started
    assert names & FORBIDDEN == set()


def linked_objects():
    text = Path(os.environ["DRYDOCK_BUILD"], "python", "_core.map").read_text(errors="replace")
    return set(re.findall(r"(\w+)\.a\((\w+)\.cpp\.o\)", text.split("Discarded input sections")[0]))


def test_no_object_of_the_core_that_does_it_directly():
    """The linker's map says which files of the archives became part of the module. The executor is one of them, for undoing what a
    dead monitor left; what of that starts a process is left to a fresh interpreter (drydock/apart.py)."""
    wrong = {path.stem for path in (ROOT / "src").rglob("*.cpp") if CALLS.search(path.read_text())}
    executor = {path.stem for path in (ROOT / "src/drydock/plan/executor").glob("*.cpp")}
    assert {"monitor", "perform", "ops_process"} <= wrong  # the executor: the search finds what is there
    linked = linked_objects()
    assert ("libdrydock", "launch") in linked
    assert {stem for archive, stem in linked if archive != "libdrydock_executor"} & (wrong - executor) == set()
    for source in (ROOT / "python" / "src").glob("*.cpp"):
        assert not CALLS.search(source.read_text()), source
