#!/usr/bin/env python3
"""Runs the tests of the Python package on a host of their own: new network and mount namespaces, a fresh store.

Example: sudo python3 python/tests/main.py build/release -k facts
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSIDE = "DRYDOCK_PYTHON_TESTS_INSIDE"


def main():
    build = Path(sys.argv[1]).resolve()
    if os.geteuid() == 0 and INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, "-B", __file__, str(build), *sys.argv[2:]])
    import pytest

    if INSIDE in os.environ:  # kernels of notebooks and published ports are reached over it
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sys.path.insert(0, str(build / "python"))
    folder = Path(tempfile.mkdtemp(prefix="drydock-python-"))
    os.environ.update(DRYDOCK_ROOT=str(folder / "data"), DRYDOCK_STATE=str(folder / "state"), PYTHONPATH=str(build / "python"),
                      DRYDOCK_BUILD=str(build), PYTHONDONTWRITEBYTECODE="1", MPLCONFIGDIR=str(folder), IPYTHONDIR=str(folder / "ipython"))
    os.environ.pop("DRYDOCK_MONITOR", None)
    try:
        return pytest.main(["-p", "no:cacheprovider", "-q", "-rs", "--tb=short", str(HERE), *sys.argv[2:]])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
