"""What the tests share: who may run, and that nothing is left behind, after each of them."""
import os
import socket
import time
from pathlib import Path

import pytest

import drydock
from drydock import _core

ROOT = Path(__file__).resolve().parents[2]
SLOW = float(os.environ.get("DRYDOCK_SLOW", "1"))
started = []  # ids of every container of this process


def _remember(name):
    original = getattr(_core, name)

    def remembering(*arguments):
        made = original(*arguments)
        started.append(made if isinstance(made, str) else made.id)
        return made
    setattr(_core, name, remembering)


_remember("start")
_remember("start_detached")


def eventually(question, seconds=5.0):
    """Asks until the answer is true; the last answer."""
    end = time.monotonic() + seconds * SLOW
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.01)
    return answer


def left_behind(ids):
    """What exists of containers that have ended: groups, files, records, children, links."""
    # os.walk passes over a directory that goes away meanwhile; Path.glob stumbles.
    found = [f"{place}/{name}" for place, names, _ in os.walk("/sys/fs/cgroup") for name in names if any(name.startswith(f"drydock-{id[:16]}") for id in ids)]
    data, state = Path(os.environ["DRYDOCK_ROOT"]), Path(os.environ["DRYDOCK_STATE"])
    found += [str(path) for id in ids for path in data.glob(f"*/{id}*")]
    found += [str(path) for id in ids for path in state.glob(f"**/ledgers/{id}")]
    found += [f"link {name}" for _, name in socket.if_nameindex() if any(name == f"drydock{id[:8]}" for id in ids)]
    return found


def children():
    return [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


@pytest.fixture
def root():
    if os.geteuid() != 0:
        pytest.skip("not root; run it with sudo")


@pytest.fixture
def box(root):
    """A container that runs while the test does."""
    with drydock.Container("busybox", "sleep 300", network="none") as container:
        yield container


@pytest.fixture(autouse=True)
def nothing_is_left(request):
    del started[:]
    yield
    ids = list(started)
    assert eventually(lambda: not left_behind(ids)) or left_behind(ids) == []
