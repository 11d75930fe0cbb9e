"""An interpreter as notebooks have it: large, many threads, interrupted, forked, killed. No hang, no zombie, nothing left."""
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

import pytest

import drydock
from conftest import SLOW, children, eventually, left_behind

LAUNCHES = 500
THREADS = 8
INTERRUPTS = 50

# In a process of its own: the arena is chosen before the first allocation.
MANY_LAUNCHES = f"""
import os, sys, threading, time
import numpy
import drydock

stop = threading.Event()
def churn(seed):
    size = seed
    while not stop.is_set():
        size = size * 7 % 99991 + 1
        bytes(size); numpy.ones(size % 997).sum(); {{}}.update(a=[size] * 50)
threads = [threading.Thread(target=churn, args=(number,)) for number in range({THREADS})]
for thread in threads: thread.start()
for _ in range(3): drydock.run("busybox", "true", network="none")
before = sorted(os.listdir("/proc/self/fd"))
tasks = len(os.listdir("/proc/self/task"))
took = []
for number in range({LAUNCHES}):
    begun = time.monotonic()
    assert drydock.run("busybox", "true", network="none", timeout={60 * SLOW}).exit_code == 0, number
    took.append(time.monotonic() - begun)
zombies = [pid for task in os.listdir("/proc/self/task") for pid in open(f"/proc/self/task/{{task}}/children").read().split()]
after = sorted(os.listdir("/proc/self/fd"))
assert zombies == [], zombies
assert len(after) == len(before), (before, after)
assert len(os.listdir("/proc/self/task")) == tasks
stop.set()
for thread in threads: thread.join()
print(f"{LAUNCHES} launches beside {THREADS} busy threads: median {{sorted(took)[len(took) // 2] * 1000:.1f}} ms, longest {{max(took) * 1000:.0f}} ms")
"""


def interpreter(code, **environment):
    return subprocess.Popen([sys.executable, "-B", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **environment})


def test_500_launches_with_numpy_and_eight_busy_threads(root, capsys):
    process = interpreter(MANY_LAUNCHES, MALLOC_ARENA_MAX="1")
    out, err = process.communicate(timeout=800 * SLOW)
    assert process.returncode == 0, err
    with capsys.disabled():
        print(f"\nnote: {out.strip()}")


