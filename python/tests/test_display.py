"""Every result type: readable text in a plain terminal, escaped HTML in a notebook, plain data for programs."""
import dataclasses
import json
import re
import subprocess
import sys
import xml.dom.minidom

import pytest

import drydock
from drydock import cgroups, display, facts, image, leftovers, machine, namespaces, network, outcome, overlay, plans, svg

HOSTILE = "<script>alert('x')</script>\x1b[31m&"


def usage():
    return cgroups.Usage(32 << 20, 40 << 20, 64 << 20, 5_000_000_000, 3, 16, None, None)


def examples():
    """One of each result type, filled by hand; strings are hostile wherever they come from outside."""
    mount = facts.Mount(1, 0, "0:1", "/", "/" + HOSTILE, "ro", "private", "tmpfs", HOSTILE, "")
    layer = overlay.Layer("/layers/" + HOSTILE, 1234, 5, True)
    end = network.Endpoint(HOSTILE, "bridge", "172.29.0.2", "drydock0000", ("80→80",))
    traced = plans.TracedStep("exec", "payload", "execve", f"execve({HOSTILE})", 10.0, 20.0, "done", 0)
    own = namespaces.Namespaces(1, {"pid": 1, "net": 2})
    record = outcome.Record("ab" * 32, HOSTILE, "busybox", "sha256:0", (), (HOSTILE,), "running", 1, 2, 3, 4, 5, 0, 0, False, "", "", "", ("/g",), {})
    step = plans.Step("mount", "payload", "mount", "mount(2)", {}, f"mount({HOSTILE})", HOSTILE, HOSTILE, ("a",), "fd", "umount2()", "exit")
    return [
        outcome.Outcome("ab", 1, False, (HOSTILE,), HOSTILE, HOSTILE, 0.5, 7), record, mount, facts.Mounts((mount,)), facts.take(),
        facts.diff(None, 1), facts.Change("g", HOSTILE, "1", None), own, namespaces.Comparison(own, own, ("pid",)), namespaces.KindInfo("pid", 1, "x", "2"),
        namespaces.Node("pid", 1, ((1, HOSTILE),)), namespaces.Tree((namespaces.Node("pid", 1, ((1, HOSTILE),)),)), namespaces.kinds(), usage(),
        cgroups.Events(1, 2, 3, 4, 5), cgroups.Sample(0.1, usage()), cgroups.Samples((cgroups.Sample(0.0, usage()), cgroups.Sample(1.0, usage()))),
        cgroups.layout(), cgroups.Place("memory", 1, HOSTILE), cgroups.knob_table(), cgroups.knob_table()[0], layer, overlay.LayerStack((layer,)),
        overlay.Change("added", HOSTILE), overlay.Changes((overlay.Change("added", HOSTILE),)), network.bridge(), end,
        network.Topology(network.bridge(), (end,)), image.Image(HOSTILE, "", "sha256:1", (), (), (), 5, "", {"entrypoint": [], "command": [HOSTILE]}),
        image.HistoryEntry("", HOSTILE, "", False, 3, ""), machine.Finding("kernel", "ok", HOSTILE, "", ""), drydock.doctor(), step,
        plans.Slot("x", "fd"), plans.Plan(1, (step,), (), (), f"monitor {HOSTILE}"), traced, plans.Timeline((traced,), f"text {HOSTILE}"),
        leftovers.Leaks(1, (HOSTILE,)), display.Drawing(svg.picture(1, 1, [svg.text(0, 0, HOSTILE)], HOSTILE), "text")]


EXAMPLES = examples()
named = pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)


def test_no_type_is_missing():
    def below(kind):
        return {kind, *(found for sub in kind.__subclasses__() for found in below(sub))}
    assert {type(value) for value in EXAMPLES} == below(display.Rich) - {display.Rich}


@named
def test_text(value):
    assert value.to_text().strip()
    assert len(repr(value)) <= 80 and "\n" not in repr(value) and repr(value).startswith("<")
    assert "\x1b" not in str(value) + repr(value)
    assert "\x1b" in value.to_text() or str(value) == value.to_text()


@named
def test_html_is_well_formed_and_escaped(value):
    html = value._repr_html_()
    assert "<script" not in html and "\x1b" not in html
    xml.dom.minidom.parseString(f"<div>{html}</div>".replace("<details open>", "<details open='open'>"))


@named
def test_plain_data(value):
    data = value.to_dict()
    assert isinstance(data, dict) and json.loads(json.dumps(data)) is not None


@named
def test_results_are_frozen_and_no_builtins(value):
    assert not isinstance(value, (dict, tuple, list))  # their printers would win over ours
    if dataclasses.is_dataclass(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, 1)


