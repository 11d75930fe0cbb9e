#!/usr/bin/env python3
"""docs/environments.md: what runs where, from reports of `drydock doctor --json`, which are kept beside it in docs/environments/.

  environments.py             writes the page anew from the reports
  environments.py --check     ends with 1 when the page is not what the reports say
  environments.py --take NAME FILE   keeps the report FILE as docs/environments/NAME.json (a known name), reduced to what the page needs

Example: drydock doctor --json >report; tools/environments.py --take container report && tools/environments.py
Source: src/drydock/doctor/report.cpp for the form of a report.
"""
import argparse
import json
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
FOLDER = TOP / "docs" / "environments"
PAGE = TOP / "docs" / "environments.md"
TESTS = TOP / "tests"

# Names of the reports, in the order of the columns: heading, what it is.
HOMES = {
    "hybrid": ("v1 beside v2, root", "a Debian 12 with its controllers in v1 trees, as root"),
    "hybrid-user": ("… ordinary user", "the same machine, a user without root and without a range of ids"),
    "debian12": ("Debian 12, root", "the machine of `./lab vm`: Debian's kernel, systemd, pure cgroup v2"),
    "debian12-user": ("… ordinary user", "the same, the account `student` under `systemd-run --user --scope`"),
    "debian13": ("Debian 13, root", "`./lab vm test --debian 13`"),
    "debian13-user": ("… ordinary user", "the same, the account `student`"),
    "container": ("in a container", "`drydock run` on the first machine, with its defaults"),
}
# Of interest to the person at that machine, not to a table of kinds of machines.
PRIVATE = ("monitor", "image store", "state", "notebooks", "clock", "machine")
WORDS = {"ok": "ok", "degraded": "degraded", "missing": "**missing**"}


def reduced(report):
    machine = {"kernel": report["machine"]["kernel"].split("-")[0], "architecture": report["machine"]["architecture"],
               "cgroups": report["machine"]["cgroups"]}
    findings = []
    for finding in report["findings"]:
        if finding["feature"] in PRIVATE:
            continue
        short = finding["grade"] == "ok"
        findings.append({"feature": finding["feature"], "grade": finding["grade"],
                         **({} if short else {name: finding[name] for name in ("found", "cost", "remedy")})})
    return {"machine": machine, "findings": findings}


def reports():
    """By name, in the order of HOMES; those that are there."""
    return {name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in HOMES if (FOLDER / f"{name}.json").exists()}


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def grades(found):
    features = list(dict.fromkeys(entry["feature"] for report in found.values() for entry in report["findings"]))
    rows = [f"| feature | {' | '.join(HOMES[name][0] for name in found)} |", f"|---|{'---|' * len(found)}"]
    for feature in features:
        by_home = [{entry["feature"]: entry for entry in report["findings"]}.get(feature) for report in found.values()]
        rows.append(f"| {feature} | {' | '.join(WORDS[entry['grade']] if entry else '' for entry in by_home)} |")
    return rows


def losses(found):
    """Each different thing that is not ok, with the homes that have it."""
    homes = {}
    for name, report in found.items():
        for entry in report["findings"]:
            if entry["grade"] != "ok":
                homes.setdefault((entry["feature"], entry["found"], entry["cost"], entry["remedy"]), []).append(name)
    rows = ["| feature | seen | what that costs | repair | where |", "|---|---|---|---|---|"]
    for (feature, seen, cost, remedy), names in homes.items():
        repair = f"`{cell(remedy)}`" if remedy else ""
        rows.append(f"| {feature} | {cell(seen)} | {cell(cost)} | {repair} | {', '.join(names)} |")
    return rows


def provoked():
    """(defect, feature, met as) in the tests that provoke defects on a played host."""
    text = (TESTS / "container" / "doctor_test.cpp").read_text(encoding="utf-8")
    return [(name, feature, "user" if to_user == "true" else "root")
            for name, feature, to_user in re.findall(r'^    \{"([^"]+)", "([^"]+)", (true|false),', text, re.MULTILINE)]


def provoked_in_the_machine():
    """What the tests with a machine of their own do to its settings, as their titles say it."""
    return re.findall(r'^TEST_CASE\("([^"]+)"', (TESTS / "systemd" / "settings_test.cpp").read_text(encoding="utf-8"), re.MULTILINE)


def defects():
    rows = ["| defect | doctor names it under | met as |", "|---|---|---|"]
    rows += [f"| {name} | {feature} | {who} |" for name, feature, who in provoked()]
    return [f"`./lab test --only container:'[doctor]'` makes these {len(provoked())} one by one: the doctor names each with its repair, and the run that",
            "meets it fails, or goes on with less, and says the same repair.", "", *rows, "",
            "Settings of a whole machine are changed for real in `./lab vm test --only systemd:'[doctor]'`:", "",
            *(f"- {title}" for title in provoked_in_the_machine())]


def render(found):
    lines = ["# What runs where", "",
             "Written by `tools/environments.py` from reports of `drydock doctor --json` (`docs/environments/`); a test checks that it is up to",
             "date. `./lab doctor` says the same about your machine.", "",
             "| column | report | what it is | kernel | control groups |", "|---|---|---|---|---|"]
    for name, report in found.items():
        heading, text = HOMES[name]
        lines.append(f"| {heading} | {name} | {text} | {report['machine']['kernel']} | {report['machine']['cgroups']} |")
    lines += ["", "## Features", "", *grades(found), "", "## What is lost, and what to do", "", *losses(found), "",
              "## Defects that tests provoke", "", *defects(), "", "## Taking a report again", "", "```sh",
              "./lab vm test --short && for who in root user; do",
              "  tools/environments.py --take debian12$(test $who = user && echo -user) build/vm/results/doctor-$who.json; done",
              "tools/environments.py", "```"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--take", nargs=2, metavar=("NAME", "FILE"))
    options = parser.parse_args()
    if options.take:
        name, path = options.take
        if name not in HOMES:
            print(f"no home '{name}'; there are {', '.join(HOMES)}", file=sys.stderr)
            return 1
        text = json.dumps(reduced(json.loads(Path(path).read_text(encoding="utf-8"))), indent=1) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        return 0
    text = render(reports())
    if options.check:
        return 0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
