"""kill -9 at random moments: the result file is valid, and nothing is left a second later, or after the next command."""
import json
import os
import random
import signal
import time
import unittest
from pathlib import Path

import course
import host

ROUNDS = 100 if os.environ.get("DRYDOCK_FULL") else 15
LONGEST = 1.6  # a whole grading takes about as long


def setUpModule():
    global COURSE
    COURSE = course.set_up()


def tearDownModule():
    course.tear_down(COURSE)


def children_of(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def monitors_of(pid):
    try:
        return [child for child in children_of(pid) if Path(f"/proc/{child}/comm").read_text() == "drydock-monitor\n"]
    except OSError:
        return []


@unittest.skipIf(os.geteuid() != 0, "not root; run with sudo")
class Killed(unittest.TestCase):
    def killed(self, seed, monitors_too):
        folder = COURSE.folder(**course.units("02"))
        out = folder / "result.json"
        grader = COURSE.start("check", "02", "--submission", folder, "--out", out)
        while not out.exists() and grader.poll() is None:
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0, LONGEST) * host.SLOWNESS)
        os.kill(grader.pid, signal.SIGSTOP)  # no new monitor while the present ones are counted
        monitors = children_of(grader.pid) if monitors_too else []
        os.kill(grader.pid, signal.SIGKILL)
        for pid in monitors:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        ended = grader.wait()
        result = json.loads(out.read_text())
        self.assertEqual(result["schema"], "drydock.result/1")
        if not result["finished"]:
            self.assertEqual(result["trouble"], "grading did not finish")
            self.assertNotIn("score", result)
        return ended

    def test_the_grader(self):
        for seed in range(ROUNDS):
            with self.subTest(seed=seed):
                self.killed(seed, monitors_too=False)
                self.assertEqual(COURSE.broken_invariants(), [])

    def test_the_grader_and_its_monitors(self):
        for seed in range(ROUNDS, 2 * ROUNDS):
            with self.subTest(seed=seed):
                self.killed(seed, monitors_too=True)
                deadline = time.monotonic() + host.SLOWNESS
                while course.processes_of_boxes() and time.monotonic() < deadline:
                    time.sleep(0.01)
                self.assertEqual(course.processes_of_boxes(), [])
        after = COURSE.check("02.2", COURSE.folder(**course.units("02")))
        self.assertEqual(after.outcomes(), {"02.2a": "OK"}, after.output)
        self.assertEqual(COURSE.broken_invariants(), [])

    def test_a_monitor_alone(self):
        """Nothing of a student's can do that: it is an ERROR, there is no mark, and the next command undoes what is left."""
        for seed in range(4):
            with self.subTest(seed=seed):
                folder = COURSE.folder(**course.units("02"))
                grader = COURSE.start("check", "02", "--submission", folder, "--out", folder / "result.json")
                time.sleep(random.Random(seed).uniform(0, LONGEST / 2) * host.SLOWNESS)
                while not (monitors := monitors_of(grader.pid)) and grader.poll() is None:
                    time.sleep(0.001)
                for pid in monitors:
                    os.kill(pid, signal.SIGKILL)
                status = grader.wait()
                result = json.loads((folder / "result.json").read_text())
                if status == 0:  # it had ended, or what was killed had done its work
                    continue
                self.assertEqual((status, result["final"]), (70, False))
                outcomes = {check["outcome"] for check in result["checks"]}
                self.assertIn("ERROR", outcomes)
                self.assertNotIn("FAIL", outcomes)
        after = COURSE.check("02.2", COURSE.folder(**course.units("02")))
        self.assertEqual(after.outcomes(), {"02.2a": "OK"}, after.output)
        self.assertEqual(COURSE.broken_invariants(), [])


if __name__ == "__main__":
    unittest.main()
