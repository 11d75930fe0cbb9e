"""The last line of ./lab test is a true sum: the parsers of tools/summary.py over what the test programs really print."""
import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / "tools"))
from summary import CatchStream, Tally, text_tally  # noqa: E402  (the path is set one line above)

VERSION_2 = """<?xml version="1.0" encoding="UTF-8"?>
<Catch name="unit_tests">
  <Group name="unit_tests">
    <TestCase name="good" tags="[a]" filename="a.cpp" line="3">
      <OverallResult success="true" durationInSeconds="0.5"><StdOut>
tried 7 pairs
      </StdOut></OverallResult>
    </TestCase>
    <TestCase name="not here" filename="a.cpp" line="9">
      <OverallResult success="true"><StdOut>
SKIP (not root; run with sudo): not here
      </StdOut></OverallResult>
    </TestCase>
    <TestCase name="bad" filename="a.cpp" line="12">
      <Expression success="false" type="CHECK" filename="a.cpp" line="13">
        <Original>one == 2</Original><Expanded>1 == 2</Expanded>
      </Expression>
      <OverallResult success="false"/>
    </TestCase>
"""
VERSION_3 = """<?xml version="1.0" encoding="UTF-8"?>
<Catch2TestRun name="unit_tests" rng-seed="1" catch2-version="3.7.1">
  <TestCase name="not here" tags="[a]" filename="a.cpp" line="3">
    <Skip filename="a.cpp" line="4">not root</Skip>
    <OverallResult success="true" skips="1"/>
  </TestCase>
</Catch2TestRun>
"""


class Catch(unittest.TestCase):
    def test_version_2_in_pieces(self):
        stream, cases = CatchStream(), []
        for start in range(0, len(VERSION_2), 50):
            cases += stream.feed(VERSION_2[start:start + 50])
        self.assertEqual([(case.name, case.outcome) for case in cases],
                         [("good", "passed"), ("not here", "skipped"), ("bad", "failed")])
        self.assertEqual(cases[0].notes, ["tried 7 pairs"])
        self.assertEqual(cases[1].notes[0], "not root; run with sudo")
        self.assertIn("a.cpp:13: CHECK( one == 2 )", cases[2].notes)
        self.assertIsNone(stream.running)

    def test_version_3_skip(self):
        (case,) = CatchStream().feed(VERSION_3)
        self.assertEqual((case.outcome, case.notes[0]), ("skipped", "not root"))

    def test_a_case_that_never_ended_is_seen(self):
        stream = CatchStream()
        stream.feed(VERSION_2 + '<TestCase name="crash" filename="a.cpp" line="20">')
        self.assertEqual(stream.running, "crash")


class Text(unittest.TestCase):
    def test_unittest(self):
        self.assertEqual(text_tally("x\nRan 9 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=2)\n", 1), Tally(5, 2, 2))
        self.assertEqual(text_tally("Ran 1 test in 0.1s\n\nOK\n", 0), Tally(1, 0, 0))

    def test_a_skip_that_is_only_said_is_counted(self):
        text = "SKIP (podman is not installed): test_podman\nRan 3 tests in 0.1s\n\nOK\n"
        self.assertEqual(text_tally(text, 0), Tally(2, 0, 1))

    def test_pytest(self):
        self.assertEqual(text_tally("==== 1 failed, 3 passed, 2 skipped in 0.12s ====\n", 1), Tally(3, 1, 2))

    def test_exit_status(self):
        self.assertEqual(text_tally("", 0), Tally(1, 0, 0))
        self.assertEqual(text_tally("", 77), Tally(0, 0, 1))
        self.assertEqual(text_tally("", -11), Tally(0, 1, 0))

    def test_a_death_after_a_good_summary_is_a_failure(self):
        self.assertEqual(text_tally("Ran 3 tests in 0.1s\n\nOK\n", -11).failed, 1)

    def test_the_line(self):
        self.assertEqual((Tally(1, 2, 3) + Tally(1, 0, 0)).line(), "2 passed, 2 failed, 3 skipped")


if __name__ == "__main__":
    unittest.main()
