"""What goes wrong, as exceptions: one class for each kind of errno, each with the step, the call and the remedy.

Source: drydock::Error (kernel/error.hpp); errno(3).
"""
from __future__ import annotations

import errno as _errno
from typing import Any

__all__ = ["Error", "PermissionDenied", "NotFound", "AlreadyExists", "NoSuchProcess", "Busy", "Unsupported", "TimeoutExpired", "ProgramError", "Skipped"]


class Error(OSError):
    """A call of the kernel failed, or Drydock refuses; whatever was made for it is undone.

    `call` and `arguments` are what was attempted, `step` the step of the launch plan ("" outside a plan), `reason` why it failed,
    `remedy` what to do. `errno` is None when the kernel was not asked.

    Errors: none. Source: drydock::Error.

    >>> import drydock
    >>> try:
    ...     drydock.find("nobody-has-this-name")
    ... except drydock.Error as error:
    ...     print(error.reason)
    there is none with that name or id on this host
    """

    call: str
    arguments: str
    step: str
    reason: str
    remedy: str

    def __init__(self, message: str, *, code: int = 0, call: str = "", arguments: str = "", step: str = "", reason: str = "",
                 remedy: str = "") -> None:
        super().__init__(code or None, message)
        self.call, self.arguments, self.step, self.reason, self.remedy = call, arguments, step, reason, remedy

    def __str__(self) -> str:
        return str(self.strerror)

    def __reduce__(self) -> Any:
        return _restored, (type(self), str(self), {**self.__dict__, "code": self.errno or 0})

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the way through the bindings tells nobody anything."""
        lines = [f"{type(self).__name__}: {self}"]
        if self.step:
            lines.append(f"  step    {self.step}")
        if self.remedy and self.remedy not in str(self):
            lines.append(f"  remedy  {self.remedy}")
        return lines


class PermissionDenied(Error, PermissionError):
    """EPERM or EACCES: this user may not do that."""


class NotFound(Error, FileNotFoundError):
    """ENOENT: a file, program, image or container is not there."""


class AlreadyExists(Error, FileExistsError):
    """EEXIST: the name is taken."""


class NoSuchProcess(Error, ProcessLookupError):
    """ESRCH: the process has ended."""


class Busy(Error):
    """EBUSY: somebody else uses it."""


class Unsupported(Error):
    """ENOSYS, EOPNOTSUPP, ENODEV, EINVAL of a call: this kernel cannot do that."""


class TimeoutExpired(Error, TimeoutError):
    """The time is up; what was waited for goes on."""


class ProgramError(Error):
    """A program ended with another status than 0; `outcome` says how. Raised by Outcome.check() and by %%container."""

    def __init__(self, message: str, outcome: Any = None, **parts: Any) -> None:
        super().__init__(message, **parts)
        self.outcome = outcome


class Skipped(Error):
    """A notebook cannot run on this machine; says what is missing. Raised by needs()."""


_CLASSES: dict[int, type[Error]] = {
    _errno.EPERM: PermissionDenied, _errno.EACCES: PermissionDenied, _errno.ENOENT: NotFound, _errno.EEXIST: AlreadyExists,
    _errno.ESRCH: NoSuchProcess, _errno.EBUSY: Busy, _errno.ETIMEDOUT: TimeoutExpired, _errno.ENOSYS: Unsupported,
    _errno.EOPNOTSUPP: Unsupported, _errno.ENODEV: Unsupported,
}


def _restored(kind: type[Error], message: str, parts: dict[str, Any]) -> Error:
    return kind(message, **parts)


def from_parts(call: str, arguments: str, code: int, step: str, reason: str, remedy: str, message: str) -> Error:
    """The exception for a drydock::Error; called by the bindings."""
    missing = code == 0 and reason.startswith(("there is none", "no such"))
    kind = _CLASSES[_errno.ENOENT] if missing else _CLASSES.get(code, Error)
    return kind(message, code=code, call=call, arguments=arguments, step=step, reason=reason, remedy=remedy)
