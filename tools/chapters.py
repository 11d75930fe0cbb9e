"""The chapter programs, as tools and tests see them: where they are, and what they say about themselves.

Example: for program in built(): print(listing(program)["idea"])
Source: docs/writing-chapters.md.
"""
import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(os.environ.get("DRYDOCK_BIN_DIR", ROOT / "build" / "release" / "bin"))


def folders():
    """Chapters with a program, in order: chapters/02-uts."""
    return sorted(path.parent for path in (ROOT / "chapters").glob("[0-9]*/demo.cpp"))


def program_of(folder):
    return BIN / f"ch{folder.name}"


def built():
    return [program_of(folder) for folder in folders() if program_of(folder).exists()]


def not_built():
    return [program_of(folder).name for folder in folders() if not program_of(folder).exists()]


def listing(program):
    """--list --json: chapter, name, program, idea, experiments, not_shown."""
    return json.loads(subprocess.run([program, "--list", "--json"], check=True, capture_output=True, text=True, timeout=30).stdout)


def plan(program):
    """--plan --json: steps in order, and what the chapter declares."""
    return json.loads(subprocess.run([program, "--plan", "--json"], check=True, capture_output=True, text=True, timeout=30).stdout)


def number_of(program):
    return int(re.match(r"ch(\d+)-", Path(program).name).group(1))
