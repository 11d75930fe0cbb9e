"""Every experiment of every chapter runs and holds; every line of it is a claim that can fail; nothing is left behind.

One test per experiment and kind of question: `./lab test --only chapters:pin` runs those with "pin" in their name.
"""
import json
import os
import re
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import chapters  # noqa: E402
import coverage  # noqa: E402
import host  # noqa: E402

STORY_SECONDS = 60
PAGE_WIDTH = 80


def setUpModule():
    global HOST
    HOST = host.Played()
    HOST.__enter__()


def tearDownModule():
    HOST.__exit__()
    report_coverage()


def report_coverage():
    """What the summary of ./lab test says about the notes: chapters that are built, in numbers."""
    for line in coverage.summary_lines(coverage.catalogue(), coverage.evidence()):
        print(f"note: {line}", flush=True)


class Chapter(unittest.TestCase):
    def json_of(self, words, status=None, **how):
        done = HOST.run([*words, "--json"], **how)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)["runs"]

    def skip(self, reason):
        if host.must() and not host.cannot_be_had(reason):
            self.fail(f"must not be skipped here (DRYDOCK_MUST): {reason}")
        self.skipTest(reason)

    def facts_of(self, words):
        """Facts of the one run; skips when it says what is missing."""
        (run,) = self.json_of(words)
        if run["status"] == "SKIP":
            self.skip(run["reason"])
        self.assertEqual(run["status"], "ok", json.dumps(run, indent=1, ensure_ascii=False))
        self.assertGreater(len(run["facts"]), 0, "it observes nothing")
        return run["facts"]

    def holds(self, words):
        self.facts_of(words)
        self.assertEqual(HOST.leftovers(), [])

    def can_fail(self, words):
        """With every predicate turned round, every line says WRONG, and there is no other kind of claim."""
        facts = self.facts_of(words)
        (turned,) = self.json_of(words, status=1, DRYDOCK_FLIP="all")
        self.assertEqual([fact["fact"] for fact in turned["facts"]], [fact["fact"] for fact in facts])
        self.assertEqual({fact["status"] for fact in turned["facts"]}, {"WRONG"})
        said = HOST.run(words)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        lines = said.stdout.splitlines()
        self.assertEqual(sum(line.startswith("  ok ") for line in lines), len(facts))
        self.assertEqual([line for line in lines if len(line) > PAGE_WIDTH and " " in line.strip()], [])
        self.assertNotIn("\033", said.stdout)
        wrong = HOST.run(words, DRYDOCK_FLIP="all")
        self.assertEqual(sum(line.startswith("  WRONG ") for line in wrong.stdout.splitlines()), len(facts))
        self.assertEqual(HOST.leftovers(), [])

    def is_quick(self, program):
        done = HOST.run([program], timeout=STORY_SECONDS)
        self.assertIn(done.returncode, (0, 77), done.stdout + done.stderr)

    def explains(self, program):
        """--explain without a terminal prints and goes on; --trace has every step that it executed."""
        trace = HOST.scratch / f"{program}.trace"
        done = HOST.run([program, "--explain", "--trace", str(trace)])
        if done.returncode == 77:
            self.skip(done.stdout.splitlines()[-1])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        steps = [json.loads(line) for line in trace.read_text().splitlines()]
        self.assertIn("exec", {step["step"] for step in steps})
        for step in steps:
            self.assertIn(step["text"].split("(")[0], done.stderr)

    def beside_itself(self, program):
        """All experiments twice at the same time, and each run once more alone before and after: nothing is in the way."""
        done = []
        threads = [threading.Thread(target=lambda: done.append(HOST.run([program, "run", "all"], timeout=300))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([run.returncode for run in done], [0, 0], "\n".join(bad_lines(run.stdout) + run.stderr for run in done))
        self.assertEqual(HOST.leftovers(), [])

    def may_be_killed(self, program):
        """kill -9 at some moment of `run all`: what it had made goes by itself, or with the next `drydock reset`."""
        random = Random(os.environ.get("DRYDOCK_SEED", program))
        for _ in range(5):
            with subprocess.Popen([HOST.programs / program, "run", "all"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as running:
                time.sleep(random.uniform(0.005, 0.8))
                running.kill()
            if (HOST.programs / "drydock").exists():
                subprocess.run([HOST.programs / "drydock", "reset"], check=True, capture_output=True, timeout=60)
            self.assertEqual(HOST.leftovers(), [])

    def works_without_root(self, program):
        """Story and experiments hold for an ordinary user too, or say in one sentence what they lack."""
        for words in ([program], [program, "run", "all"]):
            done = HOST.run([*words, "--json"], user=True, timeout=300)
            for run in json.loads(done.stdout)["runs"]:
                with self.subTest(experiment=run["experiment"]):
                    self.assertIn(run["status"], ("ok", "SKIP"), json.dumps(run, indent=1, ensure_ascii=False))
                    if run["status"] == "SKIP":
                        self.assertRegex(run["reason"], r"^[^\n;]+; [^\n]+$", "what is missing; what would enable it")

    def runs_a_command(self, program):
        done = HOST.run([program, "--", "sh", "-c", "exit 7"])
        self.assertEqual((done.returncode, done.stdout), (7, ""), done.stderr)
        self.assertEqual(HOST.leftovers(), [])

    def fits_a_terminal(self, program):
        """On a terminal of 80x24: colours, no line that is broken; --no-color: none."""
        text = on_terminal([HOST.programs / program])
        self.assertIn("\033[", text)
        plain = on_terminal([HOST.programs / program, "--no-color"])
        self.assertNotIn("\033", plain)
        self.assertEqual([line for line in plain.splitlines() if len(line) > PAGE_WIDTH], [])

    def refuses_wrong_words(self, program):
        for words, code in ((["run", "no-such"], 125), (["--no-such"], 2), (["run"], 2), (["--", "no-such"], 127), (["--", "/proc/version"], 126)):
            done = HOST.run([program, *words])
            self.assertEqual(done.returncode, code)
            self.assertNotEqual(done.stderr, "")


def bad_lines(text, before=12):
    """What is WRONG or an ERROR, with the lines that lead to it."""
    lines = text.splitlines()
    return "\n".join(line for number, _ in enumerate(lines) if lines[number].startswith(("  WRONG ", "  ERROR ")) for line in lines[max(0, number - before):number + 1])


def on_terminal(words):
    """What it writes on a terminal of 80 columns and 24 rows."""
    import fcntl
    import pty
    import struct
    import termios
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, cwd="/", start_new_session=True,
                          env={**os.environ, "TERM": "xterm", "NO_COLOR": ""}) as running:
        os.close(theirs)
        text = b""
        try:
            while chunk := os.read(ours, 65536):
                text += chunk
        except OSError:  # EIO: the last process closed the terminal
            pass
        os.close(ours)
        running.wait()
    return text.decode().replace("\r\n", "\n")


def add(name, method, *arguments):
    setattr(Chapter, f"test_{name}", lambda self: getattr(self, method)(*arguments))


for folder in chapters.folders():
    program = chapters.program_of(folder).name
    if not chapters.program_of(folder).exists():
        add(program, "skip", f"{program} is not built; ./lab build makes it")
        continue
    for question in ("is_quick", "explains", "beside_itself", "may_be_killed", "works_without_root", "runs_a_command", "fits_a_terminal", "refuses_wrong_words"):
        add(f"{program}_{question}", question, program)
    add(f"{program}_story_holds", "holds", [program])
    add(f"{program}_story_can_fail", "can_fail", [program])
    for experiment in chapters.listing(chapters.program_of(folder))["experiments"]:
        add(f"{program}_{experiment['name']}_holds", "holds", [program, "run", experiment["name"]])
        add(f"{program}_{experiment['name']}_can_fail", "can_fail", [program, "run", experiment["name"]])


if __name__ == "__main__":
    unittest.main()
