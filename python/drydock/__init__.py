"""Drydock: containers, and how they are made.

>>> import drydock
>>> drydock.run("busybox", "echo hello", network="none").stdout
'hello\\n'

plan() shows every system call of a container, run() runs a program in one, Container holds one while you look into it,
facts.diff() says what the kernel sees differently about it. `%load_ext drydock` adds %%container and %facts to IPython.
Source: docs/architecture.md.
"""
from __future__ import annotations

import os as _os
from pathlib import Path as _Path
from typing import Any as _Any

from . import _core, cgroups, facts, image, namespaces, network, overlay
from ._core import __version__ as __version__
from .arguments import Options
from .container import Container
from .errors import AlreadyExists, Busy, Error, NoSuchProcess, NotFound, PermissionDenied, ProgramError, Skipped, TimeoutExpired, Unsupported
from .image import images
from .leftovers import leaks
from .machine import doctor, needs
from .outcome import Outcome, Record
from .plans import Plan, Timeline, plan
from .running import find, interpreter_mounts, list, remove, reset, run, run_python

__all__ = ["AlreadyExists", "Busy", "Container", "Error", "NoSuchProcess", "NotFound", "Options", "Outcome", "PermissionDenied", "Plan",
           "ProgramError", "Record", "Skipped", "TimeoutExpired", "Timeline", "Unsupported", "cgroups", "doctor", "facts", "find", "image", "images",
           "interpreter_mounts", "leaks", "list", "namespaces", "needs", "network", "overlay", "plan", "remove", "reset", "run", "run_python"]

# The monitor and the image tool came with the package; DRYDOCK_MONITOR names another one.
_core.set_programs(str((_Path(__file__).parent / "bin").absolute()))
# A child of fork shares no container: its copies of the handles are closed and refuse every call.
_os.register_at_fork(after_in_child=_core.after_fork_in_child)


def load_ipython_extension(shell: _Any) -> None:
    """%load_ext drydock."""
    from .magics import DrydockMagics
    shell.register_magics(DrydockMagics)
