#!/usr/bin/env python3
"""Which items of the notes are shown, by what: writes docs/notes-coverage.md and docs/errata.md.

docs/notes-catalogue.tsv lists the items: N<file>-<nnn> claims and experiments, E-<nnn> errors, U-<nn> unfinished experiments;
docs/notes-errors.tsv says what is true instead of each error. Three things show an item:
  - an experiment of a chapter, whose program names its items (chNN-name --list --json): it runs and asserts;
  - a test that carries the item's ID as a tag: TEST_CASE("...", "[cgroups][N3-014]"), or [N3-014] in a Python test or a notebook;
  - a sentence of a chapter that says why nothing can be shown (not_shown).

Example: tools/coverage.py            writes both pages; every chapter program must be built (./lab build)
         tools/coverage.py --check    exit status 1 when they are not up to date
"""
import csv
import re
import sys
from dataclasses import dataclass, field

import chapters
from chapters import ROOT

CATALOGUE = ROOT / "docs" / "notes-catalogue.tsv"
ERRORS = ROOT / "docs" / "notes-errors.tsv"
TABLE = ROOT / "docs" / "notes-coverage.md"
ERRATA = ROOT / "docs" / "errata.md"
FOLDERS = ("tests", "notebooks", "python")
TAG = re.compile(r"\[(N\d-\d{3}|E-\d{3}|U-\d{2})\]")
CHAPTERS = {
    "01": "fork-clone", "02": "uts", "03": "pid", "04": "mnt", "05": "net", "06": "ipc", "07": "user", "08": "cgroups",
    "09": "overlay", "10": "veth-bridge", "11": "image-layers", "12": "full-run", "13": "lifecycle/engine", "14": "build",
    "15": "volumes", "16": "compose", "17": "pods", "18": "multi-host", "19": "security", "20": "registry/OCI",
}
KINDS = {"N": "items", "E": "errors", "U": "unfinished experiments"}


@dataclass
class Evidence:
    commands: dict = field(default_factory=dict)  # item -> "ch02-uts run pin", in the order of the chapters
    tests: dict = field(default_factory=dict)     # item -> files
    reasons: dict = field(default_factory=dict)   # item -> why nothing can be shown

    def items(self):
        return {*self.commands, *self.tests, *self.reasons}

    def shows(self, item):
        return item in self.commands or item in self.tests

    def by_what(self, item):
        """The commands that show it, else the tests, as one cell."""
        return ", ".join(f"`{word}`" for word in self.commands.get(item) or self.tests.get(item, []))


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def catalogue():
    """{id: (home chapter, title)} in the order of the notes."""
    return {row["id"]: (row["chapters"].split()[0], row["title"]) for row in rows_of(CATALOGUE)}


def errors():
    """{id: (claim, truth)}."""
    return {row["id"]: (row["claim"], row["truth"]) for row in rows_of(ERRORS)}


