"""docs/notes-coverage.md and docs/errata.md are what tools/coverage.py writes, and every ID names an item of the notes."""
import os
import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import chapters  # noqa: E402  (the path is set one line above)
import coverage  # noqa: E402


class Coverage(unittest.TestCase):
    maxDiff = None

    def need_the_chapters(self):
        missing = chapters.not_built()
        if missing and "docs" in os.environ.get("DRYDOCK_MUST", "").split(","):
            self.fail(f"not built: {missing}")
        if missing:
            self.skipTest(f"not built: {' '.join(missing)}; ./lab build makes them")

    def test_every_id_is_in_the_catalogue(self):
        self.assertEqual(sorted(coverage.evidence().items() - set(coverage.catalogue())), [])

    def test_the_pages_are_up_to_date(self):
        self.need_the_chapters()
        items, found = coverage.catalogue(), coverage.evidence()
        for path, text in ((coverage.TABLE, coverage.render_coverage(items, found)), (coverage.ERRATA, coverage.render_errata(items, found))):
            with self.subTest(page=path.name):
                self.assertEqual(path.read_text(encoding="utf-8"), text, "run tools/coverage.py and commit what it wrote")

    def test_the_catalogue_is_whole(self):
        kinds = [item.split("-")[0] for item in coverage.catalogue()]
        self.assertEqual((kinds.count("E"), kinds.count("U"), len(kinds)), (187, 38, 802))
        self.assertEqual(list(coverage.errors()), [item for item in coverage.catalogue() if item.startswith("E-")])

    def test_what_is_shown_or_not(self):
        items = {"N1-001": ("01", "a | b"), "N1-002": ("01", "c"), "E-001": ("01", "d"), "N1-003": ("02", "e")}
        found = coverage.Evidence({"E-001": ["ch01-x run y"]}, {"N1-001": ["tests/unit/x_test.cpp"]}, {"N1-003": "a figure"})
        text = coverage.render_coverage(items, found)
        self.assertIn("| 01 fork-clone | 3 | 1 | 1 | 0 | 1 |", text)
        self.assertIn("| E-001 | d | experiment | `ch01-x run y` |", text)
        self.assertIn("| N1-001 | a \\| b | test | `tests/unit/x_test.cpp` |", text)
        self.assertIn("| N1-003 | e | a figure |", text)
        self.assertIn("- **01 fork-clone**: N1-002\n", text)

    def test_an_experiment_counts_before_a_test(self):
        found = coverage.Evidence({"E-001": ["ch01-x run y"]}, {"E-001": ["tests/unit/x_test.cpp"]}, {})
        self.assertEqual(coverage.counts({}, found, ["E-001", "E-002"]), (1, 0, 0, 1))
        self.assertEqual(found.by_what("E-001"), "`ch01-x run y`")


if __name__ == "__main__":
    unittest.main()
