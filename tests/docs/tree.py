"""The source tree as the tests of this folder see it.

Example: for path in tree.sources("src"): ...
"""
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "drydock"
CODE = (".cpp", ".hpp", ".py", ".sh")
# Where programs of this build are; ctest and ./lab set it.
BIN = Path(os.environ.get("DRYDOCK_BIN_DIR", ROOT / "build" / "release" / "bin"))

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def sources(*folders, suffixes=CODE):
    """Files with one of `suffixes` below `folders` (relative to the root), sorted; build output and caches left out."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "__pycache__" not in path.parts:
                found.append(path)
    return found


def name(path):
    return str(path.relative_to(ROOT))


def includes(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def core_folders():
    return sorted(path.name for path in CORE.iterdir() if path.is_dir() and any(path.iterdir()))


def without_comments(text):
    """C++ without comments; string literals become "" so that words in messages are not taken for code."""
    return COMMENT.sub(lambda match: '""' if match.group().startswith('"') else " ", text)
