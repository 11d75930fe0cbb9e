"""Containers from an interpreter: what they see, how they end, what comes back."""
import socket
import time

import numpy
import pytest

import drydock
from conftest import children, eventually


def quick(command, **options):
    return drydock.run("busybox", command, network="none", **options)


def test_output_status_and_streams(root):
    outcome = quick(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (outcome.stdout, outcome.stderr, outcome.exit_code, outcome.ok) == ("out\n", "err\n", 3, False)
    assert 0 < outcome.duration_s < 60
    with pytest.raises(drydock.ProgramError, match="exited with 3; err") as caught:
        outcome.check()
    assert caught.value.outcome is outcome


def test_input_is_what_the_program_reads(root):
    text = "line\n" * 100_000
    assert quick("wc -l", input=text).stdout == "100000\n"
    assert quick("cat", input=b"\xff\x00").stdout == "\ufffd\x00"
    assert quick("cat").stdout == ""


def test_more_output_than_is_kept(root):
    outcome = quick(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"], output_limit=1_000_000)
    assert (len(outcome.stdout), outcome.left_out) == (1_000_000, 2_000_000)
    assert "2000000 bytes more" in str(outcome)


def test_output_comes_while_it_runs(root):
    seen = []
    quick("sh -c 'echo one; sleep 0.3; echo two'", on_output=lambda stream, data: seen.append((time.monotonic(), stream, data)))
    assert [(stream, data) for _, stream, data in seen] == [(1, b"one\n"), (1, b"two\n")]
    assert seen[1][0] - seen[0][0] > 0.1


def test_it_is_a_container(root):
    outcome = quick("sh -c 'hostname; echo $$; ls /sys/class/net'", hostname="dock")
    assert outcome.stdout == "dock\n1\nlo\n"


def test_a_timeout_ends_it(root):
    begun = time.monotonic()
    with pytest.raises(drydock.TimeoutExpired, match="did not end within 0.3 seconds"):
        quick("sleep 100", timeout=0.3)
    assert time.monotonic() - begun < 20
    assert issubclass(drydock.TimeoutExpired, TimeoutError)
    assert children() == []


def test_the_step_the_call_and_the_remedy_of_an_error(root):
    with pytest.raises(drydock.PermissionDenied) as caught:
        quick("true", inject="mount.proc=EPERM")
    assert (caught.value.step, caught.value.errno) == ("mount.proc", 1)
    assert caught.value.call and caught.value.reason and caught.value.remedy
    assert isinstance(caught.value, (drydock.Error, PermissionError))
    with pytest.raises(drydock.NotFound) as missing:
        quick("no-such-program")
    assert missing.value.call.startswith("exec")
    with pytest.raises(drydock.Error, match="no-such-image"):
        drydock.run("no-such-image")


def test_an_error_travels_through_pickle(root):
    import pickle
    with pytest.raises(drydock.PermissionDenied) as caught:
        quick("true", inject="mount.proc=EPERM")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.step, again.errno) == (type(caught.value), str(caught.value), "mount.proc", 1)


def test_exec_in_it(box):
    assert box.exec("id -u").stdout == "0\n"
    assert box.exec(["sh", "-c", "echo $GREETING; exit 5"], env={"GREETING": "hello world"}).stdout == "hello world\n"
    assert box.exec("sh -c 'exit 5'").exit_code == 5
    assert box.exec("pwd", working_directory="/tmp").stdout == "/tmp\n"
    assert box.exec("cat", input="text").stdout == "text"
    with pytest.raises(drydock.TimeoutExpired):
        box.exec("sleep 100", timeout=0.2)
    with pytest.raises(drydock.NotFound):
        box.exec("no-such-program")
    assert box.exec("sh -c 'sleep 100 & echo begun'").stdout == "begun\n"  # what holds the output open is not waited for
    assert box.status == "running"


def test_freeze_and_thaw(box):
    box.freeze()
    assert box.status == "frozen"
    with pytest.raises(drydock.Error, match="frozen"):
        box.exec("true")
    box.thaw()
    assert box.exec("true").exit_code == 0


def test_signals_and_the_end(root):
    command = ["sh", "-c", "trap 'echo heard; exit 9' USR1; echo ready; while :; do sleep 0.05; done"]
    with drydock.Container("busybox", command, network="none") as container:
        assert eventually(lambda: container.output == "ready\n")
        container.signal("USR1")
        assert container.wait(timeout=20) == 9
        assert (container.status, container.output) == ("exited", "ready\nheard\n")
        assert container.wait() == 9
        with pytest.raises(drydock.Error, match="not running"):
            container.signal("TERM")
        with pytest.raises(drydock.Error, match="not running"):
            container.pid
    assert children() == []


def test_stop_asks_and_then_insists(root):
    with drydock.Container("busybox", ["sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done"], network="none") as polite:
        assert eventually(lambda: polite.output)
        assert polite.stop() == 4
    with drydock.Container("busybox", "sleep 100", network="none") as deaf:
        deaf.freeze()
        assert deaf.stop(timeout=0.1) == 137


def test_a_forgotten_container_ends(root):
    container = drydock.Container("busybox", "sleep 100", network="none")
    id = container.id
    del container
    assert [record for record in drydock.list(all=True) if record.id == id] == []
    assert children() == []


def test_detached_ones_are_found_again(root):
    made = drydock.Container("busybox", "sh -c 'echo hello; sleep 100'", network="none", detach=True, name="keeper", labels={"for": "test"})
    try:
        found = drydock.find("keeper")
        assert (found.id, found.status, found.record.spec["labels"]) == (made.id, "running", {"for": "test"})
        assert eventually(found.logs) == "hello\n"
        assert found.exec("true").ok
        with pytest.raises(drydock.Error, match="the process that started it"):
            found.timeline
        with pytest.raises(drydock.Error, match="is running"):
            found.remove()
        found.signal("KILL")
        assert found.wait(timeout=20) == 137
        assert found.logs(tail=1) == "hello\n"
    finally:
        made.remove(force=True)
    with pytest.raises(drydock.NotFound):
        drydock.find("keeper")


def test_the_limit_holds_and_the_interpreter_lives(root):
    outcome = quick("tail -c 200m /dev/zero", memory="16M", memory_swap="16M")
    assert (outcome.exit_code, outcome.out_of_memory) == (137, True)
    assert "memory limit" in outcome.words()
    assert int(numpy.ones(1000).sum()) == 1000


def test_usage_and_samples(root):
    with drydock.Container("busybox", "sh -c 'while :; do :; done'", network="none", memory="64M", pids=16) as busy:
        samples = busy.cgroup.sample(every=0.05, for_=0.5)
        usage = samples.samples[-1].usage
        assert (usage.memory_limit_bytes, usage.tasks_limit, usage.tasks) == (64 << 20, 16, 1)
        assert len(samples) > 3 and samples.times() == sorted(samples.times())
        assert max(samples.cpu()) > 0.1
        assert busy.cgroup.pids() == (busy.pid,)
        busy.cgroup.set(pids=8)
        assert busy.cgroup.usage().tasks_limit == 8


def test_layers_and_changes(root):
    with drydock.Container("busybox", "sh -c 'echo x > /new; rm /bin/ls; echo y >> /etc/passwd; echo done; sleep 100'", network="none") as container:
        assert eventually(lambda: container.output)
        kinds = {change.path: change.kind for change in container.changes()}
        assert (kinds["/new"], kinds["/bin/ls"], kinds["/etc/passwd"]) == ("added", "deleted", "changed")
        assert container.layers.layers[0].writable and sum(layer.size for layer in container.layers) > 100_000


def test_namespaces_and_mounts(box):
    comparison = drydock.namespaces.compare(None, box, ns="pid,mnt,user")
    assert (comparison.different, comparison.shared) == (("pid", "mnt"), ("user",))
    assert next(iter(box.mounts)).type == "overlay" or "/" in [mount.target for mount in box.mounts]
    tree = drydock.namespaces.tree("pid")
    (above,) = [node for root in tree.roots for _, node in root.lines() if box.namespaces["pid"] in [child.number for child in node.below]]
    assert above.number == drydock.namespaces.of()["pid"]
    assert box.facts.process["ns_pids"][-1] == 1


def test_the_bridge_and_its_picture(root):
    with drydock.Container("busybox", "httpd -f", name="web", ports="18097:80") as web:
        topology = drydock.network.topology()
        (end,) = [end for end in topology.endpoints if end.name == "web"]
        assert (end.address, end.ports) == (web.record.address, ("18097→80",))
        assert end.link in [name for _, name in socket.if_nameindex()]
        assert end.address in topology.draw().svg


def test_python_inside(root):
    def inside():
        import os
        print(os.getpid(), len(os.listdir("/proc/1/task")))

    assert drydock.run_python(inside, network="none").stdout == "1 1\n"
    assert drydock.run_python("import json; print(json.dumps([1, {'a': None}]))", network="none").json() == [1, {"a": None}]
    with pytest.raises(ValueError):
        drydock.run("busybox", "echo no json", network="none").json()
    with pytest.raises(drydock.ProgramError, match="ZeroDivisionError"):
        drydock.run_python("1/0", network="none")


def test_a_plan_is_launched_and_traced(root):
    plan = drydock.plan("busybox", "echo planned", network="none")
    with plan.launch() as container:
        assert container.wait(timeout=20) == 0
        assert container.logs() == "planned\n"
        traced = {step.step for step in container.timeline}
    assert plan.find("exec").step in traced
    assert traced == {step.step for step in plan}
    assert container.timeline.start_us > 0


def test_names_of_an_image_come_and_go(root):
    drydock.run("busybox", "true", network="none")
    before = drydock.image.find("busybox")
    drydock.image.tag("busybox", "second-name:1")
    assert drydock.image.find("second-name:1").id == before.id
    assert drydock.image.remove("second-name:1") == ("Untagged: second-name:1",)
    assert drydock.image.find("busybox").layers == before.layers
    for call in (lambda: drydock.image.remove("second-name:1"), lambda: drydock.image.tag("second-name:1", "third:1")):
        with pytest.raises(drydock.Error, match="second-name"):
            call()


def test_what_a_notebook_needs(root, monkeypatch):
    drydock.needs("root", "kernel")
    with pytest.raises(ValueError, match="no 'moon'; choose from root, kernel"):
        drydock.needs("moon")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(drydock.Skipped, match="needs root") as caught:
        drydock.needs("root")
    assert caught.value.remedy == "start it with sudo"
