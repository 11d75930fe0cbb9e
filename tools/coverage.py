#!/usr/bin/env python3
"""Which items of the notes have a test or a chapter: writes docs/notes-coverage.md from the tags in the sources.

docs/notes-catalogue.tsv lists the items: N<file>-<nnn> claims and experiments, E-<nnn> errors, U-<nn> unfinished experiments.
A test that shows an item carries its ID as a tag: TEST_CASE("...", "[cgroups][N3-014]"); a Python test or a handout writes [N3-014].

Example: tools/coverage.py            writes the table
         tools/coverage.py --check    exit status 1 when the table is not up to date
"""
import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "docs" / "notes-catalogue.tsv"
TABLE = ROOT / "docs" / "notes-coverage.md"
FOLDERS = ("tests", "chapters", "notebooks", "python")
TAG = re.compile(r"\[(N\d-\d{3}|E-\d{3}|U-\d{2})\]")
CHAPTERS = {
    "01": "fork-clone", "02": "uts", "03": "pid", "04": "mnt", "05": "net", "06": "ipc", "07": "user", "08": "cgroups",
    "09": "overlay", "10": "veth-bridge", "11": "image-layers", "12": "full-run", "13": "lifecycle/engine", "14": "build",
    "15": "volumes", "16": "compose", "17": "pods", "18": "multi-host", "19": "security", "20": "registry/OCI",
}


def catalogue():
    """{id: (home chapter, title)} in the order of the notes."""
    with open(CATALOGUE, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["id"]: (row["chapters"].split()[0], row["title"]) for row in rows}


def citations():
    """{id: sorted files that carry it}, over the tests and chapters."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            # This folder's own tests talk about tags; they show none.
            if path.suffix not in (".cpp", ".py", ".md", ".ipynb") or (ROOT / "tests" / "docs") in path.parents:
                continue
            for tag in TAG.findall(path.read_text(encoding="utf-8")):
                found.setdefault(tag, set()).add(str(path.relative_to(ROOT)))
    return {tag: sorted(files) for tag, files in found.items()}


def chapter_table(items, cited):
    lines = ["| chapter | items | shown |", "|---|---:|---:|"]
    for chapter in sorted({home for home, _ in items.values()}):
        members = [item for item, (home, _) in items.items() if home == chapter]
        shown = sum(item in cited for item in members)
        lines.append(f"| {chapter} {CHAPTERS.get(chapter, '')} | {len(members)} | {shown} |")
    return lines


def render(items, cited):
    total = sum(item in cited for item in items)
    lines = [
        "# Which items of the notes the project shows",
        "",
        "Written by `tools/coverage.py` from the tags in tests and chapters; a test checks that it is up to date.",
        f"{total} of {len(items)} items are shown.",
        "",
        *chapter_table(items, cited),
        "",
        "## Shown",
        "",
        "| item | what the notes say | shown by |",
        "|---|---|---|",
    ]
    for item, (_, title) in items.items():
        if item in cited:
            lines.append(f"| {item} | {title.replace('|', chr(92) + '|')} | {', '.join(f'`{file}`' for file in cited[item])} |")
    lines += ["", "## Not yet", ""]
    for chapter in sorted({home for home, _ in items.values()}):
        missing = [item for item, (home, _) in items.items() if home == chapter and item not in cited]
        if missing:
            lines.append(f"- **{chapter} {CHAPTERS.get(chapter, '')}**: {' '.join(missing)}")
    return "\n".join(lines) + "\n"


def main():
    items, cited = catalogue(), citations()
    unknown = sorted(set(cited) - set(items))
    if unknown:
        print(f"not in {CATALOGUE.name}: {', '.join(f'{tag} ({cited[tag][0]})' for tag in unknown)}", file=sys.stderr)
        return 1
    text = render(items, cited)
    if "--check" in sys.argv[1:]:
        return 0 if TABLE.exists() and TABLE.read_text(encoding="utf-8") == text else 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
