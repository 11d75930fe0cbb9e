"""Whether the containers of this interpreter left anything: the last question of every notebook.

Source: docs/architecture.md, "No leftovers"; proc(5), cgroups(7).
"""
from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from . import _core
from .display import Rich

__all__ = ["Leaks", "leaks"]

_ids: list[str] = []  # of every container that this interpreter started and that is not meant to outlive it


def remember(program: _core.Program) -> _core.Program:
    _ids.append(program.id)
    return program


@dataclass(frozen=True, repr=False)
class Leaks(Rich):
    """What is still there, a line each; empty when nothing is, and then false. `containers`: how many were looked for."""

    containers: int
    found: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.found)

    def to_text(self) -> str:
        return "".join(f"{line}\n" for line in self.found) or f"nothing is left of {self.containers} containers\n"


def _children() -> list[str]:
    return [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


def _name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""  # it has ended


def _look(ids: list[str]) -> tuple[str, ...]:
    places = _core.paths()
    groups = [place["mount"] for place in _core.layout()["places"]] + [_core.layout()["cgroup2"]]
    parents = {Path(group) for group in groups if group}
    links = {name for _, name in socket.if_nameindex()}
    found = [f"process {pid} (drydock-monitor)" for pid in _children() if _name(pid) == "drydock-monitor"]
    for id in ids:
        found += [f"control group {path}" for parent in parents for path in parent.glob(f"drydock-{id[:16]}*")]
        found += [f"files {path}" for path in Path(places["data"]).glob(f"*/{id}*")]
        found += [f"ledger {path}" for path in Path(places["state"]).glob(f"*/ledgers/{id}")]
        found += [f"link {name}" for name in links if name == f"drydock{id[:8]}"]
    return tuple(found)


def leaks(patience: float = 1.0) -> Leaks:
    """Looks for what containers of this interpreter left behind once they ended: processes, groups, files, ledgers, links.

    `patience`: seconds for what the kernel removes a moment later. A container that still runs counts as left.
    Errors: none. Source: docs/architecture.md, "No leftovers".

    >>> import drydock
    >>> _ = drydock.run("busybox", "true", network="none")
    >>> drydock.leaks().found
    ()
    """
    end = time.monotonic() + patience
    while True:
        found = _look(_ids)
        if not found or time.monotonic() >= end:
            return Leaks(len(_ids), found)
        time.sleep(0.02)