def test_50_interrupts_while_waiting(root):
    """The interrupt comes at any moment of the wait; the wait ends at once, the container goes on."""
    heard = []
    with drydock.Container("busybox", "sleep 300", network="none") as container:
        for number in range(INTERRUPTS):
            timer = threading.Timer(0.002 + number % 10 * 0.013, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            begun = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                container.wait(timeout=30 * SLOW)
            heard.append(time.monotonic() - begun)
            timer.join()
        assert container.exec("true").ok
    assert statistics.median(heard) < 0.5 * SLOW
    assert children() == []


def test_interrupts_during_a_run_end_the_container(root):
    for delay in (0.0, 0.005, 0.01, 0.02, 0.05, 0.3):
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            drydock.run("busybox", "sleep 300", network="none")
        timer.join()
        assert children() == []


def test_an_interrupt_in_another_thread_s_wait(root):
    """Ctrl-C belongs to the main thread; a thread that waits goes on until its container ends."""
    with drydock.Container("busybox", "sleep 300", network="none") as container:
        codes = []
        thread = threading.Thread(target=lambda: codes.append(container.wait()))
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            time.sleep(20)
        assert thread.is_alive()
        container.signal("KILL")
        thread.join(20 * SLOW)
        assert codes == [137]


def test_two_threads_wait_for_one_container(root):
    with drydock.Container("busybox", "sleep 0.3", network="none") as container:
        codes = []
        threads = [threading.Thread(target=lambda: codes.append(container.wait())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20 * SLOW)
        assert codes == [0] * 4


def test_waiting_lets_other_threads_run(root):
    counted = [0]
    with drydock.Container("busybox", "sleep 300", network="none") as container:
        stop = threading.Event()

        def count():
            while not stop.is_set():
                counted[0] += 1
        thread = threading.Thread(target=count)
        thread.start()
        before = counted[0]
        with pytest.raises(drydock.TimeoutExpired):
            container.wait(timeout=0.3)
        stop.set()
        thread.join()
        assert counted[0] - before > 1000


@pytest.mark.parametrize("options", ["network='none'", "network='bridge', ports='18098:80'"])
def test_a_killed_interpreter_leaves_nothing(root, options):
    """kill -9 while a container runs and a program of exec too: after a second nothing is there."""
    code = (f"import drydock, time\nc = drydock.Container('busybox', 'sleep 300', {options})\n"
            "import threading\nthreading.Thread(target=lambda: c.exec('sleep 200'), daemon=True).start()\n"
            "time.sleep(0.2)\nprint(c.id, c.pid, flush=True)\ntime.sleep(100)\n")
    process = interpreter(code)
    id, pid = process.stdout.readline().split()
    assert left_behind([id]) != [] and os.path.exists(f"/proc/{pid}")
    process.kill()
    process.wait()
    begun = time.monotonic()
    assert eventually(lambda: not left_behind([id]) and not os.path.exists(f"/proc/{pid}"), seconds=10) or left_behind([id]) == []
    assert time.monotonic() - begun < 1.0 * SLOW


def test_killed_at_any_moment_of_a_start(root):
    """Nothing has a name that we could know, so everything that is there afterwards is compared with before."""
    code = "import drydock, time\nprint('ready', flush=True)\nwhile True: drydock.run('busybox', 'sleep 0.02', network='none')\n"

    def groups():
        data, state = os.environ["DRYDOCK_ROOT"], os.environ["DRYDOCK_STATE"]
        files = [name for folder in ("containers", "upper", "work") if os.path.isdir(f"{data}/{folder}") for name in os.listdir(f"{data}/{folder}")]
        return [files, [name for host in os.listdir(state) for name in os.listdir(f"{state}/{host}/ledgers")]]
    drydock.run("busybox", "true", network="none")
    for number in range(12):
        process = interpreter(code)
        process.stdout.readline()
        time.sleep(0.011 * number)
        process.kill()
        process.wait()
        assert eventually(lambda: groups() == [[], []], seconds=10) or groups() == [[], []]


def test_an_oom_kill_inside_does_not_touch_the_interpreter(root):
    for _ in range(5):
        assert drydock.run("busybox", "tail -c 200m /dev/zero", network="none", memory="16M", memory_swap="16M").out_of_memory
    assert drydock.run("busybox", "true", network="none").ok


def test_a_handle_is_refused_after_a_fork(root):
    with drydock.Container("busybox", "sleep 300", network="none") as container:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            said = "nothing"
            try:
                container.wait(timeout=1)
            except RuntimeError as error:
                said = str(error)
            except BaseException as error:
                said = f"another error: {error!r}"
            os.write(write, said.encode())
            os._exit(0)
        os.close(write)
        assert "which forked this one" in os.read(read, 1000).decode()
        os.close(read)
        os.waitpid(child, 0)
        assert container.exec("true").ok and container.running


def test_a_forked_child_does_not_keep_the_container_of_a_killed_parent(root):
    code = ("import drydock, os, time\nc = drydock.Container('busybox', 'sleep 300', network='none')\n"
            "child = os.fork()\nif child == 0:\n    time.sleep(60)\n    os._exit(0)\n"
            "print(c.id, child, flush=True)\ntime.sleep(100)\n")
    process = interpreter(code)
    id, child = process.stdout.readline().split()
    try:
        process.kill()
        process.wait()
        assert eventually(lambda: not left_behind([id]), seconds=10) or left_behind([id]) == []
        assert os.path.exists(f"/proc/{child}")
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_an_interpreter_that_ends_takes_its_containers_along(root):
    process = interpreter("import drydock, sys\nc = drydock.Container('busybox', 'sleep 300', network='none')\nprint(c.id, flush=True)\nsys.exit(3)\n")
    out, err = process.communicate(timeout=60 * SLOW)
    assert (process.returncode, err) == (3, "")
    assert left_behind([out.strip()]) == []


def test_a_killed_monitor_is_said(root):
    with drydock.Container("busybox", "sleep 300", network="none") as container:
        os.kill(container.record.monitor, signal.SIGKILL)
        with pytest.raises(drydock.Error, match="ended without a word"):
            container.wait(timeout=20 * SLOW)
    drydock.reset()
