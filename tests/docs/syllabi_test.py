"""docs/syllabi.md: the minutes of a lab are the sum of its chapters', and each plan is as long as its title says."""
import re
import unittest

import tree

PAGE = tree.ROOT / "docs" / "syllabi.md"
LABS = {"Four": 4, "Six": 6, "Twelve": 12}


def minutes_of_chapters():
    """{"01": 90, ...} as the handouts state them."""
    found = {}
    for handout in sorted((tree.ROOT / "chapters").glob("[0-9][0-9]-*/README.md")):
        stated = re.search(r"(?m)^\*(\d+) minutes", handout.read_text(encoding="utf-8"))
        found[handout.parent.name[:2]] = int(stated.group(1))
    return found


def plans():
    """{title: [(number, chapters, minutes), ...]}"""
    found = {}
    for part in re.split(r"(?m)^## ", PAGE.read_text(encoding="utf-8"))[1:]:
        rows = re.findall(r"(?m)^\| (\d+) \| ([0-9, ]+) \| (\d+) \|", part)
        found[part.split()[0]] = [(int(number), chapters.split(", "), int(minutes)) for number, chapters, minutes in rows]
    return found


class Syllabi(unittest.TestCase):
    def test_each_plan_has_as_many_labs_as_it_says(self):
        self.assertEqual({title: [row[0] for row in rows] for title, rows in plans().items()},
                         {title: list(range(1, count + 1)) for title, count in LABS.items()})

    def test_the_minutes_are_those_of_the_handouts(self):
        of_chapter = minutes_of_chapters()
        for title, rows in plans().items():
            for number, chapters, minutes in rows:
                with self.subTest(plan=title, lab=number):
                    self.assertEqual(minutes, sum(of_chapter[chapter] for chapter in chapters))

    def test_the_longest_plan_leaves_no_chapter_out(self):
        covered = sorted(chapter for _, chapters, _ in plans()["Twelve"] for chapter in chapters)
        self.assertEqual(covered, sorted(set(minutes_of_chapters()) - {"00"}))


if __name__ == "__main__":
    unittest.main()
