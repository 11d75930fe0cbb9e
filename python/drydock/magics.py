"""What `%load_ext drydock` adds to IPython: %%container runs a cell in a container, %facts shows what the kernel says, %lab is the course's tool.

Source: "Defining custom magics" of IPython's documentation; the flags are those of `drydock run`.
"""
from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from . import facts as kernel_facts
from .arguments import Options
from .container import Container
from .display import Rich
from .errors import NotFound
from .outcome import Outcome
from .running import find, run, run_python

FLAGS = ("init", "read_only", "privileged", "no_new_privileges")
MANY = ("env", "mounts", "tmpfs", "labels", "read_bps", "write_bps", "read_iops", "write_iops", "dns", "hosts", "ports", "cap_add",
        "cap_drop", "ulimits")
# As `drydock run` calls them, where that is not the argument's own name with dashes.
COMMAND_LINE = {"memory": ["-m"], "pids": ["--pids-limit"], "ports": ["-p", "--publish"], "env": ["-e"], "mounts": ["-v", "--volume"],
                "working_directory": ["-w", "--workdir"], "user": ["-u"], "network": ["--net"], "address": ["--ip"], "hosts": ["--add-host"],
                "ulimits": ["--ulimit"], "labels": ["-l", "--label"], "cpu_shares": ["-c"], "read_bps": ["--device-read-bps"],
                "write_bps": ["--device-write-bps"], "read_iops": ["--device-read-iops"], "write_iops": ["--device-write-iops"]}
INTERPRETERS = ("python", "sh")
SHOWN_LIMIT = 256 * 1024  # bytes of each stream that a cell shows


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%container: {message}; '%%container --help' lists the options")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("%%container", description="Runs the cell in a new container. The options are those of 'drydock run'.", allow_abbrev=False)
    parser.add_argument("--image", default="busybox", help="busybox, if not said otherwise")
    parser.add_argument("--interpreter", choices=INTERPRETERS, default="sh", help="what reads the cell; python is this machine's own")
    parser.add_argument("--timeout", type=float, help="seconds")
    parser.add_argument("--out", metavar="VARIABLE", help="keep the outcome in a variable")
    parser.add_argument("--quiet", action="store_true", help="show no output")
    parser.add_argument("--no-raise", action="store_true", help="a status other than 0 is no error of the cell")
    for name in Options.__annotations__:
        spellings = dict.fromkeys([*COMMAND_LINE.get(name, []), "--" + name.replace("_", "-")])
        if name in FLAGS:
            parser.add_argument(*spellings, dest=name, action="store_true", default=None)
        elif name != "remove":
            parser.add_argument(*spellings, dest=name, action="append" if name in MANY else "store")
    parser.add_argument("--rm", dest="remove", action="store_true", default=None, help="always so: nothing is left of a cell")
    return parser


class _Shown:
    """Passes output on as it comes, up to a limit for each stream."""

    def __init__(self) -> None:
        self.left = {1: SHOWN_LIMIT, 2: SHOWN_LIMIT}

    def __call__(self, stream: int, data: bytes) -> None:
        if self.left[stream] <= 0:
            return
        target = sys.stdout if stream == 1 else sys.stderr
        target.write(data[:self.left[stream]].decode("utf-8", errors="replace"))
        self.left[stream] -= len(data)
        if self.left[stream] <= 0:
            target.write(f"\n… the rest is not shown: {SHOWN_LIMIT // 1024} KiB are the limit of a cell\n")
        target.flush()


def _course_tool() -> str:
    """The program of the checkout that this notebook lies in, or of the build that this package lies in."""
    here = Path.cwd()
    places = [*(above / "build/release/bin/lab" for above in (here, *here.parents)), Path(__file__).absolute().parent / "bin/lab"]
    for place in places:
        if os.access(place, os.X_OK):
            return str(place)
    raise NotFound(f"the course's tool is not built: no build/release/bin/lab in {here} or above", reason="not built", remedy="./lab build")


@magics_class
class DrydockMagics(Magics):
    """The magics of Drydock.

    >>> from IPython.core.interactiveshell import InteractiveShell
    >>> shell = InteractiveShell.instance()
    >>> shell.register_magics(DrydockMagics)
    >>> shell.run_cell_magic("container", "--network none --hostname dock", "hostname")
    dock
    """

    @cell_magic
    def container(self, line: str, cell: str) -> None:
        """%%container [options of drydock run]: the cell runs in a new container; output is shown as it comes.

        Errors: ProgramError for a status other than 0 (unless --no-raise); Ctrl-C ends the container. Source: drydock.run.

        >>> from IPython.core.interactiveshell import InteractiveShell
        >>> InteractiveShell.instance().run_cell_magic("container", "--network none --out seen --quiet", "echo hi")
        >>> InteractiveShell.instance().user_ns["seen"].stdout
        'hi\\n'
        """
        try:
            asked = vars(_parser().parse_args(shlex.split(line)))
        except SystemExit:  # --help has been printed
            return
        options = {name: asked[name] for name in Options.__annotations__ if asked.get(name) is not None}
        outcome = self._run(asked, options, cell)
        if asked["out"]:
            self.shell.user_ns[asked["out"]] = outcome
        for warning in outcome.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        if not asked["no_raise"]:
            outcome.check()

    def _run(self, asked: dict[str, Any], options: dict[str, Any], cell: str) -> Outcome:
        watch = None if asked["quiet"] else _Shown()
        if asked["interpreter"] == "python":
            return run_python(cell, image=asked["image"], timeout=asked["timeout"], check=False, on_output=watch, **options)
        return run(asked["image"], ["sh", "-eu", "-c", cell], timeout=asked["timeout"], on_output=watch, **options)

    @line_magic
    def facts(self, line: str) -> Rich:
        """%facts [PID|CONTAINER], or %facts diff A [B]: what the kernel says; a variable that holds a Container will do as well.

        Errors: NotFound, NoSuchProcess. Source: facts::take, facts::diff.

        >>> from IPython.core.interactiveshell import InteractiveShell
        >>> type(InteractiveShell.instance().run_line_magic("facts", "")).__name__
        'Snapshot'
        """
        words = shlex.split(line)
        if words[:1] == ["diff"]:
            if len(words) not in (2, 3):
                raise UsageError("%facts diff: name one process or container to compare with this interpreter, or two")
            return kernel_facts.diff(None if len(words) == 2 else self._process(words[1]), self._process(words[-1]))
        if len(words) > 1:
            raise UsageError("%facts: name one process or container; two are compared by: %facts diff A B")
        return kernel_facts.take(self._process(words[0]) if words else None)

    def _process(self, word: str) -> Any:
        if word.isdigit():
            return int(word)
        known = self.shell.user_ns.get(word)
        return known if isinstance(known, Container) else find(word)

    @line_magic
    def lab(self, line: str) -> None:
        """%lab WORDS: the course's tool in a process of its own, as ./lab WORDS in a terminal: %lab check 03. Output comes as it is made.

        Errors: NotFound when the tool is not built; a status other than 0 is printed, since a failed check is no error. Source: ./lab help.

        It has an example in python/README.md: what it prints depends on the checkout.
        """
        words = [_course_tool(), *shlex.split(line)]
        show = _Shown()
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
            assert program.stdout is not None
            try:
                while data := os.read(program.stdout.fileno(), 1 << 16):
                    show(1, data)
            except KeyboardInterrupt:
                program.terminate()  # it undoes what it made, as after Ctrl-C in a terminal
                raise
        if program.returncode != 0:
            print(f"[lab {line}: exit status {program.returncode}]", file=sys.stderr)
