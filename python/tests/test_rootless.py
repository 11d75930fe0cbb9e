"""An ordinary user: the same calls, in a user namespace; what is lost is said."""
import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import drydock
from conftest import SLOW

USER = 65534
CODE = """
import drydock, os
outcome = drydock.run("busybox", ["sh", "-c", "id -u; echo $$; cat /proc/self/uid_map"])
print(outcome.stdout.split()); print(outcome.warnings)
with drydock.Container("busybox", "sleep 60", network="none") as container:
    print("user" in drydock.namespaces.compare(None, container).different, container.exec("id -u").stdout.strip())
    container.signal("KILL")
    print(container.wait(timeout=60))
kept = drydock.Container("busybox", "sleep 60", network="none", detach=True)
kept.remove(force=True)
try: kept.remove()
except drydock.NotFound: print(kept.status, drydock.reset())
print(drydock.leaks().found, os.getuid())
"""


def test_an_ordinary_user_has_containers_too(root, tmp_path):
    if drydock.doctor().find("user namespaces").grade == "missing":
        pytest.skip(f"no user namespaces here; {drydock.doctor().find('user namespaces').remedy}")
    # The build directory may be closed to others.
    folder = Path("/tmp") / f"drydock-python-user-{os.getpid()}"
    shutil.copytree(Path(drydock.__file__).parent, folder / "drydock", ignore=lambda path, names: set(names) - {"drydock", "drydock-monitor", "drydock-image"}
                    if Path(path).name == "bin" else {"__pycache__"})
    try:
        for name in ("home", "run"):
            (folder / name).mkdir(mode=0o700)
            os.chown(folder / name, USER, USER)
        os.chmod(folder, 0o755)
        environment = {"HOME": str(folder / "home"), "XDG_RUNTIME_DIR": str(folder / "run"), "PYTHONPATH": str(folder), "PATH": os.environ["PATH"]}
        result = subprocess.run([sys.executable, "-B", "-c", CODE], capture_output=True, text=True, timeout=120 * SLOW, env=environment,
                                cwd=folder, user=USER, group=USER, extra_groups=[])
        assert result.returncode == 0, result.stderr
        first, warnings, inside, code, removed, end = result.stdout.splitlines()
        assert ast.literal_eval(first)[:5] == ["0", "1", "0", str(USER), "1"]
        assert "without root" in warnings
        assert (inside, code, removed, end) == ("True 0", "137", "removed ()", f"() {USER}")
    finally:
        shutil.rmtree(folder)
