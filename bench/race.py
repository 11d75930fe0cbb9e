"""Starts commands in turn and takes the time: runners, interleaved rounds, statistics, tables.

Every command is started by a runner: a small process that does nothing but posix_spawn and wait, so that each pays the same,
and one that needs a mount namespace of its own (crun) has it once and not in every start.

Example: runner = Runner(); runner.start(["/bin/true"]) -> Sample(seconds, status)
"""
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

STATE = Path("/run/drydock-bench")


@dataclass
class Sample:
    milliseconds: float
    status: int


@dataclass
class Competitor:
    name: str
    does: str               # in words: what is made, what is not
    start: callable         # number of the start -> Sample
    samples: list = field(default_factory=list)

    def good(self):
        return sorted(sample.milliseconds for sample in self.samples if sample.status == 0)

    def failures(self):
        return sum(sample.status != 0 for sample in self.samples)


RUNNER = """
import json, os, sys, time
quiet = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
null = os.open("/dev/null", os.O_RDWR)
actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)]
for line in sys.stdin:
    argv = json.loads(line)
    begun = time.perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(time.perf_counter_ns() - begun, status, flush=True)
"""


class Runner:
    """A process that starts commands one at a time; `wrapper` is put in front of it (unshare ...)."""

    def __init__(self, log, wrapper=()):
        self._process = subprocess.Popen([*wrapper, sys.executable, "-B", "-c", RUNNER, log],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, argv):
        self._process.stdin.write(json.dumps(argv) + "\n")
        self._process.stdin.flush()
        nanoseconds, status = self._process.stdout.readline().split()
        return Sample(int(nanoseconds) / 1e6, int(status))

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Server:
    """A process that starts a container itself for each line it reads (bench-memory)."""

    def __init__(self, argv):
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, _number=0):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        if len(answer) != 2:
            raise RuntimeError(f"{self._process.args[0]} ended with status {self._process.wait()}")
        return Sample(int(answer[0]) / 1e6, int(answer[1]))

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def race(competitors, rounds, gap, title):
    """Each competitor once per round, in random order, after `gap` seconds of idleness."""
    number = 0
    for turn in range(rounds):
        for competitor in random.sample(competitors, len(competitors)):
            time.sleep(gap)
            number += 1
            competitor.samples.append(competitor.start(number))
        if sys.stderr.isatty() or turn % 10 == 9:
            print(f"\r{title}: round {turn + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def percentile(values, share):
    return values[min(len(values) - 1, round(share * (len(values) - 1)))]


def table(competitors, yardstick):
    """Markdown: min, median, p90 in milliseconds, and the median and the minimum as multiples of the yardstick's."""
    base = next(competitor for competitor in competitors if competitor.name == yardstick).good()
    lines = [f"| what | n | min ms | median ms | p90 ms | median / {yardstick} | min / {yardstick} | failed |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for competitor in competitors:
        good = competitor.good()
        if not good:
            lines.append(f"| {competitor.name} | 0 | – | – | – | – | – | {competitor.failures()} |")
            continue
        median = statistics.median(good)
        ratios = f"{median / statistics.median(base):.2f} | {good[0] / base[0]:.2f}" if base else "– | –"
        lines.append(f"| {competitor.name} | {len(good)} | {good[0]:.2f} | {median:.2f} | {percentile(good, 0.9):.2f} | "
                     f"{ratios} | {competitor.failures()} |")
    return "\n".join(lines)


def fresh(directory):
    """An empty directory: the base image of an earlier build must not race in a store that was kept."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def state_in_memory():
    """The state directory of drydock lies on a tmpfs, as /run does on every Debian with systemd, whatever this machine has there."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "drydock-bench", fresh(STATE)], check=True)
    return str(STATE)


def leave_memory():
    subprocess.run(["umount", "-l", STATE], check=True)  # the bridge may still be looked after
    STATE.rmdir()


def in_own_namespaces(flag):
    """Restarts this program in a network and a mount namespace of its own; there it plays host and leaves nothing behind."""
    if os.environ.get(flag):
        return
    os.environ[flag] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, "-B", *sys.argv])
