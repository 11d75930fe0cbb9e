"""Control groups: what a container uses, what happened to it, its limits, and how this machine keeps them.

Bytes are bytes, cpu_ns and throttled_ns nanoseconds of one processor.
Source: drydock::cgroups (cgroups/group.hpp, layout.hpp, knobs.hpp); cgroups(7).
"""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import _core, svg
from .arguments import seconds_of
from .display import Drawing, Listing, Rich, html_table, size_words, text_table

__all__ = ["Events", "Group", "Knob", "Layout", "Place", "Sample", "Samples", "Usage", "knob_table", "layout"]


@dataclass(frozen=True, repr=False)
class Usage(Rich):
    """What a group uses now. None: no hierarchy of this group can say, or there is no limit."""

    memory_bytes: int | None
    memory_peak_bytes: int | None
    memory_limit_bytes: int | None
    cpu_ns: int | None
    tasks: int | None
    tasks_limit: int | None
    read_bytes: int | None
    write_bytes: int | None

    def _rows(self) -> list[tuple[str, float | None, float | None, str]]:
        memory = f"{size_words(self.memory_bytes)} of {size_words(self.memory_limit_bytes) if self.memory_limit_bytes else 'no limit'}"
        tasks = f"{self.tasks if self.tasks is not None else '-'} of {self.tasks_limit or 'no limit'}"
        cpu = "-" if self.cpu_ns is None else f"{self.cpu_ns / 1e9:.3f} s used"
        rows: list[tuple[str, float | None, float | None, str]] = [
            ("memory", self.memory_bytes, self.memory_limit_bytes, f"{memory}, peak {size_words(self.memory_peak_bytes)}"),
            ("tasks", self.tasks, self.tasks_limit, tasks), ("processor", None, None, cpu)]
        if self.read_bytes is not None or self.write_bytes is not None:
            rows.append(("disk", None, None, f"{size_words(self.read_bytes)} read, {size_words(self.write_bytes)} written"))
        return rows

    def to_text(self) -> str:
        lines = []
        for name, value, limit, words in self._rows():
            filled = min(round(20 * value / limit), 20) if value is not None and limit else 0
            lines.append(f"{name:10} {'[' + '#' * filled + '.' * (20 - filled) + '] ' if limit else ''}{words}\n")
        return "".join(lines)

    def to_html(self) -> str:
        return svg.gauges(self._rows(), "usage of a control group")


@dataclass(frozen=True, repr=False)
class Events(Rich):
    """What happened to a group: kills for want of memory, forks refused, periods in which it was held back."""

    oom_kills: int
    fork_failures: int
    periods: int
    throttled_periods: int
    throttled_ns: int

    def to_text(self) -> str:
        return (f"killed for memory  {self.oom_kills}\nforks refused      {self.fork_failures}\n"
                f"held back          {self.throttled_periods} of {self.periods} periods, {self.throttled_ns / 1e9:.3f} s\n")


@dataclass(frozen=True, repr=False)
class Sample(Rich):
    """One look at a group, `at_s` seconds after the first."""

    at_s: float
    usage: Usage

    def to_text(self) -> str:
        return f"after {self.at_s:.3f} s\n{self.usage.to_text()}"


@dataclass(frozen=True, repr=False)
class Samples(Rich):
    """Usage over time. `column("memory_bytes")` gives the numbers of one field, `cpu()` processors in use between two looks."""

    samples: tuple[Sample, ...]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    def times(self) -> list[float]:
        """Seconds after the first sample.

        >>> Samples(()).times()
        []
        """
        return [sample.at_s for sample in self.samples]

    def column(self, name: str) -> list[int | None]:
        """One field of Usage. Errors: ValueError for an unknown one. Source: cgroups::Usage.

        >>> Samples(()).column("memory_bytes")
        []
        """
        if name not in Usage.__dataclass_fields__:
            raise ValueError(f"name={name!r}: there is no such field; choose from {', '.join(Usage.__dataclass_fields__)}")
        return [getattr(sample.usage, name) for sample in self.samples]

    def cpu(self) -> list[float]:
        """Processors in use since the sample before: 0.5 is half of one. Errors: none. Source: cpuacct.usage, cpu.stat.

        >>> Samples(()).cpu()
        []
        """
        pairs = zip(self.samples, self.samples[1:])
        return [((later.usage.cpu_ns or 0) - (before.usage.cpu_ns or 0)) / 1e9 / max(later.at_s - before.at_s, 1e-9) for before, later in pairs]

    def _rows(self) -> list[list[str]]:
        cpu = ["-", *(f"{used:.2f}" for used in self.cpu())]
        return [[f"{sample.at_s:.2f}", size_words(sample.usage.memory_bytes), used, str(sample.usage.tasks)] for sample, used in zip(self, cpu)]

    def draw(self) -> Drawing:
        """Memory (MiB) over seconds, and processors in use in the legend's second curve scaled to the same axis.

        Errors: none. Source: cgroups::Usage.

        >>> Samples(()).draw().svg[:4]
        '<svg'
        """
        memory = [(sample.at_s, (sample.usage.memory_bytes or 0) / (1 << 20)) for sample in self]
        return Drawing(svg.lines([("memory", memory)], "seconds", "MiB", "memory of the group over time"), self.to_text())

    def to_text(self) -> str:
        return text_table(["SECONDS", "MEMORY", "PROCESSORS", "TASKS"], self._rows())

    def to_html(self) -> str:
        used = list(zip(self.times()[1:], self.cpu()))
        return self.draw().svg + svg.lines([("processors", used)], "seconds", "processors in use", "processor time of the group")

    def summary(self) -> str:
        return f"{len(self)} over {self.samples[-1].at_s if self.samples else 0:.2f} s"


