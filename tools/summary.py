"""What a test program said, as counts: Catch2's XML (versions 2 and 3), Python's unittest and pytest, or an exit status.

Pure functions over text; tools/run_tests.py does the running.

Example: Tally(3, 0, 1).line() == "3 passed, 0 failed, 1 skipped"
Source: docs/reporters.md of Catch2 (XML), unittest.TextTestRunner, "Test summary" of pytest's documentation.
"""
import re
from dataclasses import dataclass, field
from xml.etree import ElementTree


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    @property
    def total(self):
        return self.passed + self.failed + self.skipped

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def count(self, outcome):
        return self + Tally(**{outcome: 1})


@dataclass
class Case:
    name: str
    outcome: str  # "passed", "failed" or "skipped"
    seconds: float = 0.0
    notes: list = field(default_factory=list)  # what it printed, and what was wrong


# Version 2 of Catch2 cannot skip: tests/support/needs.hpp prints this line and leaves the test case.
SKIP_LINE = re.compile(r"^\s*SKIP \((.*)\): ", re.MULTILINE)


def _problems(element):
    """The failed assertions below a test case, a line or two each."""
    lines = []
    for node in element.iter():
        place = f"{node.get('filename', '')}:{node.get('line', '')}"
        if node.tag == "Expression" and node.get("success") == "false":
            original = (node.findtext("Original") or "").strip()
            expanded = (node.findtext("Expanded") or "").strip()
            lines += [f"{place}: {node.get('type')}( {original} )", f"  with {expanded}"]
            lines += [f"  {(child.text or '').strip()}" for child in node if child.tag in ("Exception", "FatalErrorCondition")]
        elif node.tag in ("Failure", "Exception", "FatalErrorCondition") and node.get("filename"):
            lines.append(f"{place}: {node.tag.lower()}: {(node.text or '').strip()}")
        elif node.tag == "Info":
            lines.append(f"  info: {(node.text or '').strip()}")
    return list(dict.fromkeys(lines))


def catch_case(element):
    """A finished <TestCase> element as a Case."""
    result = element.find("OverallResult")
    if result is None:
        return Case(element.get("name", "?"), "failed", notes=["no result"])
    printed = (result.findtext("StdOut") or "").strip()
    errors = (result.findtext("StdErr") or "").strip()
    skip = SKIP_LINE.search(printed)
    outcome = "passed"
    if result.get("success") != "true":
        outcome = "failed"
    elif skip or int(result.get("skips", "0")) > 0:
        outcome = "skipped"
    notes = printed.splitlines()
    if outcome == "failed":
        notes = _problems(element) + notes + errors.splitlines()
    elif outcome == "skipped":
        reason = skip.group(1) if skip else (element.findtext(".//Skip") or "").strip()
        notes = [reason] + [line for line in notes if not SKIP_LINE.match(line)]
    return Case(element.get("name", "?"), outcome, float(result.get("durationInSeconds", "0")), notes)


class CatchStream:
    """Catch2's XML as it grows: feed() gives the test cases that have ended since."""

    def __init__(self):
        self._parser = ElementTree.XMLPullParser(events=("start", "end"))
        self.running = None  # the test case that has begun and not ended
        self.broken = None

    def feed(self, text):
        cases = []
        try:
            self._parser.feed(text)
            for event, element in self._parser.read_events():
                if element.tag != "TestCase":
                    continue
                self.running = element.get("name") if event == "start" else None
                if event == "end":
                    cases.append(catch_case(element))
                    element.clear()
        except ElementTree.ParseError as error:
            self.broken = str(error)
        return cases


def unittest_tally(text):
    """Counts from the end of unittest's output; None when it is not unittest's."""
    ran = re.findall(r"^Ran (\d+) tests? in ", text, re.MULTILINE)
    end = re.findall(r"^(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", text, re.MULTILINE)
    if not ran or not end:
        return None
    numbers = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", end[-1][1] or "")}
    total, skipped = int(ran[-1]), numbers.get("skipped", 0)
    # A test may fail in several of its subtests; it is one test all the same.
    failed = min(numbers.get("failures", 0) + numbers.get("errors", 0), max(total - skipped, 1))
    return Tally(max(total - failed - skipped, 0), failed, skipped)


def skipped_cases(text):
    """(test case, reason) of what unittest -v says to have skipped."""
    return re.findall(r"^(\S+) .*\.\.\. skipped ['\"](.*)['\"]$", text, re.MULTILINE)


def pytest_tally(text):
    """Counts from pytest's last line; None when it is not pytest's."""
    lines = re.findall(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s", text, re.MULTILINE)
    if not lines:
        return None
    numbers = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", lines[-1])}
    bad = sum(numbers.get(word, 0) for word in ("failed", "error", "errors"))
    return Tally(numbers.get("passed", 0) + numbers.get("xfailed", 0), bad, numbers.get("skipped", 0))


def text_tally(text, status, skip_status=77):
    """Counts of a program that is not Catch2: its own summary if it has one, else its exit status counts as one test."""
    tally = unittest_tally(text) or pytest_tally(text)
    if tally is None:
        return Tally().count("passed" if status == 0 else "skipped" if status == skip_status else "failed")
    # A test that says SKIP and returns is counted as passed by its framework; it is not.
    said = min(len(SKIP_LINE.findall(text)), tally.passed)
    tally = tally + Tally(-said, 0, said)
    if status not in (0, 5) and tally.failed == 0:  # it died after its summary; 5: pytest and unittest ran nothing
        tally.failed += 1
    return tally
