"""The handouts of the chapters: the same sections in the same order, two pages at most, and nothing named that is not there."""
import re
import sys
import textwrap
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import chapters  # noqa: E402  (the path is set one line above)
import transcripts  # noqa: E402

SECTIONS = ["Ten lines of theory", "Predict, then run", "Experiments", "Failures you should see", "Think", "Going further",
            "Where it is in the code"]
PAGE_LINES, PAGE_COLUMNS, PAGES = 65, 100, 2
THEORY_LINES, MOST_EXPERIMENTS, MOST_IDEAS = 10, 7, 12
FOLDED = re.compile(r"^<details>.*?^</details>$", re.MULTILINE | re.DOTALL)
PRINTING = re.compile(r"\b(?:printf|puts|putchar|fmt::print|std::print|std::cout|std::cerr|stdout|stderr)\b")


def sections_of(text):
    """{heading: body} of the second level, in order."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def printed_lines(text):
    """As many lines as it takes on paper of PAGE_COLUMNS, empty ones left out; what is folded takes its summary."""
    text = FOLDED.sub("(folded)", text)
    return sum(len(textwrap.wrap(line, PAGE_COLUMNS)) for line in text.splitlines())


class Handouts(unittest.TestCase):
    """One test per chapter and check: below."""

    def check_title_question_minutes_and_needs(self, folder, text, sections):
        number, _, name = folder.name.partition("-")
        self.assertRegex(text, rf"\A# {number} {name}: \S.*\n\n\*\*Question\.\*\* ")
        self.assertRegex(text, r"(?m)^\*\d+ minutes · needs: [^*]+\*$")

    def check_the_sections_in_their_order(self, folder, text, sections):
        found = [heading for heading in sections if not heading.startswith(("Appendix", "Exercise", "How it is graded"))]
        self.assertEqual(found, SECTIONS)
        self.assertEqual([heading for heading in list(sections)[:-1] if heading.startswith("Appendix")], [], "an appendix is the end")

    def check_two_pages_at_most(self, folder, text, sections):
        main = re.split(r"^## Appendix", text, flags=re.MULTILINE)[0]
        self.assertLessEqual(printed_lines(main), PAGES * PAGE_LINES, folder.name)

    def check_ten_lines_of_theory_and_manual_pages(self, folder, text, sections):
        theory, _, manual = sections["Ten lines of theory"].partition("Manual pages:")
        self.assertLessEqual(len(theory.strip().splitlines()), THEORY_LINES)
        self.assertGreaterEqual(len(re.findall(r"`\w+\(\d\)`", manual)), 2)

    def check_predict_before_the_first_transcript(self, folder, text, sections):
        predict = sections["Predict, then run"]
        self.assertRegex(predict.split("```")[0], r"\?")
        self.assertIn(f"$ ch{folder.name}\n", predict)

    def check_failures_stand_beside_what_is_right(self, folder, text, sections):
        failures = sections["Failures you should see"]
        self.assertRegex(failures, r"(?s)\*\*Wrong\*\*.*?^```console.*?\*\*Right\*\*.*?^```console".replace("^", "(?m:^)"))

    def check_experiments_are_few_and_exist(self, folder, text, sections):
        named = re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", sections["Experiments"], re.MULTILINE | re.DOTALL)
        self.assertLessEqual(len(named), MOST_EXPERIMENTS)
        program = chapters.program_of(folder)
        if not program.exists():
            self.skipTest(f"{program.name} is not built; ./lab build makes it")
        known = {one["name"]: set(one["items"]) for one in chapters.listing(program)["experiments"]}
        for name, body in named:
            self.assertIn(name, known)
            cited = set(re.findall(r"\b(?:N\d-\d{3}|E-\d{3}|U-\d{2})\b", body))
            self.assertEqual(cited, known[name], name)

    def check_ideas_have_files_that_exist(self, folder, text, sections):
        rows = re.findall(r"^\| (?!idea|-)(.+?) \| `(.+?)` \|$", sections["Where it is in the code"], re.MULTILINE)
        self.assertGreater(len(rows), 2)
        self.assertLessEqual(len(rows), MOST_IDEAS)
        self.assertEqual([path for _, path in rows if not (tree.ROOT / path).exists()], [])

    def check_a_transcript_of_v2_comes_first_and_v1_is_folded(self, folder, text, sections):
        for block in transcripts.parse(text):
            if "v1" in block.words:
                self.assertTrue(any(fold.start() < block.start < fold.end() for fold in FOLDED.finditer(text)), "v1 is folded")
                self.assertTrue(any("v2" in other.words and other.end < block.start for other in transcripts.parse(text)), "v2 comes first")

    def check_every_chapter_stands_in_the_readme(self, folder, text, sections):
        readme = (tree.ROOT / "README.md").read_text(encoding="utf-8")
        program = chapters.program_of(folder)
        self.assertIn(f"[{folder.name}](chapters/{folder.name}/README.md)", readme)
        if program.exists():
            self.assertIn(chapters.listing(program)["idea"], readme)


for chapter in chapters.folders():
    for check in [name for name in vars(Handouts) if name.startswith("check_")]:
        def run(self, folder=chapter, check=check):
            page = (folder / "README.md").read_text(encoding="utf-8")
            getattr(self, check)(folder, page, sections_of(page))
        setattr(Handouts, f"test_{chapter.name}_{check.removeprefix('check_')}", run)


class Programs(unittest.TestCase):
    def test_what_is_observed_is_printed_by_show_only(self):
        wrong = [f"{tree.name(path)}: {match.group()}" for folder in chapters.folders() for path in sorted(folder.rglob("*.cpp"))
                 if path.name == "demo.cpp" or path.parent.name == "experiments"
                 for match in [PRINTING.search(tree.without_comments(path.read_text(encoding="utf-8")))] if match]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
