"""The launch plan: every system call of a container as data, before (Plan) and after (Timeline) it runs.

Source: docs/plan.md; drydock::plan::Plan (plan/plan.hpp), drydock::plan::trace (plan/report.hpp).
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import _core, svg
from .arguments import Command, Options, spec_of, with_options
from .display import Drawing, Rich, html_table

if TYPE_CHECKING:
    from typing import Unpack

    from .container import Container

__all__ = ["Plan", "Slot", "Step", "Timeline", "TracedStep", "plan"]


@dataclass(frozen=True, repr=False)
class Step(Rich):
    """One call of the plan: who makes it (`lane`), on what (`object`), and why it is there."""

    step: str
    lane: str
    call: str
    manual: str
    arguments: dict[str, str]
    text: str
    object: str
    why: str
    after: tuple[str, ...] = ()
    result: str | None = None
    undo: str | None = None
    undo_at: str | None = None

    def to_text(self) -> str:
        made = f" = <{self.result}>" if self.result else ""
        undone = f"\n  undo  {self.undo}  (at {self.undo_at})" if self.undo else ""
        waits = f"\n  after {', '.join(self.after)}" if self.after else ""
        return f"{self.lane} {self.step}: {self.text}{made}\n  why   {self.why}{waits}{undone}\n"


@dataclass(frozen=True, repr=False)
class Slot(Rich):
    """A value that exists only at run time: a descriptor (fd), a pid or a number."""

    name: str
    kind: str

    def to_text(self) -> str:
        return f"<{self.name}> ({self.kind})\n"


@dataclass(frozen=True, repr=False)
class Plan(Rich):
    """The complete list of steps that turn a process into a container. Made by plan(); it can be printed, drawn and launched."""

    version: int
    steps: tuple[Step, ...]
    slots: tuple[Slot, ...]
    warnings: tuple[str, ...]
    _text: str = field(default="", compare=False)
    _spec: _core.Spec | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def lanes(self) -> tuple[str, ...]:
        """The processes of the launch, in the order in which they first act."""
        return tuple(dict.fromkeys(step.lane for step in self.steps))

    def find(self, step: str) -> Step:
        """The step of this name. Errors: KeyError when there is none. Source: Plan::find.

        >>> import drydock
        >>> drydock.plan("busybox", "true").find("exec").call
        'execve'
        """
        for candidate in self.steps:
            if candidate.step == step:
                return candidate
        raise KeyError(f"the plan has no step {step!r}")

    def print(self, with_reasons: bool = True) -> None:
        """One step a line, as `drydock run --plan` prints it. Source: plan::print.

        >>> import drydock
        >>> drydock.plan("busybox", "true").print()  # doctest: +ELLIPSIS
        monitor ledger ...
        """
        for line in self._text.splitlines():
            print(line if with_reasons else line.split("  # ")[0].rstrip())

    def draw(self, lanes: Sequence[str] | None = None, every_step: bool = False) -> Drawing:
        """A sequence diagram: a column for each lane, a dashed arrow where one waits for another.

        `lanes`: only these. Steps that repeat one call on one kind of thing share a row, unless `every_step`.
        Errors: ValueError for an unknown lane. Source: docs/plan.md, "Reading it".

        >>> import drydock
        >>> drydock.plan("busybox", "true").draw().svg[:4]
        '<svg'
        """
        unknown = set(lanes or ()) - set(svg.LANES)
        if unknown:
            raise ValueError(f"lanes: there is no lane {', '.join(sorted(unknown))}; choose from {', '.join(svg.LANES)}")
        steps = [step for step in self.steps if lanes is None or step.lane in lanes]
        rows = [[step] for step in steps] if every_step else _alike(steps)
        place = {step.step: number for number, row in enumerate(rows) for step in row}
        edges = [(place[before], place[step.step]) for before, step in self._edges() if before in place and step.step in place]
        drawn = [(row[0].lane, _row_name(row), _LONG_ID.sub(lambda id: id[0][:6] + "…", row[0].text), row[0].why) for row in rows]
        return Drawing(svg.sequence(drawn, sorted(set(edges)), f"launch plan of {len(steps)} steps"), self._text)

    def _edges(self) -> Iterator[tuple[str, Step]]:
        """Who waits for whom, and the birth of each lane: its first step comes after the clone before it."""
        seen, born = {"monitor"}, ""
        for step in self.steps:
            if step.lane not in seen:
                seen.add(step.lane)
                yield born, step
            if step.call in ("clone3", "fork"):
                born = step.step
            for before in step.after:
                yield before, step

    def launch(self, input: bytes | str | None = None) -> Container:
        """Starts a container by the same request; on this machine, now, with an id and an address of its own.

        Errors: Error of the step that failed. Source: Engine::start.

        >>> import drydock
        >>> with drydock.plan("busybox", "true", network="none").launch() as container:
        ...     container.wait()
        0
        """
        from .container import Container
        assert self._spec is not None
        return Container._started(self._spec, input)

    def to_text(self) -> str:
        return self._text

    def to_html(self) -> str:
        return self.draw().svg

    def summary(self) -> str:
        return f"{len(self.steps)} steps in the lanes {', '.join(self.lanes)}"


_LONG_ID = re.compile(r"[0-9a-f]{12,}")


def _alike(steps: Sequence[Step]) -> list[list[Step]]:
    """Runs of steps in one lane that make the same call and are numbered or named under one word."""
    rows: list[list[Step]] = []
    for step in steps:
        last = rows[-1][-1] if rows else None
        stem = step.step.rpartition(".")[0]
        if last and stem and (last.lane, last.call, last.step.rpartition(".")[0]) == (step.lane, step.call, stem):
            rows[-1].append(step)
        else:
            rows.append([step])
    return rows


def _row_name(row: Sequence[Step]) -> str:
    return row[0].step if len(row) == 1 else f"{row[0].step.rpartition('.')[0]}.* ({len(row)} steps)"


@dataclass(frozen=True, repr=False)
class TracedStep(Rich):
    """What became of one step. `begin_us` counts from the spawn of the monitor; times are microseconds."""

    step: str
    lane: str
    call: str
    text: str
    begin_us: float
    duration_us: float
    state: str
    result: int
    error: str | None = None

    def to_text(self) -> str:
        return f"{self.begin_us:9.0f} {self.duration_us:8.1f}  {self.lane:8} {self.step:26} {self.error or self.state}\n"


@dataclass(frozen=True, repr=False)
class Timeline(Rich):
    """Where the microseconds of a start went: every step with its begin and duration."""

    steps: tuple[TracedStep, ...]
    _text: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[TracedStep]:
        return iter(self.steps)

    @property
    def start_us(self) -> float:
        """Microseconds from the spawn of the monitor until the program ran (execve succeeded); 0 when it never did."""
        return next((step.begin_us + step.duration_us for step in self.steps if step.step == "exec"), 0.0)

    def longest(self, count: int = 5) -> tuple[TracedStep, ...]:
        """The steps that took the most time. Errors: none. Source: plan::trace.

        >>> import drydock
        >>> len(drydock.run("busybox", "true", network="none").timeline.longest(3))
        3
        """
        return tuple(sorted((step for step in self.steps if step.step != "exec"), key=lambda step: -step.duration_us)[:count])

    def draw(self, most: int = 40) -> Drawing:
        """A waterfall: a bar for each of the `most` longest steps, over the time. Errors: none. Source: plan::timeline.

        >>> import drydock
        >>> drydock.run("busybox", "true", network="none").timeline.draw().svg[:4]
        '<svg'
        """
        before = [step for step in self.steps if step.begin_us <= self.start_us or not self.start_us]
        shown = sorted(sorted(before, key=lambda step: -step.duration_us)[:most], key=lambda step: step.begin_us)
        rest = sum(step.duration_us for step in before) - sum(step.duration_us for step in shown)
        more = f"; {len(before) - len(shown)} shorter steps, {rest / 1000:.2f} ms together, are not drawn" if len(shown) < len(before) else ""
        rows = [(step.lane, step.step, step.begin_us, step.duration_us, f"{step.text}: {step.duration_us:.1f} µs") for step in shown]
        marks = [(self.start_us, "the program runs")] if self.start_us else []
        return Drawing(svg.waterfall(rows, marks, f"start in {self.start_us / 1000:.2f} ms{more}"), self._text)

    def to_text(self) -> str:
        return self._text

    def to_html(self) -> str:
        longest = html_table(["longest steps", "lane", "µs"], [[step.text, step.lane, f"{step.duration_us:.0f}"] for step in self.longest()])
        return self.draw().svg + longest

    def summary(self) -> str:
        return f"{len(self.steps)} steps, start in {self.start_us / 1000:.2f} ms"


def timeline_of(program: _core.Program) -> Timeline:
    lines = [json.loads(line) for line in program.trace().splitlines()]
    return Timeline(tuple(TracedStep(**line) for line in lines), program.timeline())


def plan_of(spec: _core.Spec) -> Plan:
    made = _core.plan(spec)
    data: dict[str, Any] = json.loads(made.json())
    for step in data["steps"]:
        step["after"] = tuple(step["after"])
    steps = tuple(Step(**step) for step in data["steps"])
    return Plan(data["version"], steps, tuple(Slot(**slot) for slot in data["slots"]), tuple(data["warnings"]), made.text(True), spec)


@with_options
def plan(image: str = "busybox", command: Command = (), **options: Unpack[Options]) -> Plan:
    """The plan of a run, without running it; needs no privilege. What other containers of the machine share is shown too.

    Errors: Error for an image that is not in the store; TypeError and ValueError name the argument. Source: Engine::plan.

    >>> import drydock
    >>> drydock.plan("busybox", "true", memory="64M").find("clone").manual
    'clone(2)'
    """
    return plan_of(spec_of(image, command, options))
