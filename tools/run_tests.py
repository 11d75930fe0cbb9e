#!/usr/bin/env python3
"""Runs the suites that ctest knows, shows each test case as it ends, and prints the sum over all as the last line.

Suites are read from `ctest --show-only=json-v1`, so that plain ctest runs the same commands. A Catch2 program (NAME_tests)
is watched through its XML report; other programs through their own summary (unittest, pytest) or their exit status.

Example: tools/run_tests.py release=build/release asan=build/asan:unit --only kernel
Exit status: 0 when something ran and nothing failed.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from summary import CatchStream, Tally, skipped_cases, text_tally

MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
NOTE_LINES = 40
# On a machine in software everything takes its time; the tests themselves read it too (tests/support/patience.hpp).
SLOWNESS = max(float(os.environ.get("DRYDOCK_SLOW", "1")), 1.0)


class Suite:
    def __init__(self, test, name, results):
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        self.name = name
        self.labels = properties.get("LABELS", [])
        self.command = test.get("command", [])
        self.directory = properties.get("WORKING_DIRECTORY")
        self.timeout = float(properties.get("TIMEOUT", 1500)) * SLOWNESS
        self.skip_status = int(properties.get("SKIP_RETURN_CODE", 77))
        self.environment = dict(entry.split("=", 1) for entry in properties.get("ENVIRONMENT", []))
        self.xml = results / f"{name}.xml"
        self.log = results / f"{name}.log"

    @property
    def is_catch(self):
        return len(self.command) == 1 and self.command[0].endswith("_tests")

    def start(self, arguments):
        with open(self.log, "wb") as log:
            return subprocess.Popen([*self.command, *arguments], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=subprocess.STDOUT, env={**os.environ, **self.environment}, start_new_session=True)

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")


def show(outcome, name, seconds=0.0, notes=()):
    duration = f"  ({seconds:.1f} s)" if seconds >= 1 else ""
    print(f"\r\033[K  {MARKS[outcome]:8}{name}{duration}" if sys.stdout.isatty() else f"  {MARKS[outcome]:8}{name}{duration}")
    notes = list(notes)
    for line in notes[:NOTE_LINES]:
        print(f"            {line}")
    if len(notes) > NOTE_LINES:
        print(f"            … and {len(notes) - NOTE_LINES} lines more")
    sys.stdout.flush()


def wait(process, deadline, tick):
    """Calls tick() until the program has ended; kills its process group at the deadline. Returns (status, in time)."""
    while True:
        try:
            status = process.wait(timeout=0.2)
            tick()
            return status, True
        except subprocess.TimeoutExpired:
            tick()
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait(), False


def run_watched(suite, arguments, tick):
    process = suite.start(arguments)
    try:
        return wait(process, time.monotonic() + suite.timeout, tick)
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise


def run_catch(suite, case_filter):
    suite.xml.write_bytes(b"")
    stream, tally = CatchStream(), Tally()
    with open(suite.xml, "rb") as report:
        def tick():
            nonlocal tally
            for case in stream.feed(report.read()):
                tally = tally.count(case.outcome)
                show(case.outcome, case.name, case.seconds, case.notes)
            if stream.running and sys.stdout.isatty():
                print(f"\r\033[K  …       {stream.running[:100]}", end="", flush=True)
        arguments = ["-r", "xml", "-o", str(suite.xml), "--durations", "yes", *([case_filter] if case_filter else [])]
        status, in_time = run_watched(suite, arguments, tick)
    problem = None
    if not in_time:
        problem = f"not finished after {suite.timeout:.0f} s; it was in '{stream.running}'"
    elif stream.running or stream.broken:
        problem = f"ended with status {status} in '{stream.running}'" + (f" ({stream.broken})" if stream.broken else "")
    elif status != 0 and tally.failed == 0:
        problem = f"ended with status {status} although no test case failed"
    if problem:
        show("failed", f"{suite.name}: {problem}", notes=suite.output().splitlines()[-NOTE_LINES:])
        tally = tally.count("failed")
    return tally


def run_other(suite, case_filter):
    begun = time.monotonic()
    names = case_filter.split(",") if case_filter and "unittest" in suite.command else []
    arguments = [word for name in names for word in ("-k", name)]
    status, in_time = run_watched(suite, arguments, lambda: None)
    tally = text_tally(suite.output(), status, suite.skip_status) if in_time else Tally(failed=1)
    bad = tally.failed > 0
    lines = suite.output().splitlines()
    if bad:  # unittest draws a line above its first failure
        first = next((number for number, line in enumerate(lines) if line.startswith("======")), max(len(lines) - NOTE_LINES, 0))
        notes = lines[first:]
    else:
        notes = [line for line in lines if line.lower().startswith(("note:", "skip"))]
        notes += [f"skipped {name}: {reason}" for name, reason in skipped_cases(suite.output())]
    if not in_time:
        notes.append(f"not finished after {suite.timeout:.0f} s")
    outcome = "failed" if bad else "passed" if tally.passed else "skipped"
    show(outcome, f"{suite.name}: {tally.line()}", time.monotonic() - begun, notes)
    return tally


def run_suite(suite, case_filter):
    print(f"\n== {suite.name}", flush=True)
    if not suite.command or not Path(suite.command[0]).exists():
        show("failed", f"{suite.name}: {suite.command[0] if suite.command else 'its program'} is not built")
        return Tally(failed=1)
    return run_catch(suite, case_filter) if suite.is_catch else run_other(suite, case_filter)


def suites_of(build, prefix, label, results, listing):
    if listing:
        text = Path(listing).read_text(encoding="utf-8")
    else:
        text = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout
    tests = json.loads(text)["tests"]
    suites = [Suite(test, prefix + test["name"], results) for test in tests]
    return [suite for suite in suites if not label or label in suite.labels]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+", metavar="NAME=DIR[:LABEL]", help="build directories; the first one's suites have no prefix")
    parser.add_argument("--only", metavar="SUITE[,SUITE]|SUITE:CASES", help="these suites, or the test cases of one that match a Catch2 filter (Python: whose names contain it, or one of several between commas)")
    parser.add_argument("--cases", action="append", default=[], metavar="SUITE=CASES", help="only these test cases of a suite (a Catch2 filter)")
    parser.add_argument("--listing", metavar="FILE", help="what ctest said elsewhere, for a machine without it")
    options = parser.parse_args()
    only, _, case_filter = (options.only or "").partition(":")
    suites = []
    for number, entry in enumerate(options.builds):
        name, _, rest = entry.partition("=")
        directory, _, label = rest.partition(":")
        results = Path(directory).resolve() / "results"
        results.mkdir(exist_ok=True)
        suites += suites_of(directory, f"{name}-" if number else "", label, results, options.listing)
    unknown = sorted(set(filter(None, only.split(","))) - {suite.name for suite in suites})
    if unknown:
        print(f"no suite '{unknown[0]}'; there are: {', '.join(suite.name for suite in suites)}")
        return 1
    chosen = [suite for suite in suites if not only or suite.name in only.split(",")]
    filters = dict(entry.split("=", 1) for entry in options.cases)
    results = [(suite, run_suite(suite, filters.get(suite.name, case_filter))) for suite in chosen]
    total = sum((tally for _, tally in results), Tally())
    print()
    for suite, tally in results:
        print(f"{suite.name:24} {tally.line()}")
    print(f"\n{total.line()}")
    return 0 if total.total > 0 and total.failed == 0 else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
