"""Calls that may have to start a process themselves, for an ordinary user: they are made in a fresh interpreter.

What a container of an ordinary user leaves belongs to other ids; root of a user namespace with the same map removes it. This
interpreter makes no such process; one that was spawned for it, and has nothing else to lose, does.
Source: docs/architecture.md, "Without root" and "The walk from an interpreter".
"""
from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import _core

CODE = """import json, pickle, sys
sys.path.insert(0, sys.argv[1])
from drydock import _core
try:
    said = ["done", getattr(_core, sys.argv[2])(*json.loads(sys.argv[3]))]
except Exception as error:
    said = ["failed", error]
sys.stdout.buffer.write(pickle.dumps(said))
"""


def apart(name: str, *arguments: Any) -> Any:
    """Calls _core.NAME: here for root, else in a fresh interpreter. Errors: those of the call. Source: subprocess of Python."""
    if os.geteuid() == 0:
        return getattr(_core, name)(*arguments)
    package = Path(__file__).absolute().parents[1]
    words = [sys.executable, "-B", "-c", CODE, str(package), name, json.dumps(arguments)]
    done, value = pickle.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout)
    if done == "failed":
        raise value
    return value
