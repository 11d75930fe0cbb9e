"""docs/notes-coverage.md is what tools/coverage.py writes, and every tag names an item of the notes."""
import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import coverage  # noqa: E402  (the path is set one line above)


class Coverage(unittest.TestCase):
    def test_every_tag_is_in_the_catalogue(self):
        self.assertEqual(sorted(set(coverage.citations()) - set(coverage.catalogue())), [])

    def test_the_table_is_up_to_date(self):
        items, cited = coverage.catalogue(), coverage.citations()
        known = {tag: files for tag, files in cited.items() if tag in items}
        self.assertEqual(coverage.TABLE.read_text(encoding="utf-8"), coverage.render(items, known),
                         "run tools/coverage.py and commit docs/notes-coverage.md")

    def test_the_catalogue_is_whole(self):
        kinds = [item.split("-")[0] for item in coverage.catalogue()]
        self.assertEqual((kinds.count("E"), kinds.count("U"), len(kinds)), (187, 38, 802))

    def test_an_item_with_a_citation_is_listed_as_shown(self):
        items = {"N1-001": ("01", "a | b"), "N1-002": ("01", "c")}
        text = coverage.render(items, {"N1-001": ["tests/unit/x_test.cpp"]})
        self.assertIn("| N1-001 | a \\| b | `tests/unit/x_test.cpp` |", text)
        self.assertIn("- **01 fork-clone**: N1-002\n", text)


if __name__ == "__main__":
    unittest.main()