class Group:
    """The groups of one container in all hierarchies; each question goes to the one that can answer it.

    Errors: none for directories that are gone. Source: cgroups::Group.

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none", memory="64M") as container:
    ...     container.cgroup.usage().memory_limit_bytes == 64 << 20
    True
    """

    def __init__(self, directories: Sequence[str]) -> None:
        self.directories = tuple(directories)
        self._core = _core.Group(list(directories))

    def exists(self) -> bool:
        """Whether it is still there.

        >>> Group([]).exists()
        False
        """
        return self._core.exists()

    def usage(self) -> Usage:
        """What it uses now. Errors: none. Source: Group::usage.

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none", pids=16) as container:
        ...     container.cgroup.usage().tasks_limit
        16
        """
        return Usage(**self._core.usage())

    def events(self) -> Events:
        """What happened to it. Errors: none. Source: Group::events.

        >>> Group([]).events().oom_kills
        0
        """
        return Events(**self._core.events())

    def pids(self) -> tuple[int, ...]:
        """Its members, as this process sees them. Errors: none. Source: Group::pids.

        >>> Group([]).pids()
        ()
        """
        return tuple(self._core.pids())

    def set(self, **limits: Any) -> tuple[str, ...]:
        """New limits for the group as it runs, by the names of Options: memory (bytes), cpus, pids, …. What cannot be set is said.

        Errors: ValueError; Busy for a memory limit below what is in use. Source: Group::set.

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none", pids=16) as container:
        ...     _ = container.cgroup.set(pids=8)
        ...     container.cgroup.usage().tasks_limit
        8
        """
        return tuple(self._core.set(limits))

    def freeze(self) -> None:
        """Stops every member. Errors: Error when no hierarchy can. Source: Group::freeze; Container.freeze() has an example."""
        self._core.freeze()

    def thaw(self) -> None:
        """Undoes freeze(). Errors: Error when no hierarchy can. Source: Group::thaw; Container.thaw() has an example."""
        self._core.thaw()

    def frozen(self) -> bool:
        """Whether its members stand still.

        >>> Group([]).frozen()
        False
        """
        return self._core.frozen()

    def kill(self) -> None:
        """SIGKILL to every member, those being forked included. Errors: none. Source: Group::kill; cgroup.kill (Linux 5.14).

        >>> Group([]).kill()
        """
        self._core.kill()

    def sample(self, every: float = 0.1, for_: float = 1.0) -> Samples:
        """Looks at the usage again and again: `every` seconds, for `for_` seconds, or until the group is gone.

        Errors: ValueError for times that are not positive; Ctrl-C ends it. Source: Group::usage.

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
        ...     len(container.cgroup.sample(every=0.01, for_=0.05)) > 2
        True
        """
        step, span = seconds_of("every", every), seconds_of("for_", for_)
        if not step or not span:
            raise ValueError(f"every={every!r}, for_={for_!r}: both are seconds, more than 0")
        begun = time.monotonic()
        samples = []
        while self.exists():
            at = time.monotonic() - begun
            samples.append(Sample(at, self.usage()))
            if at >= span:
                break
            time.sleep(max(min(step * len(samples), span) - (time.monotonic() - begun), 0))
        return Samples(tuple(samples))

    def __repr__(self) -> str:
        return f"<Group of {len(self.directories)} directories>"

    def __str__(self) -> str:
        return "".join(f"{directory}\n" for directory in self.directories) + self.usage().to_text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self).rstrip("\n"))

    def _repr_html_(self) -> str:
        return self.usage().to_html()


@dataclass(frozen=True, repr=False)
class Place(Rich):
    """Where one controller lives: `version` 1 or 2, `mount` the hierarchy's root."""

    controller: str
    version: int
    mount: str

    def to_text(self) -> str:
        return f"{self.controller} (version {self.version}): {self.mount}\n"


@dataclass(frozen=True, repr=False)
class Layout(Rich):
    """Which hierarchies this machine has: `shape` is v1, v2, hybrid or none."""

    shape: str
    places: tuple[Place, ...]
    cgroup2: str

    def _rows(self) -> list[list[str]]:
        return [[place.controller, str(place.version), place.mount] for place in self.places]

    def to_text(self) -> str:
        return f"shape: {self.shape}, version 2 at {self.cgroup2 or 'none'}\n" + text_table(["CONTROLLER", "VERSION", "MOUNTED AT"], self._rows())

    def to_html(self) -> str:
        return html_table([f"controller ({self.shape})", "version", "mounted at"], self._rows())


@dataclass(frozen=True, repr=False)
class Knob(Rich):
    """One limit, and the file that sets it in each version."""

    name: str
    v1_controller: str
    v1_file: str
    v2_controller: str
    v2_file: str
    reason: str

    def to_text(self) -> str:
        return f"{self.name}: {self.v1_file} (v1), {self.v2_file} (v2); {self.reason}\n"


def layout() -> Layout:
    """The hierarchies of this machine. Errors: Error when /proc is not mounted. Source: cgroups::read_layout.

    >>> import drydock
    >>> drydock.cgroups.layout().shape in ("none", "v1", "v2", "hybrid")
    True
    """
    fields = _core.layout()
    return Layout(fields["shape"], tuple(Place(**place) for place in fields["places"]), fields["cgroup2"])


def knob_table() -> Listing[Knob]:
    """For each limit the file in version 1 and the file in version 2. Errors: none. Source: cgroups::knob_table.

    >>> import drydock
    >>> [knob.v2_file for knob in drydock.cgroups.knob_table() if knob.name == "memory"]
    ['memory.max']
    """
    return Listing([Knob(**fields) for fields in _core.knob_table()],
                   {"LIMIT": "name", "VERSION 1": "v1_file", "VERSION 2": "v2_file", "WHY": "reason"})
