"""What the kernel says about a process, and what is different about two.

Everything is read from procfs; nothing is joined, traced or changed.
Source: drydock::facts (facts/snapshot.hpp, facts/report.hpp); proc(5).
"""
from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Union

from . import _core
from .display import COLOURS, Rich, clean, html_table

if TYPE_CHECKING:
    from .container import Container

__all__ = ["Change", "Diff", "Mount", "Mounts", "Snapshot", "diff", "take"]

Process = Union[int, "Container", "Snapshot", None]


def pid_of(process: Any) -> int:
    """A pid, a container, or None for this process."""
    if process is None:
        return os.getpid()
    if isinstance(process, int) and not isinstance(process, bool):
        return process
    pid = getattr(process, "pid", None)
    if not isinstance(pid, int):
        raise TypeError(f"process: a pid or a Container is expected, not {type(process).__name__}")
    return pid


@dataclass(frozen=True, repr=False)
class Mount(Rich):
    """One line of mountinfo."""

    id: int
    parent: int
    device: str
    root: str
    target: str
    options: str
    propagation: str
    type: str
    source: str
    super_options: str

    def to_text(self) -> str:
        return f"{self.target}  {self.type}  {self.options}  {self.propagation}\n"


@dataclass(frozen=True, repr=False)
class Mounts(Rich):
    """A mount table as the tree that it is: each mount below the one that it lies on."""

    mounts: tuple[Mount, ...]

    def __iter__(self) -> Iterator[Mount]:
        return iter(self.mounts)

    def __len__(self) -> int:
        return len(self.mounts)

    def _walk(self) -> Iterator[tuple[int, Mount]]:
        below: dict[int, list[Mount]] = {}
        known = {mount.id for mount in self.mounts}
        for mount in self.mounts:
            below.setdefault(mount.parent if mount.parent != mount.id else 0, []).append(mount)
        waiting = [(0, mount) for mount in reversed(self.mounts) if mount.parent not in known or mount.parent == mount.id]
        while waiting:
            depth, mount = waiting.pop()
            yield depth, mount
            waiting += [(depth + 1, child) for child in reversed(below.get(mount.id, [])) if child is not mount]

    def to_text(self) -> str:
        lines = [("  " * depth + clean(mount.target), mount.type, mount.options, mount.propagation) for depth, mount in self._walk()]
        wide = min(max([len(line[0]) for line in lines] + [1]), 44)
        return "".join(f"{target:{wide}}  {kind:8}  {options:28}  {propagation}".rstrip() + "\n" for target, kind, options, propagation in lines)

    def to_html(self) -> str:
        rows = [[" " * 4 * depth + mount.target, mount.type, mount.options, mount.propagation, mount.source] for depth, mount in self._walk()]
        marks = [COLOURS["orange"] if "ro" in mount.options.split(",") else None for _, mount in self._walk()]
        return html_table(["mounted on", "type", "options (shaded: read-only)", "propagation", "source"], rows, marks)

    def summary(self) -> str:
        return f"{len(self)}"


@dataclass(frozen=True, repr=False)
class Snapshot(Rich):
    """Everything at one moment; `process`, `ids`, `security` and the others are as in `drydock facts --json`."""

    process: dict[str, Any]
    namespaces: dict[str, int]
    ids: dict[str, Any]
    security: dict[str, Any]
    cgroups: tuple[dict[str, Any], ...]
    rlimits: tuple[dict[str, Any], ...]
    network: dict[str, Any]
    mounts: tuple[Mount, ...]
    descriptors: tuple[dict[str, Any], ...]
    notes: tuple[dict[str, Any], ...]
    _core: _core.Snapshot | None = field(default=None, compare=False)

    @property
    def pid(self) -> int:
        return int(self.process["pid"])

    @property
    def mount_tree(self) -> Mounts:
        return Mounts(self.mounts)

    def rows(self) -> list[tuple[str, str, str]]:
        """Every fact as (group, name, value). Errors: none. Source: facts::rows.

        >>> import drydock
        >>> ("process", "pid") in [row[:2] for row in drydock.facts.take().rows()]
        True
        """
        assert self._core is not None
        return self._core.rows()

    def to_text(self) -> str:
        assert self._core is not None
        return self._core.text(96)

    def to_html(self) -> str:
        groups: dict[str, list[list[str]]] = {}
        for group, name, value in self.rows():
            groups.setdefault(group, []).append([name, value])
        return "".join(f"<details{' open' if group in ('process', 'namespaces') else ''}><summary><b>{escape(group)}</b> ({len(rows)})</summary>"
                       f"{html_table(['fact', 'value'], rows)}</details>" for group, rows in groups.items())

    def summary(self) -> str:
        return f"process {self.pid} ({clean(self.process['name'])})"


@dataclass(frozen=True, repr=False)
class Change(Rich):
    """A fact that differs; None where one side does not have it."""

    group: str
    name: str
    a: str | None
    b: str | None

    def to_text(self) -> str:
        return f"{self.group} {self.name}: {self.a or '-'} → {self.b or '-'}\n"


@dataclass(frozen=True, repr=False)
class Diff(Rich):
    """What is different about two processes; `same` counts the facts that are equal."""

    a: str
    b: str
    same: int
    changes: tuple[Change, ...]
    _core: _core.Diff | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def to_text(self) -> str:
        assert self._core is not None
        return self._core.text(96)

    def to_html(self) -> str:
        colours = [COLOURS["green"] if change.a is None else COLOURS["red"] if change.b is None else COLOURS["sky"] for change in self.changes]
        rows = [[change.group, change.name, change.a or "-", change.b or "-"] for change in self.changes]
        return html_table(["", "fact", self.a, self.b], rows, colours) + f"<div>{self.same} facts are the same</div>"

    def summary(self) -> str:
        return f"{len(self)} facts differ, {self.same} are the same"


def take(process: Process = None) -> Snapshot:
    """The facts of a process: a pid, a Container, or None for this interpreter.

    Errors: NoSuchProcess; what may not be read becomes a note. Source: facts::take; proc(5).

    >>> import drydock, os
    >>> drydock.facts.take().process["pid"] == os.getpid()
    True
    """
    if isinstance(process, Snapshot):
        return process
    taken = _core.take(pid_of(process))
    data = json.loads(taken.json())
    mounts = tuple(Mount(**mount) for mount in data["mounts"])
    rest = {name: tuple(data[name]) for name in ("cgroups", "rlimits", "descriptors", "notes")}
    return Snapshot(data["process"], data["namespaces"], data["ids"], data["security"], network=data["network"], mounts=mounts, **rest,
                    _core=taken)


def diff(a: Process, b: Process) -> Diff:
    """The facts that differ between two processes, containers or snapshots. Errors: NoSuchProcess. Source: facts::diff.

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
    ...     changed = {change.name for change in drydock.facts.diff(None, container) if change.group == "namespaces"}
    >>> sorted(changed)
    ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts']
    """
    first, second = take(a), take(b)
    assert first._core is not None and second._core is not None
    made = _core.diff(first._core, second._core)
    data = json.loads(made.json())
    return Diff(data["a"], data["b"], data["same"], tuple(Change(**change) for change in data["changes"]), made)
