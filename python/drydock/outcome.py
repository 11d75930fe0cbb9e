"""What is told about containers: how a program ended (Outcome), and what the ledger says about a container (Record).

Source: drydock::container::Outcome and Record (container/container.hpp).
"""
from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import _core
from .display import Rich, html_table, preformatted
from .errors import ProgramError, TimeoutExpired
from .plans import Timeline, timeline_of

__all__ = ["Outcome", "Record"]

OUTPUT_LIMIT = 1 << 20  # bytes kept of each stream, unless a call says otherwise


@dataclass(frozen=True, repr=False)
class Outcome(Rich):
    """How a program ended, and what it printed. `exit_code` is 128+n when signal n ended it; `duration_s` is seconds."""

    id: str
    exit_code: int
    out_of_memory: bool
    warnings: tuple[str, ...]
    stdout: str
    stderr: str
    duration_s: float
    left_out: int = 0  # bytes of output beyond the limit, which were not kept
    timeline: Timeline = field(default=Timeline(()), compare=False)

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    def check(self) -> Outcome:
        """Itself, when the program ended with 0. Errors: ProgramError otherwise. Source: docs, "Exit codes of run and exec".

        >>> import drydock
        >>> drydock.run("busybox", "echo hi", network="none").check().stdout
        'hi\\n'
        """
        if self.exit_code != 0:
            last = (self.stderr or self.stdout).strip().splitlines()[-3:]
            raise ProgramError("; ".join([self.words(), *last]), self)
        return self

    def json(self) -> Any:
        """What it printed, read as JSON: how values come out of a container. Errors: ValueError for other text. Source: json of Python.

        >>> import drydock
        >>> drydock.run_python("import json, os; print(json.dumps({'pid': os.getpid()}))", network="none").json()
        {'pid': 1}
        """
        return json.loads(self.stdout)

    def words(self) -> str:
        """The end in words.

        >>> import drydock
        >>> drydock.run("busybox", "sh -c 'exit 3'", network="none").words()
        'exited with 3'
        """
        if self.out_of_memory:
            return f"exited with {self.exit_code}: the kernel killed a process that wanted more than the memory limit"
        return f"exited with {self.exit_code}" + (f" (signal {self.exit_code - 128})" if self.exit_code > 128 else "")

    def to_text(self) -> str:
        rest = f"… {self.left_out} bytes more were not kept\n" if self.left_out else ""
        end = "" if self.ok else f"[{self.words()}]\n"
        return self.stdout + self.stderr + rest + "".join(f"warning: {line}\n" for line in self.warnings) + end

    def to_html(self) -> str:
        parts = [preformatted(self.stdout)]
        if self.stderr:
            parts.append(f'<div style="border-left:3px solid #D55E00;padding-left:6px">{preformatted(self.stderr)}</div>')
        said = [*(f"warning: {line}" for line in self.warnings), *([] if self.ok else [self.words()])]
        return "".join(parts) + (preformatted("\n".join(said)) if said else "")

    def summary(self) -> str:
        return f"{self.words()} after {self.duration_s:.3f} s, {len(self.stdout)} characters"


@dataclass(frozen=True, repr=False)
class Record(Rich):
    """What is known about a container, as `drydock inspect` shows it. Times are nanoseconds since 1970."""

    id: str
    name: str
    image: str
    image_id: str
    layers: tuple[str, ...]
    command: tuple[str, ...]
    status: str
    pid: int
    pid_start: int
    monitor: int
    created_ns: int
    started_ns: int
    finished_ns: int
    exit_code: int
    out_of_memory: bool
    address: str
    log_path: str
    ledger_path: str
    cgroups: tuple[str, ...]
    spec: dict[str, Any]

    def _rows(self) -> list[list[str]]:
        shown = {"id": self.id[:12], "name": self.name, "image": self.image, "command": " ".join(self.command), "status": self.status,
                 "pid": self.pid or "-", "exit code": self.exit_code if self.status == "exited" else "-", "address": self.address or "-",
                 "groups": "\n".join(self.cgroups)}
        return [[key, str(value)] for key, value in shown.items()]

    def to_text(self) -> str:
        return "".join(f"{key:10} {value}\n" for key, value in ((row[0], row[1].replace("\n", "\n" + " " * 11)) for row in self._rows()))

    def to_html(self) -> str:
        return html_table(["", ""], self._rows())


def record_of(fields: dict[str, Any]) -> Record:
    return Record(**{**fields, **{name: tuple(fields[name]) for name in ("layers", "command", "cgroups")}})


def decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def finish(program: _core.Program, code: int, begun: float) -> Outcome:
    return Outcome(program.id, code, program.out_of_memory(), tuple(program.warnings), decoded(program.output(1, 0)),
                   decoded(program.output(2, 0)), time.monotonic() - begun, program.left_out(1) + program.left_out(2), timeline_of(program))


def to_the_end(program: _core.Program, timeout: float | None, begun: float, watch: Callable[[int, bytes], None] | None = None) -> Outcome:
    """Waits; on a timeout or Ctrl-C the program is ended, and everything undone, before the exception goes on."""
    try:
        seen = [0, 0]
        code = None
        while code is None:
            left = None if timeout is None else max(timeout - (time.monotonic() - begun), 0)
            code = program.wait(left if watch is None else min(0.05, left if left is not None else 0.05))
            if watch is not None:
                for stream in (1, 2):
                    new = program.output(stream, seen[stream - 1])
                    seen[stream - 1] += len(new)
                    if new:
                        watch(stream, new)
            if code is None and left is not None and left <= 0:
                raise TimeoutExpired(f"the program did not end within {timeout:g} seconds; it was ended", reason="the time is up",
                                     remedy="give a larger timeout=")
        return finish(program, code, begun)
    finally:
        program.close()
