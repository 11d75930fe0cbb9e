"""A real Jupyter kernel: the stop button, a killed kernel, and output that arrives while a cell runs."""
import os
import signal
import sys
import time

import pytest

from conftest import SLOW, eventually, left_behind

manager = pytest.importorskip("jupyter_client.manager")


@pytest.fixture
def kernel(root):
    started = manager.KernelManager(kernel_name="python3")
    started.kernel_spec.argv[0] = sys.executable
    started.start_kernel(stderr=None)
    client = started.client()
    client.start_channels()
    client.wait_for_ready(timeout=60 * SLOW)
    yield Kernel(started, client)
    client.stop_channels()
    if started.has_kernel:
        started.shutdown_kernel(now=True)


class Kernel:
    def __init__(self, started, client):
        self.manager, self.client = started, client

    def begin(self, code):
        # Otherwise a cell that comes right after a failed one is refused ("aborted").
        return self.client.execute(code, stop_on_error=False)

    def outputs(self, message, until=lambda content: False):
        """What a cell shows, as (kind, content), until it is idle or `until` is true of one."""
        shown = []
        while True:
            said = self.client.get_iopub_msg(timeout=60 * SLOW)
            if said["parent_header"].get("msg_id") != message:
                continue
            kind, content = said["msg_type"], said["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            shown.append((kind, content))
            if until(content):
                return shown

    def run(self, code):
        return self.outputs(self.begin(code))


def text_of(shown):
    return "".join(content["text"] for kind, content in shown if kind == "stream")


def test_the_stop_button_ends_the_cell_and_its_container(kernel):
    kernel.run("import drydock\n%load_ext drydock")
    for number in range(5):
        message = kernel.begin("%%container --network none\necho begun\nsleep 300")
        assert "begun" in text_of(kernel.outputs(message, until=lambda content: "begun" in content.get("text", "")))
        time.sleep(0.03 * number)
        begun = time.monotonic()
        kernel.manager.interrupt_kernel()
        shown = kernel.outputs(message)
        assert [content["ename"] for kind, content in shown if kind == "error"] == ["KeyboardInterrupt"]
        assert time.monotonic() - begun < 10 * SLOW
    assert text_of(kernel.run("print(drydock.leaks(), drydock.run('busybox', 'echo alive', network='none').stdout)")) \
        == "nothing is left of 5 containers\n alive\n\n"


def test_the_stop_button_while_waiting_leaves_the_container(kernel):
    kernel.run("import drydock\nbox = drydock.Container('busybox', 'sleep 300', network='none')")
    message = kernel.begin("print('waiting', flush=True)\nbox.wait()")
    assert "waiting" in text_of(kernel.outputs(message, until=lambda content: "waiting" in content.get("text", "")))
    kernel.manager.interrupt_kernel()
    assert any(kind == "error" and content["ename"] == "KeyboardInterrupt" for kind, content in kernel.outputs(message))
    assert text_of(kernel.run("print(box.status)")) == "running\n"


def test_output_arrives_while_the_cell_runs(kernel):
    kernel.run("%load_ext drydock")
    message = kernel.begin("%%container --network none\necho first\nsleep 300")
    begun = time.monotonic()
    shown = kernel.outputs(message, until=lambda content: "first" in content.get("text", ""))
    assert "first" in text_of(shown) and time.monotonic() - begun < 60 * SLOW
    kernel.manager.interrupt_kernel()
    kernel.outputs(message)


def test_a_killed_kernel_leaves_nothing_after_a_second(kernel):
    shown = kernel.run("import drydock\nbox = drydock.Container('busybox', 'sleep 300')\nprint(box.id, box.pid)")
    id, pid = text_of(shown).split()
    assert left_behind([id])
    os.kill(kernel.manager.provisioner.pid if hasattr(kernel.manager, "provisioner") else kernel.manager.kernel.pid, signal.SIGKILL)
    begun = time.monotonic()
    assert eventually(lambda: not left_behind([id]) and not os.path.exists(f"/proc/{pid}"), seconds=10) or left_behind([id]) == []
    assert time.monotonic() - begun < 1.0 * SLOW


def test_an_oom_kill_inside_leaves_the_kernel_alone(kernel):
    code = "import drydock\nfor _ in range(3): print(drydock.run('busybox', 'tail -c 200m /dev/zero', network='none', memory='16M', memory_swap='16M').out_of_memory)"
    assert text_of(kernel.run(code)) == "True\n" * 3
    assert text_of(kernel.run("print(6 * 7)")) == "42\n"


def test_results_come_as_pictures_and_as_text(kernel):
    shown = kernel.run("import drydock\ndrydock.plan('busybox', 'true')")
    (data,) = [content["data"] for kind, content in shown if kind == "execute_result"]
    assert data["text/html"].startswith("<svg") and data["text/plain"].startswith("monitor ledger")
    shown = kernel.run("drydock.run('no-such-image')")
    (error,) = [content for kind, content in shown if kind == "error"]
    assert error["ename"] == "NotFound" and len(error["traceback"]) < 4 and "no-such-image" in error["traceback"][0]