def test_plain_ipython_shows_text():
    pytest.importorskip("IPython")
    code = ("import sys; sys.path.insert(0, {here!r}); import test_display\n"
            "from IPython.terminal.interactiveshell import TerminalInteractiveShell\n"
            "shell = TerminalInteractiveShell.instance(colors='NoColor', simple_prompt=True)\n"
            "shell.user_ns['values'] = test_display.EXAMPLES\n"
            "for number, value in enumerate(test_display.EXAMPLES):\n"
            "    print('##', type(value).__name__); shell.run_cell(f'values[{{number}}]')\n").format(here=str(svg.__file__ and __file__.rsplit("/", 1)[0]))
    shown = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0, shown.stderr
    text = re.sub(r"\x1b\][^\x07]*\x07|\x1b\[[0-9;]*[a-z]", "", shown.stdout)  # the title of the terminal
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(parts) == {type(value).__name__ for value in EXAMPLES}
    for name, part in parts.items():
        body = part.split("]: ", 1)[-1].strip()
        assert body and "<drydock." not in body and "object at 0x" not in body, (name, part)
    assert "[#####" in parts["Usage"] and "exited with 1" in parts["Outcome"] and "uts" in parts["Listing"] + parts["Snapshot"]


def test_the_diagram_has_a_column_for_each_lane_and_every_step():
    plan = drydock.plan("busybox", "true", memory="64M")
    text = plan.draw(every_step=True).svg
    xml.dom.minidom.parseString(text)
    columns = re.findall(r"font-weight='bold' [^>]*>(monitor|payload|joiner|proxy)<", text)
    assert columns == ["monitor", "payload"]
    assert text.count("<circle") == len(plan)
    waits = {(before, step.step) for step in plan for before in step.after if plan.find(before).lane != step.lane}
    birth = ("clone", next(step.step for step in plan if step.lane == "payload"))
    assert len(re.findall(r"marker-end", text)) == len(waits | {birth}) >= 2
    assert plan.draw(lanes=["payload"], every_step=True).svg.count("<circle") == sum(step.lane == "payload" for step in plan)


def test_what_repeats_shares_a_row_and_names_its_number():
    plan = drydock.plan("busybox", "true")
    text = plan.draw().svg
    counted = [int(number) for number in re.findall(r"<title>[^<]*\.\* \((\d+) steps\): ", text)]
    assert counted and text.count("<circle") + sum(counted) - len(counted) == len(plan)


@pytest.mark.parametrize("words", ["clone3(CLONE_NEWNS|CLONE_NEWUTS)", "iiiii", "mmmmmmmm", "WWWW"])
def test_a_text_is_cut_where_it_would_not_fit(words):
    assert svg.fitted(words, 1000) == words
    assert svg.width_of(svg.fitted(words, 18)) <= 18 and svg.fitted(words, 18).endswith("…")


@pytest.mark.parametrize("end", [0.3, 1, 7, 9.5, 120, 54619, 8.1e6])
def test_ticks_are_few_and_round(end):
    ticks = svg.ticks(end)
    assert 2 <= len(ticks) <= 9 and ticks[0] == 0 and ticks[-1] <= end


def test_a_grid_has_a_word_for_each_field_and_says_what_is_good_by_more_than_colour():
    pytest.importorskip("matplotlib").use("Agg")
    from drydock import plots
    words = {(row, column): "yes" if row == column else "EPERM" for row in "abc" for column in "abc"}
    axes = plots.grid("A sentence that is long enough to be broken into two lines, " * 3, "abc", "abc", words, x="who", y="what")
    assert sorted(text.get_text() for text in axes.texts) == ["EPERM"] * 6 + ["yes"] * 3
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert len({patch.get_facecolor() for patch in axes.patches}) == 2
    caption = axes.figure._supxlabel.get_text()
    assert "\n" in caption and max(map(len, caption.splitlines())) < 120
    with pytest.raises(KeyError):
        plots.grid("x", ["a", "missing"], ["a"], words, x="who", y="what")
    with pytest.raises(ValueError, match="caption, x, y"):
        plots.figure("", x="who", y="what")


def test_many_containers_are_counted_instead_of_drawn():
    ends = tuple(network.Endpoint(f"box-{number}", "bridge", f"172.29.0.{number}", f"drydock{number}", ()) for number in range(9))
    drawn = network.Topology(network.bridge(), ends).draw()
    assert "box-5" in drawn.svg and "box-6" not in drawn.svg and "and 3 more" in drawn.svg
    assert "box-8" in drawn.to_text()
    assert "more" not in network.Topology(network.bridge(), ends[:6]).draw().svg
