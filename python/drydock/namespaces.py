"""Namespaces: which ones a process is in, which it shares with another, and the tree of all of them.

Two processes share a namespace when the inode numbers of their /proc/PID/ns files are equal.
Source: drydock::namespaces (namespaces/kinds.hpp); namespaces(7), ioctl_ns(2).
"""
from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _core
from .display import COLOURS, Listing, Rich, clean, html_table, text_table
from .facts import Process, pid_of

__all__ = ["Comparison", "KindInfo", "Namespaces", "Node", "Tree", "compare", "kinds", "of", "tree"]

NS_GET_PARENT = 0xB702  # ioctl_ns(2): a descriptor of the namespace above; nothing is entered


@dataclass(frozen=True, repr=False)
class KindInfo(Rich):
    """One of the eight kinds; `flag` is for clone(2)."""

    name: str
    flag: int
    isolates: str
    since: str

    def to_text(self) -> str:
        return f"{self.name}: {self.isolates} (Linux {self.since})\n"


def kinds() -> Listing[KindInfo]:
    """The eight kinds of namespaces. Errors: none. Source: namespaces::all_kinds; namespaces(7).

    >>> import drydock
    >>> [kind.name for kind in drydock.namespaces.kinds()]
    ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup', 'time']
    """
    return Listing([KindInfo(**fields) for fields in _core.kinds()], {"KIND": "name", "ISOLATES": "isolates", "SINCE LINUX": "since"})


def kinds_named(ns: str) -> tuple[str, ...]:
    """"pid,mnt" or "all" as the kernel's names. Errors: ValueError."""
    if not isinstance(ns, str):
        raise TypeError(f"ns: text such as 'pid,mnt' is expected, not {type(ns).__name__}")
    if ns == "all":
        return tuple(kind.name for kind in kinds())
    names = []
    for word in ns.split(","):
        name = _core.kind_named(word.strip())
        if name is None:
            raise ValueError(f"ns={ns!r}: there is no kind {word.strip()!r}; choose from {', '.join(kind.name for kind in kinds())}, or 'all'")
        names.append(name)
    return tuple(names)


