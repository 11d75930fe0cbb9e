"""`lab author check` for each exercise: reference, stubs, mutants, hints; and that it would say so if something were wrong."""
import os
import shutil
import unittest

import course

FEWEST_CLAIMS = 10


def setUpModule():
    global COURSE
    COURSE = course.set_up()


def tearDownModule():
    course.tear_down(COURSE)


@unittest.skipIf(os.geteuid() != 0, "not root; run with sudo")
class Author(unittest.TestCase):
    def gate(self, chapter):
        done = COURSE.lab("author", "check", chapter, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(done.stdout.count("\nok "), FEWEST_CLAIMS)
        self.assertEqual(COURSE.broken_invariants(), [])

    def test_a_wrong_claim_is_found(self):
        """A mutant that says too little of itself, and a reference that is wrong, close the gate."""
        other = COURSE.scratch / "other"
        shutil.copytree(course.ROOT / "chapters" / "02-uts", other / "chapters" / "02-uts")
        shutil.copytree(course.ROOT / "chapters" / "shared" / "exercise", other / "chapters" / "shared" / "exercise")
        mutant = other / "chapters" / "02-uts" / "mutants" / "no-domain.cpp"
        mutant.write_text(mutant.read_text().replace("// BLOCKED 1c\n", ""))
        source = other / "chapters" / "02-uts" / "exercise.cpp"
        source.write_text(source.read_text().replace("O_CREAT | O_EXCL", "O_CREAT | O_EXCL | O_DIRECTORY"))
        COURSE.env["DRYDOCK_COURSE"] = str(other)
        try:
            done = COURSE.lab("author", "check", "02", timeout=240)
        finally:
            COURSE.env["DRYDOCK_COURSE"] = str(course.ROOT)
        self.assertEqual(done.returncode, 1)
        self.assertIn("WRONG  02-uts: mutant no-domain.cpp", done.stdout)
        self.assertIn("WRONG  02-uts: the reference has full marks", done.stdout)


for number in course.CHAPTERS:
    setattr(Author, f"test_chapter_{number}", lambda self, number=number: self.gate(number))

if __name__ == "__main__":
    unittest.main()
