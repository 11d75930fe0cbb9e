"""What a chapter declares about its plan is what makes it different from the plan of the chapter before."""
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import chapters  # noqa: E402


def lanes(plan, ids):
    """{lane: ids in order}, of those steps that both plans have."""
    out = {}
    for step in plan["steps"]:
        if step["step"] in ids:
            out.setdefault(step["lane"], []).append(step["step"])
    return out


def is_subsequence(words, of):
    rest = iter(of)
    return all(word in rest for word in words)


class Plans(unittest.TestCase):
    def setUp(self):
        self.programs = chapters.built()
        if not self.programs:
            self.skipTest("no chapter is built; ./lab build makes them")

    def test_the_difference_is_the_declaration(self):
        earlier = {"steps": []}
        for number, program in sorted((chapters.number_of(program), program) for program in self.programs):
            plan = chapters.plan(program)
            declared = plan["declares"]
            with self.subTest(program=program.name):
                if number > 1 and chapters.number_of(program) - 1 not in {chapters.number_of(other) for other in self.programs}:
                    earlier = plan
                    continue  # the chapter before is not there yet
                before = {step["step"]: step for step in earlier["steps"]}
                after = {step["step"]: step for step in plan["steps"]}
                self.assertEqual(sorted(declared["adds"]), sorted(set(after) - set(before)), "adds")
                self.assertEqual(sorted(declared["removes"]), sorted(set(before) - set(after)), "removes")
                both = set(before) & set(after)
                moved = set(declared["moves"])
                self.assertLessEqual(moved, both, "moves")
                changed = {name for name in both if before[name]["text"] != after[name]["text"]}
                self.assertEqual(sorted(set(declared["changes"]) - moved), sorted(changed - moved), "changes")
                # What does not move stands in the same lanes and the same order; what is said to move does not.
                self.assertEqual(lanes(earlier, both - moved), lanes(plan, both - moved))
                for name in moved:
                    self.assertNotEqual(lanes(earlier, both - moved | {name}), lanes(plan, both - moved | {name}), f"{name} has not moved")
            earlier = plan

    def test_the_text_marks_what_is_new(self):
        for program in self.programs:
            text = subprocess.run([program, "--plan"], check=True, capture_output=True, text=True, timeout=30).stdout
            for name in chapters.plan(program)["declares"]["adds"]:
                with self.subTest(program=program.name, step=name):
                    self.assertRegex(text, rf"(?m)^\+ \w+ +{re.escape(name)}(?: |$)")

    def test_a_plan_is_pure(self):
        for program in self.programs:
            with self.subTest(program=program.name):
                self.assertEqual(chapters.plan(program), chapters.plan(program))


if __name__ == "__main__":
    unittest.main()