@dataclass(frozen=True, repr=False)
class Namespaces(Rich):
    """The namespaces of one process: kind → inode number."""

    pid: int
    ids: Mapping[str, int]

    def __getitem__(self, kind: str) -> int:
        return self.ids[kinds_named(kind)[0]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def _rows(self) -> list[list[str]]:
        own = _core.ids_of(os.getpid())
        return [[kind, str(number), "shared with this process" if own.get(kind) == number else "its own"] for kind, number in self.ids.items()]

    def to_text(self) -> str:
        return text_table(["KIND", "NUMBER", ""], self._rows())

    def to_html(self) -> str:
        rows = self._rows()
        return html_table(["kind", "number", ""], rows, [None if row[2].startswith("shared") else COLOURS["orange"] for row in rows])

    def summary(self) -> str:
        return f"process {self.pid}"


def of(process: Process = None) -> Namespaces:
    """The namespaces of a pid, a Container, or (None) this interpreter. Errors: none; one that is gone has none.
    Source: namespaces::ids_of.

    >>> import drydock, os
    >>> drydock.namespaces.of()["uts"] == os.stat("/proc/self/ns/uts").st_ino
    True
    """
    pid = pid_of(process)
    return Namespaces(pid, _core.ids_of(pid))


@dataclass(frozen=True, repr=False)
class Comparison(Rich):
    """Two processes side by side; `shared` and `different` are names of kinds."""

    a: Namespaces
    b: Namespaces
    kinds: tuple[str, ...]

    @property
    def shared(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.kinds if self.a.ids.get(kind) == self.b.ids.get(kind))

    @property
    def different(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.kinds if kind not in self.shared)

    def _rows(self) -> list[list[str]]:
        return [[kind, str(self.a.ids.get(kind, "-")), str(self.b.ids.get(kind, "-")), "same" if kind in self.shared else "different"]
                for kind in self.kinds]

    def to_text(self) -> str:
        return text_table(["KIND", f"PROCESS {self.a.pid}", f"PROCESS {self.b.pid}", ""], self._rows())

    def to_html(self) -> str:
        rows = self._rows()
        return html_table(["kind", f"process {self.a.pid}", f"process {self.b.pid}", ""], rows,
                          [COLOURS["orange"] if row[3] == "different" else None for row in rows])

    def summary(self) -> str:
        return f"different {', '.join(self.different) or 'nothing'}"


def compare(a: Process, b: Process, ns: str = "all") -> Comparison:
    """Which namespaces two processes share. `ns`: only these kinds, "pid,mnt". Errors: ValueError for an unknown kind.
    Source: namespaces(7).

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="host") as container:
    ...     drydock.namespaces.compare(None, container, ns="net,pid").shared
    ('net',)
    """
    return Comparison(of(a), of(b), kinds_named(ns))


@dataclass(frozen=True, repr=False)
class Node(Rich):
    """One namespace: its number, who is in it, and what lies below it (pid and user namespaces are nested)."""

    kind: str
    number: int
    processes: tuple[tuple[int, str], ...]
    below: tuple[Node, ...] = field(default=())

    def lines(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """Itself and all below it, with the depth of each.

        >>> len(list(Node("pid", 1, ()).lines()))
        1
        """
        yield depth, self
        for node in self.below:
            yield from node.lines(depth + 1)

    def words(self) -> str:
        """Who is in it.

        >>> Node("pid", 1, ((7, "init"),)).words()
        'init 7'
        """
        shown = ", ".join(f"{clean(name)} {pid}" for pid, name in self.processes[:3])
        more = f" and {len(self.processes) - 3} more" if len(self.processes) > 3 else ""
        return shown + more

    def to_text(self) -> str:
        return "".join(f"{'  ' * depth}{node.kind}:[{node.number}]  {node.words()}\n" for depth, node in self.lines())


@dataclass(frozen=True, repr=False)
class Tree(Rich):
    """All namespaces of a few kinds that processes are in."""

    roots: tuple[Node, ...]

    def _lines(self) -> list[tuple[int, Node]]:
        return [line for root in self.roots for line in root.lines()]

    def to_text(self) -> str:
        return "".join(root.to_text() for root in self.roots)

    def to_html(self) -> str:
        rows = [[" " * 4 * depth + f"{node.kind}:[{node.number}]", str(len(node.processes)), node.words()] for depth, node in self._lines()]
        return html_table(["namespace", "processes", "who"], rows, [COLOURS["sky"] if depth else None for depth, _ in self._lines()])

    def summary(self) -> str:
        return f"{len(self._lines())} namespaces"


def tree(ns: str = "pid", process: Process = None) -> Tree:
    """The namespaces of all processes that this user may see; with `process`, only those that it is in.

    Errors: ValueError for an unknown kind. Source: ioctl_ns(2) (NS_GET_PARENT), proc_pid_ns(5).

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
    ...     numbers = [node.number for root in drydock.namespaces.tree("pid").roots for _, node in root.lines()]
    ...     container.namespaces["pid"] in numbers
    True
    """
    only = pid_of(process) if process is not None else None
    return Tree(tuple(root for kind in kinds_named(ns) for root in _roots(kind, only)))


def _processes() -> Iterator[tuple[int, str]]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as file:
                    yield int(entry), file.read().rstrip("\n")
            except OSError:
                continue  # it ended while we looked


def _parent(path: str) -> int | None:
    """The number of the namespace above; None for the topmost, one out of sight, and kinds that are not nested."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        above = fcntl.ioctl(descriptor, NS_GET_PARENT)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    try:
        return os.fstat(above).st_ino
    finally:
        os.close(above)


def _roots(kind: str, only: int | None) -> list[Node]:
    members: dict[int, list[tuple[int, str]]] = {}
    for pid, name in _processes():
        number = _core.ids_of(pid).get(kind) if only is None or pid == only else None
        if number is not None:
            members.setdefault(number, []).append((pid, name))
    above: dict[int, Any] = {number: _parent(f"/proc/{who[0][0]}/ns/{kind}") for number, who in members.items()}

    def node(number: int) -> Node:
        below = tuple(node(child) for child, parent in sorted(above.items()) if parent == number)
        return Node(kind, number, tuple(sorted(members[number])), below)

    return [node(number) for number, parent in sorted(above.items()) if parent not in members]
