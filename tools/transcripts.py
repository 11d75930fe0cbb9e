#!/usr/bin/env python3
"""Transcripts in handouts: fenced blocks that name their commands, compared with what the commands print now.

    ```console
    $ ch02-uts run pin
    pin: Does a bind mount keep ...
    ```

Words behind `console` say where it runs: `user` (without root), `v1` or `v2` (a machine whose control groups are of that
version). Each `$` line is a command for the shell; what follows it is its output. What varies is normalised by RULES and by
nothing else; a line is never ignored.

Example: tools/transcripts.py --write chapters/02-uts/README.md     records every transcript that this machine can run
         tools/transcripts.py --check chapters/02-uts/README.md     exit status 1 when one has changed
Source: docs/writing-chapters.md; tests/chapters/transcripts_test.py runs them on a played host named "host".
"""
import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import chapters

BLOCK = re.compile(r"^```console(?P<words>(?: [a-z0-9]+)*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
NOBODY = 65534
TIMEOUT = 120

# Forms of what varies, as chapters/shared/values.hpp prints them.
RULES = [
    (re.compile(r"\b4026\d{6}\b"), "<namespace>"),
    (re.compile(r"\bpid \d+\b"), "<pid>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:us|ms|s)\b"), "<time>"),
    (re.compile(r"\babout [\d.]+(?:e[+-]\d+)?"), "<about>"),
    (re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?:-[\w.+-]+)?(?![\d.])"), "<kernel>"),
]


@dataclass
class Command:
    line: str    # as typed
    output: str  # as recorded


@dataclass
class Transcript:
    words: list      # user, v1, v2
    commands: list
    start: int = 0   # of the body in the page
    end: int = 0


def parse(page):
    """Every transcript of a page."""
    found = []
    for block in BLOCK.finditer(page):
        commands = []
        for line in block["body"].splitlines(keepends=True):
            if line.startswith("$ "):
                commands.append(Command(line[2:].rstrip("\n"), ""))
            elif commands:
                commands[-1].output += line
            else:
                raise ValueError(f"a transcript begins with '$ command', not with {line!r}")
        found.append(Transcript(block["words"].split(), commands, block.start("body"), block.end("body")))
    return found


def normalised(text):
    """Columns are as wide as what stands in them, so blanks count once; lines are kept, one by one."""
    for pattern, word in RULES:
        text = pattern.sub(word, text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]


def cgroup_version():
    """"v2" when the whole tree is of version 2, else "v1"."""
    return "v2" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "v1"


def why_not_here(transcript):
    """Empty when this machine can run it, else the reason with what would enable it."""
    for word in ("v1", "v2"):
        if word in transcript.words and cgroup_version() != word:
            return f"it was recorded with cgroup {word}; " + ("./lab vm shell is a machine with v2" if word == "v2" else "a machine with v1 shows it")
    if os.geteuid() != 0:
        return "not root; run with sudo"
    return ""


def run(command, words=(), directory=chapters.BIN):
    """What the command prints, both streams together."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if "user" in words else {}
    # Nothing of whoever records it: a reader's environment is another one.
    environment = {"PATH": f"{directory}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                   **{name: value for name, value in os.environ.items() if name.startswith("DRYDOCK_")}}
    done = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=TIMEOUT, env=environment, cwd="/", **user)
    return done.stdout


def recorded(page, directory=chapters.BIN):
    """The page with the output of every transcript that this machine can run as it is now."""
    for transcript in reversed(parse(page)):
        if why_not_here(transcript):
            continue
        body = "".join(f"$ {command.line}\n{stripped(run(command.line, transcript.words, directory))}" for command in transcript.commands)
        page = page[:transcript.start] + body + page[transcript.end:]
    return page


def stripped(text):
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    parser.add_argument("pages", nargs="+", type=Path, metavar="README.md")
    options = parser.parse_args()
    sys.path.insert(0, str(chapters.ROOT / "tests" / "chapters"))
    import host  # a page is recorded on the same host that the test plays
    with host.Played() as played:
        changed = False
        for page in options.pages:
            before = page.read_text(encoding="utf-8")
            after = recorded(before, played.programs)
            changed = changed or [normalised(line) for line in before.splitlines()] != [normalised(line) for line in after.splitlines()]
            if options.write:
                page.write_text(after, encoding="utf-8")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
