"""What this machine can do for containers: ok, degraded or missing, why, and the command that repairs it.

Source: drydock::doctor (doctor/examine.hpp).
"""
from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .display import COLOURS, Rich, html_table
from .errors import Error, Skipped

__all__ = ["Examination", "Finding", "doctor", "needs"]


@dataclass(frozen=True, repr=False)
class Finding(Rich):
    """One feature of a container on this machine. `grade`: "ok", "degraded" or "missing"."""

    feature: str
    grade: str
    found: str
    cost: str
    remedy: str

    def to_text(self) -> str:
        rest = "".join(f"          {name}: {value}\n" for name, value in (("cost", self.cost), ("repair", self.remedy)) if value)
        return f"{self.grade:9} {self.feature}: {self.found}\n{rest}"


@dataclass(frozen=True, repr=False)
class Examination(Rich):
    """All findings, and what was read of the machine."""

    findings: tuple[Finding, ...]
    machine: dict[str, Any]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def find(self, feature: str) -> Finding:
        """The finding about a feature. Errors: KeyError. Source: doctor::examine.

        >>> import drydock
        >>> drydock.doctor().find("kernel").grade
        'ok'
        """
        for finding in self.findings:
            if finding.feature == feature:
                return finding
        raise KeyError(feature)

    def to_text(self) -> str:
        return "".join(finding.to_text() for finding in self.findings)

    def to_html(self) -> str:
        shades: dict[str, str | None] = {"ok": None, "degraded": COLOURS["orange"], "missing": COLOURS["red"]}
        rows = [[finding.grade, finding.feature, finding.found, finding.cost, finding.remedy] for finding in self.findings]
        return html_table(["", "feature", "found", "what it costs", "repair"], rows, [shades[finding.grade] for finding in self.findings])

    def summary(self) -> str:
        bad = sum(finding.grade != "ok" for finding in self.findings)
        return f"{len(self) - bad} ok, {bad} not"


def needs(*features: str) -> None:
    """For the first cell of a notebook: stops it with Skipped when this machine lacks one of these features of doctor().
    "root" is one more: that this process is root itself, because programs in the containers do what only root of the machine may.

    Errors: Skipped, with what repairs it; ValueError for an unknown feature. Source: doctor::examine.

    >>> import drydock
    >>> drydock.needs("kernel")
    """
    findings = {finding.feature: finding for finding in doctor()}
    for feature in features:
        if feature == "root":
            if os.geteuid() != 0:
                raise Skipped("this notebook needs root: its kernel runs as an ordinary user", reason="not root", remedy="start it with sudo")
            continue
        if feature not in findings:
            raise ValueError(f"features: there is no {feature!r}; choose from root, {', '.join(findings)}")
        finding = findings[feature]
        if finding.grade == "missing":
            raise Skipped(f"this notebook needs {feature}: {finding.found}", reason=finding.found, remedy=finding.remedy)


def doctor() -> Examination:
    """Examines this machine; nothing is changed. Errors: Error when /proc is not mounted. Source: doctor::examine.

    >>> import drydock
    >>> {finding.grade for finding in drydock.doctor()} <= {"ok", "degraded", "missing"}
    True
    """
    program = Path(__file__).absolute().parent / "bin" / "drydock"
    # It tries what it judges, and may need a process for that: a program of its own, as everything that starts one. 1: something is missing.
    said = subprocess.run([program, "doctor", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if said.returncode not in (0, 1) or not said.stdout:
        raise Error(said.stderr.strip().removeprefix("drydock: "), call="drydock doctor", reason=said.stderr.strip())
    data = json.loads(said.stdout)
    return Examination(tuple(Finding(**finding) for finding in data["findings"]), data["machine"])
