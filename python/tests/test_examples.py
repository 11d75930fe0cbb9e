"""The examples for reading run, and say what they promise."""
import subprocess
import sys

from conftest import ROOT, SLOW


def test_the_tour(root):
    result = subprocess.run([sys.executable, "-B", ROOT / "python" / "examples" / "tour.py"], capture_output=True, text=True, timeout=120 * SLOW)
    assert result.returncode == 0, result.stderr
    assert "dock has" in result.stdout and "namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts']" in result.stdout
    assert "enough memory: 64 MiB" in result.stdout
