"""Wrong arguments are named; the list of arguments is the list of the core."""
import inspect
import re
from pathlib import Path

import pytest

import drydock
from conftest import ROOT
from drydock import _core
from drydock.arguments import Options

WRONG_VALUES = [("memory", "64x"), ("memory", "1m"), ("memory_swap", 0), ("cpus", "many"), ("cpus", 0), ("cpu_shares", 1), ("cpuset_cpus", "a-b"),
                ("pids", "few"), ("blkio_weight", 1), ("read_bps", "/dev/vda"), ("write_iops", "vda:1"), ("network", "ether"), ("address", "1.2.3"),
                ("dns", "nowhere"), ("hosts", "db"), ("hosts", {"db": "x"}), ("ports", "80:90:100:110"), ("cap_add", "FLY"), ("seccomp", ""),
                ("ulimits", "nofile"), ("userns", "1:2"), ("name", "/"), ("hostname", "-x"), ("user", "a:b:c"), ("working_directory", "relative"),
                ("mounts", "here:/there/.."), ("tmpfs", "relative"), ("env", "=x"), ("labels", "=x")]


@pytest.mark.parametrize("name, value", WRONG_VALUES, ids=str)
def test_a_wrong_value_names_the_argument(name, value):
    with pytest.raises(ValueError, match=rf"^{name}=.*: .*"):
        drydock.plan("busybox", "true", **{name: value})


@pytest.mark.parametrize("name", [name for name in Options.__annotations__])
def test_a_wrong_type_names_the_argument(name):
    with pytest.raises(TypeError, match=rf"^{name}: "):
        drydock.plan("busybox", "true", **{name: [object()] if name not in ("init", "remove", "read_only", "privileged", "no_new_privileges") else 1})


@pytest.mark.parametrize("call, said", [
    (lambda: drydock.plan(7), "image: a name"), (lambda: drydock.plan("busybox", 7), "command: text or a sequence"),
    (lambda: drydock.plan("busybox", [7]), "command: words"), (lambda: drydock.run("busybox", "true", timeout="soon"), "timeout: seconds"),
    (lambda: drydock.run("busybox", "true", input=7), "input: text or bytes"), (lambda: drydock.plan(memroy=1), "argument 'memroy'"),
    (lambda: drydock.find(7), "container: a name"), (lambda: drydock.facts.take("x"), "process: a pid"),
    (lambda: drydock.run_python(7), "source: text or a function"), (lambda: drydock.namespaces.compare(1, 1, ns=3), "ns: text")])
def test_other_types(call, said):
    with pytest.raises(TypeError, match=said):
        call()


@pytest.mark.parametrize("call, said", [
    (lambda: drydock.run("busybox", "true", timeout=-1), "timeout=-1"), (lambda: drydock.namespaces.compare(1, 1, ns="pid,moon"), "'moon'"),
    (lambda: drydock.plan("busybox", ports="80:80", network="none"), "^ports: "), (lambda: drydock.plan("busybox", memory_swap="1g"), "^memory_swap: .*memory"),
    (lambda: drydock.cgroups.Group([]).sample(every=0), "every=0"), (lambda: drydock.plan("busybox").draw(lanes=["fast"]), "lane fast"),
    (lambda: drydock.cgroups.Samples(()).column("speed"), "name='speed'")])
def test_other_values(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_paths_and_numbers_are_taken():
    plan = drydock.plan("busybox", [Path("/bin/true")], working_directory=Path("/tmp"), memory=64 << 20, user=7, cpus=0.5, env={"A": 1})
    assert plan.find("exec").arguments["argv"].startswith('"/bin/true"') or "/bin/true" in plan.find("exec").text


def test_the_list_is_the_core_s():
    told = set(_core.argument_names()) - {"detach", "interactive"}
    assert set(Options.__annotations__) == told


def test_every_argument_is_a_field_of_the_spec():
    text = (ROOT / "src/drydock/container/spec.hpp").read_text() + (ROOT / "src/drydock/cgroups/limits.hpp").read_text()
    fields = set(re.findall(r"[ >*](\w+)(?: = [^;]*)?(?:, \w+)*;", text)) | set(re.findall(r", (\w+)(?=[,;])", text))
    assert set(Options.__annotations__) - fields == {"tmpfs"}  # a kind of mount


def test_help_and_completion_show_every_argument():
    for function in (drydock.run, drydock.plan, drydock.Container.__init__, drydock.run_python):
        assert set(Options.__annotations__) <= set(inspect.signature(function).parameters)