def tagged():
    """{id: sorted files that carry it}, over the tests."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            # This folder's own tests talk about tags; they show none.
            if path.suffix not in (".cpp", ".py", ".md", ".ipynb") or (ROOT / "tests" / "docs") in path.parents:
                continue
            for tag in TAG.findall(path.read_text(encoding="utf-8")):
                found.setdefault(tag, set()).add(str(path.relative_to(ROOT)))
    return {tag: sorted(files) for tag, files in found.items()}


def evidence():
    """What there is now; the chapters that are built tell their part."""
    found = Evidence(tests=tagged())
    for program in chapters.built():
        said = chapters.listing(program)
        for experiment in said["experiments"]:
            for item in experiment["items"]:
                found.commands.setdefault(item, []).append(f"{said['program']} run {experiment['name']}")
        for entry in said["not_shown"]:
            found.reasons[entry["item"]] = entry["reason"]
    return found


def cell(text):
    return text.replace("|", "\\|")


def counts(items, found, members):
    """shown by an experiment, shown by a test only, not to be shown, open."""
    experiment = sum(item in found.commands for item in members)
    test = sum(item not in found.commands and item in found.tests for item in members)
    reason = sum(not found.shows(item) and item in found.reasons for item in members)
    return experiment, test, reason, len(members) - experiment - test - reason


def homes(items):
    return sorted({home for home, _ in items.values()})


def at_home(items, home, kind=""):
    return [item for item, (its, _) in items.items() if its == home and item.startswith(kind)]


def summary_lines(items, found):
    """For the end of ./lab test: what the chapters with a program have reached."""
    here = {f"{chapters.number_of(program):02}" for program in chapters.built()}
    for kind, words in KINDS.items():
        members = [item for home in sorted(here) for item in at_home(items, home, kind)]
        experiment, test, reason, left = counts(items, found, members)
        yield f"notes, chapters {' '.join(sorted(here))}: {experiment + test} of {len(members)} {words} shown, {reason} cannot be, {left} open"
    for item, reason in sorted(found.reasons.items()):
        yield f"notes: {item} is not shown: {reason}"


def render_coverage(items, found):
    shown = sum(found.shows(item) for item in items)
    lines = [
        "# Which items of the notes the project shows", "",
        "Written by `tools/coverage.py` from the chapters' experiments and the tags of the tests; a test checks that it is up to date.",
        f"{shown} of {len(items)} items are shown. N: claims and experiments, E: errors, U: unfinished experiments.", "",
        "| chapter | items | by an experiment | by a test only | cannot be shown | open |", "|---|---:|---:|---:|---:|---:|",
    ]
    for home in homes(items):
        members = at_home(items, home)
        lines.append(f"| {home} {CHAPTERS.get(home, '')} | {len(members)} | " + " | ".join(map(str, counts(items, found, members))) + " |")
    for home in homes(items):
        members = [item for item in at_home(items, home) if found.shows(item)]
        if members:
            lines += ["", f"## {home} {CHAPTERS.get(home, '')}", "", "| item | what the notes say | status | shown by |", "|---|---|---|---|"]
            lines += [f"| {item} | {cell(items[item][1])} | {'experiment' if item in found.commands else 'test'} | {found.by_what(item)} |" for item in members]
    reasons = [item for item in items if item in found.reasons and not found.shows(item)]
    if reasons:
        lines += ["", "## Not to be shown", "", "| item | what the notes say | why |", "|---|---|---|"]
        lines += [f"| {item} | {cell(items[item][1])} | {cell(found.reasons[item])} |" for item in reasons]
    lines += ["", "## Open", ""]
    for home in homes(items):
        missing = [item for item in at_home(items, home) if not found.shows(item) and item not in found.reasons]
        if missing:
            lines.append(f"- **{home} {CHAPTERS.get(home, '')}**: {' '.join(missing)}")
    return "\n".join(lines) + "\n"


def render_errata(items, found):
    known = errors()
    shown = [item for item in known if found.shows(item)]
    lines = [
        "# Errata of the notes", "",
        "What the notes say, what is true, and the command that shows it. Written by `tools/coverage.py`; a test checks that it is up to date.",
        f"{len(shown)} of {len(known)} are shown by an experiment or a test.", "",
        "| error | the notes say | in truth | shown by |", "|---|---|---|---|",
    ]
    for item, (claim, truth) in known.items():
        by_what = found.by_what(item) or (f"not to be shown: {cell(found.reasons[item])}" if item in found.reasons else "open")
        lines.append(f"| {item} | {cell(claim)} | {cell(truth)} | {by_what} |")
    return "\n".join(lines) + "\n"


def main():
    items, found = catalogue(), evidence()
    problems = [f"{name} is not built; run ./lab build" for name in chapters.not_built()]
    problems += [f"{item} is not in {CATALOGUE.name}" for item in sorted(found.items() - set(items))]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    pages = {TABLE: render_coverage(items, found), ERRATA: render_errata(items, found)}
    if "--check" in sys.argv[1:]:
        return 0 if all(path.exists() and path.read_text(encoding="utf-8") == text for path, text in pages.items()) else 1
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
