"""Programs in containers from one call: run() and run_python(); and the containers of this machine: find(), list(), remove(), reset().

Source: drydock::container::Engine (container/container.hpp).
"""
from __future__ import annotations

import inspect
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, List, Unpack  # List: the name list is a function here

from . import _core
from .apart import apart
from .arguments import Command, Options, bytes_of, seconds_of, spec_of, with_options
from .container import Container
from .display import Listing
from .leftovers import remember
from .outcome import OUTPUT_LIMIT, Outcome, Record, record_of, to_the_end

__all__ = ["find", "interpreter_mounts", "list", "remove", "reset", "run", "run_python"]


@with_options
def run(image: str = "busybox", command: Command = (), *, input: bytes | str | None = None, timeout: float | None = None,
        check: bool = False, output_limit: int = OUTPUT_LIMIT, inject: str = "",
        on_output: Callable[[int, bytes], None] | None = None, **options: Unpack[Options]) -> Outcome:
    """A program in a new container, to its end; then nothing is left of it.

    `timeout`: seconds; `output_limit`: bytes kept of each stream; `check`: raise ProgramError for another status than 0;
    `on_output(stream, bytes)` is called while it runs; `inject`: "STEP=ERRNO" fails that step, to see what happens.
    Errors: Error of the step that failed, NotFound for no such program, TimeoutExpired, ProgramError; Ctrl-C ends the container.
    Source: Engine::run.

    >>> import drydock
    >>> drydock.run("busybox", "hostname", hostname="dock", network="none").stdout
    'dock\\n'
    """
    begun, limit = time.monotonic(), seconds_of("timeout", timeout)
    program = remember(_core.start(spec_of(image, command, options), bytes_of(input), output_limit, inject))
    outcome = to_the_end(program, limit, begun, on_output)
    return outcome.check() if check else outcome


@with_options
def run_python(source: str | Callable[[], Any], *, image: str = "busybox", timeout: float | None = None, check: bool = True,
               output_limit: int = OUTPUT_LIMIT, on_output: Callable[[int, bytes], None] | None = None, **options: Unpack[Options]) -> Outcome:
    """Python code in a fresh interpreter inside a container: this machine's own, mounted read-only. A function is sent as its
    source, so it sees nothing of the notebook; what it prints comes back.

    `timeout`: seconds. Errors: as run(); ProgramError when the code raises. Source: design of docs/architecture.md: no code of
    this interpreter ever runs between clone and exec.

    >>> import drydock
    >>> drydock.run_python("import os; print(os.getpid(), os.uname().nodename)", hostname="dock", network="none").stdout
    '1 dock\\n'
    """
    if callable(source):
        body = textwrap.dedent(inspect.getsource(source))
        source = f"{body}\n{source.__name__}()\n"
    if not isinstance(source, str):
        raise TypeError(f"source: text or a function is expected, not {type(source).__name__}")
    values: dict[str, Any] = {**options, "mounts": [*interpreter_mounts(), *_as_list(options.get("mounts"))]}
    begun = time.monotonic()
    words = [str(Path(sys.executable).resolve()), "-I", "-"]
    program = remember(_core.start(spec_of(image, words, values), source.encode(), output_limit, ""))
    outcome = to_the_end(program, seconds_of("timeout", timeout), begun, on_output)
    return outcome.check() if check else outcome


def interpreter_mounts() -> List[str]:
    """What run_python() mounts: this machine's Python with its libraries, read-only. For a Container whose program is Python.

    Errors: none. Source: hier(7).

    >>> import drydock, sys, os
    >>> words = [os.path.realpath(sys.executable), "-I", "-c", "print(6 * 7)"]
    >>> drydock.run("busybox", words, network="none", mounts=drydock.interpreter_mounts()).stdout
    '42\\n'
    """
    places = [Path("/usr"), Path("/lib"), Path("/lib64")]
    prefix = Path(sys.base_prefix).resolve()
    if not prefix.is_relative_to("/usr"):
        places.append(prefix)
    return [f"{place}:{place}:ro" for place in places if place.exists()]


def _as_list(value: Any) -> List[Any]:
    return [] if value is None else [value] if isinstance(value, (str, Path)) else [*value]


def find(container: str) -> Container:
    """A container by name, id, or the beginning of its id. Errors: NotFound. Source: Engine::find.

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none", name="found") as container:
    ...     drydock.find("found").id == container.id
    True
    """
    if not isinstance(container, str):
        raise TypeError(f"container: a name or id is expected, not {type(container).__name__}")
    return Container._found(str(_core.find(container)["id"]))


def list(all: bool = False) -> Listing[Record]:
    """The containers of this host, newest first; `all`: also those that have ended. Errors: none. Source: Engine::list.

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none", name="listed"):
    ...     print(any(record.name == "listed" for record in drydock.list()))
    True
    """
    records = [record_of(fields) for fields in _core.containers(all)]
    return Listing(records, {"NAME": "name", "IMAGE": "image", "STATUS": "status", "PID": "pid", "ADDRESS": "address"})


def remove(container: str, force: bool = False) -> None:
    """Removes a container that has ended, with its files and log. Errors: NotFound; Error when it runs. Source: Engine::remove.

    >>> import drydock
    >>> drydock.remove(drydock.Container("busybox", "sleep 60", network="none", detach=True).id, force=True)
    """
    apart("remove", container, force)


def reset(all: bool = False) -> tuple[str, ...]:
    """Undoes what killed monitors left behind; with `all` ends running containers too. What was done, a line each.

    Errors: Error when something cannot be removed; it may be called again. Source: Engine::reset.

    >>> import drydock
    >>> drydock.reset() == ()
    True
    """
    return tuple(apart("reset", all))
