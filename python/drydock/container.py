"""A container that is held while one looks into it.

The interpreter never forks, clones or enters a namespace: drydock-monitor does, and it ends the container and undoes everything
as soon as this process is gone, however it went. Waiting releases the interpreter's lock and hears Ctrl-C.
Source: docs/architecture.md, "The walk of one run"; drydock::container::Engine (container/container.hpp).
"""
from __future__ import annotations

import time
import weakref
from pathlib import Path
from typing import Any, Unpack

from . import _core
from .apart import apart
from .arguments import Command, Options, bytes_of, seconds_of, spec_of, with_options, words_of
from .cgroups import Group
from .display import preformatted
from .errors import Error, TimeoutExpired
from .facts import Mounts, Snapshot, take
from .leftovers import remember
from .namespaces import Namespaces, of
from .outcome import OUTPUT_LIMIT, Outcome, Record, decoded, record_of, to_the_end
from .overlay import Changes, LayerStack, changes, stack_of
from .plans import Timeline, timeline_of

__all__ = ["Container"]


class Container:
    """A running container of this interpreter: made by the constructor, ended by close() or the end of `with`.

    With `detach=True` it outlives the interpreter, and `drydock logs` keeps its output; find() gives such a one again.
    Errors: Error with step, call and remedy; nothing is left when one is raised. Source: Engine::start.

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none", memory="64M") as container:
    ...     print(container.exec("cat /proc/1/comm").stdout.strip(), container.status)
    sleep running
    """

    @with_options
    def __init__(self, image: str = "busybox", command: Command = (), *, input: bytes | str | None = None, detach: bool = False,
                 output_limit: int = OUTPUT_LIMIT, inject: str = "", **options: Unpack[Options]) -> None:
        spec = spec_of(image, command, options, detach)
        if detach:
            self._attach(_core.start_detached(spec), None)
        else:
            self._own(spec, input, output_limit, inject)

    def _own(self, spec: _core.Spec, input: bytes | str | None, limit: int, inject: str = "") -> None:
        self._begun = time.monotonic()
        program = remember(_core.start(spec, bytes_of(input), limit, inject))
        self._attach(program.id, program)
        # Also when the name is forgotten, and before the interpreter ends.
        self._finalizer = weakref.finalize(self, _close_quietly, program)

    def _attach(self, id: str, program: _core.Program | None) -> None:
        self._id, self._program = id, program
        self._last: Record | None = None

    @classmethod
    def _started(cls, spec: _core.Spec, input: bytes | str | None = None) -> Container:
        made = cls.__new__(cls)
        made._own(spec, input, OUTPUT_LIMIT)
        return made

    @classmethod
    def _found(cls, id: str) -> Container:
        made = cls.__new__(cls)
        made._attach(id, None)
        return made

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Container {self._id[:12]}: {self.status}>"

    # --- what it is -------------------------------------------------------------------------------------------
    @property
    def id(self) -> str:
        return self._id

    @property
    def record(self) -> Record:
        """What the ledger says now, or said last. Errors: NotFound when it never said anything. Source: Engine::find."""
        try:
            self._last = record_of(_core.find(self._id))
        except Error:
            if self._last is None:
                raise
        return self._last

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def pid(self) -> int:
        """Of process 1 of the container, as this process sees it. Errors: Error when it does not run. Source: proc(5)."""
        return self._running().pid

    def _running(self) -> Record:
        if not self.running:
            raise Error(f"container {self._id[:12]}: it is not running", reason="it is not running", remedy="start a new one")
        return self.record

    @property
    def running(self) -> bool:
        return self.status in ("running", "frozen")

    @property
    def status(self) -> str:
        """"running", "frozen", "exited" or "removed". Source: drydock::container::Status."""
        if self._program is not None and self._program.wait(0) is not None:
            return "exited"
        try:
            return str(_core.find(self._id)["status"])
        except Error:
            return "removed"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was asked for and cannot be enforced on this machine. Source: Plan::warnings."""
        return tuple(self._program.warnings) if self._program else ()

    @property
    def facts(self) -> Snapshot:
        """What the kernel says about its process 1. Source: facts::take."""
        return take(self.pid)

    @property
    def namespaces(self) -> Namespaces:
        """Its namespaces, by inode number. Source: namespaces::ids_of."""
        return of(self.pid)

    @property
    def cgroup(self) -> Group:
        """Its control groups: usage, events, limits. Source: cgroups::Group."""
        return Group(self.record.cgroups)

    @property
    def mounts(self) -> Mounts:
        """Its mount table as a tree. Source: proc_pid_mountinfo(5)."""
        return self.facts.mount_tree

    @property
    def layers(self) -> LayerStack:
        """The directories that its root is stacked from, with their sizes in bytes. Source: overlay::Stack."""
        return stack_of(self.record.layers, self._upper())

    @property
    def timeline(self) -> Timeline:
        """Where the microseconds of its start went. Errors: Error for a container that another process started. Source: plan::trace."""
        return timeline_of(self._own_program("its timeline"))

    def changes(self) -> Changes:
        """What it changed in its root, compared with the image. Errors: PermissionDenied without root. Source: docker-diff(1).

        >>> import drydock
        >>> with drydock.Container("busybox", "sh -c 'echo x > /new; sleep 60'", network="none") as container:
        ...     while not container.changes(): pass
        ...     print(container.changes())
        added     /new
        <BLANKLINE>
        """
        record = self.record
        # Files that only exist to be mounted on.
        targets = {"/etc/hosts", "/etc/resolv.conf", "/etc/hostname", *(mount["target"] for mount in record.spec["mounts"])}
        return Changes(tuple(change for change in changes(self._upper(), record.layers) if change.path not in targets))

    def _upper(self) -> Path:
        return Path(_core.paths()["data"]) / "upper" / self._id

    def _own_program(self, what: str) -> _core.Program:
        if self._program is None:
            raise Error(f"container {self._id[:12]}: {what} belongs to the process that started it", reason="it was not started here",
                        remedy="drydock run --timeline and drydock logs show it elsewhere")
        return self._program

    # --- what it does ------------------------------------------------------------------------------------------
    @property
    def output(self) -> str:
        """What it has printed so far on standard output. Source: pipe(7)."""
        return "".join(text for stream, text in self._pieces() if stream == 1)

    def logs(self, tail: int | None = None) -> str:
        """Everything it has printed so far; `tail`: only that many lines. Standard error comes behind standard output.

        Errors: Error when its output went elsewhere. Source: Engine::logs.

        >>> import drydock
        >>> with drydock.Container("busybox", "echo hello", network="none") as container:
        ...     _ = container.wait()
        ...     container.logs()
        'hello\\n'
        """
        text = "".join(text for _, text in self._pieces())
        return text if tail is None else "".join(text.splitlines(keepends=True)[-tail:] if tail > 0 else [])

    def _pieces(self) -> list[tuple[int, str]]:
        if self._program is not None:
            return [(stream, decoded(self._program.output(stream, 0))) for stream in (1, 2)]
        return [(stream, decoded(text)) for stream, text in _core.logs(self._id, None, False)]

    def exec(self, command: Command, *, input: bytes | str | None = None, timeout: float | None = None, env: Any = None,
             user: str | int | None = None, working_directory: str | Path | None = None, privileged: bool = False,
             output_limit: int = OUTPUT_LIMIT) -> Outcome:
        """One more program in this container, to its end. `timeout`: seconds, after which that program is ended.

        Errors: NotFound when the program is not there, TimeoutExpired, Error when the container is frozen or gone.
        Source: Engine::exec; setns(2).

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
        ...     container.exec(["sh", "-c", "exit 3"]).exit_code
        3
        """
        begun, limit = time.monotonic(), seconds_of("timeout", timeout)
        options = {"env": env, "user": user, "working_directory": working_directory, "privileged": privileged}
        program = _core.start_exec(self._id, words_of(command), options, bytes_of(input), output_limit)
        return to_the_end(program, limit, begun)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once the program has ended and everything is undone. `timeout`: seconds.

        Errors: TimeoutExpired (the container goes on). Ctrl-C ends the waiting, not the container. Source: Engine::wait.

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
        ...     try: container.wait(timeout=0.05)
        ...     except drydock.TimeoutExpired as error: print(error.reason)
        the time is up
        """
        limit = seconds_of("timeout", timeout)
        code = self._program.wait(limit) if self._program is not None else _core.wait(self._id, limit)
        if code is None:
            raise TimeoutExpired(f"container {self._id[:12]} has not ended within {timeout:g} seconds", reason="the time is up",
                                 remedy="wait longer, or stop() it")
        return code

    def signal(self, signal: str | int = "TERM") -> None:
        """Sends a signal to process 1: "TERM", "SIGUSR1", 9. A process 1 without a handler takes no notice, except of KILL.

        Errors: ValueError for no signal, Error when it does not run. Source: Engine::kill; pid_namespaces(7).

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
        ...     container.signal("KILL")
        ...     container.wait()
        137
        """
        number = _core.signal_number(str(signal))
        _core.kill(self._running().id, number)

    kill = signal

    def stop(self, timeout: float = 10) -> int:
        """SIGTERM, and SIGKILL when it has not ended after `timeout` seconds; the exit code.

        Errors: none for one that has ended. Source: Engine::stop.

        >>> import drydock
        >>> with drydock.Container("busybox", "sh -c 'trap \\"exit 4\\" TERM; while :; do sleep 0.05; done'", network="none") as container:
        ...     _ = container.exec("sleep 0.2")
        ...     container.stop()
        4
        """
        for signal, limit in (("TERM", timeout), ("KILL", None)):
            try:
                if self.running:
                    if self.status == "frozen":
                        self.thaw()
                    self.signal(signal)
                return self.wait(limit)
            except TimeoutExpired:
                continue
        raise AssertionError("unreachable: SIGKILL has no limit")

    def freeze(self) -> None:
        """Every process stands still until thaw(). Errors: Error when no hierarchy can. Source: cgroups::Group::freeze.

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
        ...     container.freeze()
        ...     print(container.status)
        ...     container.thaw()
        frozen
        """
        self.cgroup.freeze()

    def thaw(self) -> None:
        """Undoes freeze(). Errors: Error when no hierarchy can. Source: cgroups::Group::thaw.

        >>> import drydock
        >>> with drydock.Container("busybox", "sleep 60", network="none") as container:
        ...     container.freeze(); container.thaw()
        ...     container.status
        'running'
        """
        self.cgroup.thaw()

    def close(self) -> None:
        """Ends it (SIGKILL) unless it is detached, and waits until everything is undone. May be called twice.

        Errors: none. Source: plan::Launch::~Launch.

        >>> import drydock
        >>> container = drydock.Container("busybox", "sleep 60", network="none")
        >>> container.close()
        >>> container.status
        'exited'
        """
        if self._program is not None:
            self._program.close()

    def remove(self, force: bool = False) -> None:
        """Removes a detached container that has ended, with its files and log; `force` ends it first.

        Errors: Error when it runs. Source: Engine::remove.

        >>> import drydock
        >>> container = drydock.Container("busybox", "sleep 60", network="none", detach=True)
        >>> container.remove(force=True)
        >>> container.status
        'removed'
        """
        self.close()
        if self._program is None:
            apart("remove", self._id, force)

    def to_dict(self) -> dict[str, Any]:
        return self.record.to_dict()

    def __str__(self) -> str:
        return self.record.to_text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        return self.record.to_html() if self.running else preformatted(repr(self))


def _close_quietly(program: _core.Program) -> None:
    try:
        program.close()
    except (OSError, RuntimeError):  # after a fork it is the parent's
        pass
