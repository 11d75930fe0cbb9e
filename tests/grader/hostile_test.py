"""Hostile programs: each file of hostile/ is handed in as a function of chapter 02. None has a point, none harms, none tells.

The first lines of a file say what must come of it: `// EXPECT FAIL` is the outcome of check 02.1a, `// WITHIN 15` bounds the
seconds, `// SAYS text` must stand in what the student sees. A program that got where it must not says REACHED.
"""
import os
import re
import unittest
from pathlib import Path

import course
import host

FUNCTION = "enter_uts"
FOLDER = Path(__file__).parent / "hostile"


def setUpModule():
    global COURSE
    COURSE = course.set_up()


def tearDownModule():
    course.tear_down(COURSE)


def marks(text, name):
    return re.findall(rf"^// {name} (.*)$", text, re.MULTILINE)


@unittest.skipIf(os.geteuid() != 0, "not root; run with sudo")
class Hostile(unittest.TestCase):
    def hand_in(self, text):
        (expected,) = marks(text, "EXPECT")
        (seconds,) = marks(text, "WITHIN")
        done = COURSE.check("02", COURSE.folder(**{FUNCTION: text}))
        self.assertIn(done.status, (1, 3), done.output)
        self.assertEqual(done.result["finished"], True)
        self.assertEqual(done.result["score"]["earned"], 0, done.output)
        self.assertEqual(done.result["score"]["total"], 100)
        ids = [check["id"] for check in done.result["checks"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(done.outcomes()["02.1a"], expected, done.output)
        self.assertNotIn("ERROR", done.outcomes().values(), done.output)
        self.assertNotIn("REACHED", done.output)
        for words in marks(text, "SAYS"):
            self.assertIn(words, done.output)
        self.assertLess(done.seconds, float(seconds) * host.SLOWNESS)
        self.assertEqual(COURSE.broken_invariants(done), [])
        # The next one, who is honest, has what is due.
        honest = COURSE.check("02.2", COURSE.folder(**course.units("02")))
        self.assertEqual(honest.outcomes(), {"02.2a": "OK"}, honest.output)


def test_of(path):
    return lambda self: self.hand_in(path.read_text())


for file in sorted(FOLDER.glob("*.cpp")):
    setattr(Hostile, "test_" + file.stem.replace("-", "_"), test_of(file))

if __name__ == "__main__":
    unittest.main()
