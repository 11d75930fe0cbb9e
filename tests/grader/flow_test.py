"""A student's way: start, check, a hint, a wrong answer, one that does not compile, the right one; and the words of each verdict."""
import hmac
import json
import os
import re
import unittest
from pathlib import Path

import jsonschema

import course

SEED = "00c0ffee00c0ffee"


def setUpModule():
    global COURSE
    COURSE = course.set_up()


def tearDownModule():
    course.tear_down(COURSE)


@unittest.skipIf(os.geteuid() != 0, "not root; run with sudo")
class Flow(unittest.TestCase):
    def work(self):
        return Path(COURSE.env["DRYDOCK_WORK"]) / "02-uts"

    def test_start_never_overwrites(self):
        self.assertEqual(COURSE.lab("start", "02").returncode, 0)
        file = self.work() / "enter_uts.cpp"
        file.write_text("// mine\n")
        again = COURSE.lab("start", "02")
        self.assertIn(f"kept  {file}", again.stdout)
        self.assertEqual(file.read_text(), "// mine\n")
        restored = COURSE.lab("restore", "02.1", "--yes")
        self.assertIn("TODO(02.1)", file.read_text())
        (backup,) = self.work().glob("enter_uts.cpp.*.bak")
        self.assertIn(str(backup), restored.stdout)
        self.assertEqual(backup.read_text(), "// mine\n")

    def test_the_untouched_stub_has_no_point(self):
        done = COURSE.check("02", COURSE.folder())
        self.assertEqual((done.status, done.result["score"]), (1, {"earned": 0, "gradable": 100, "total": 100}))
        self.assertEqual({check["attempted"] for check in done.result["checks"]}, {False})
        self.assertEqual(done.output.count("not attempted"), len(done.result["checks"]))
        self.assertTrue(done.output.endswith("left behind: nothing\n"), done.output)

    def test_comments_and_blanks_are_no_attempt(self):
        stub = COURSE.folder()
        COURSE.lab("start", "02")
        text = (self.work() / "join_uts.cpp").read_text()
        (stub / "join_uts.cpp").write_text("// I will do it tomorrow\n\n" + text.replace("  ", "\t"))
        self.assertFalse(any(check["attempted"] for check in COURSE.check("02", stub).result["checks"]))

    def test_the_reference_has_full_marks(self):
        for chapter in course.CHAPTERS:
            with self.subTest(chapter=chapter):
                done = COURSE.check(chapter, COURSE.folder(**course.units(chapter)))
                self.assertEqual((done.status, done.result["score"]["earned"], done.result["final"]), (0, 100, True), done.output)
                self.assertIn("100 / 100 / 100", done.output)

    def test_a_failure_says_five_things_and_its_replay_is_true(self):
        texts = course.units("02")
        texts["enter_uts"] = texts["enter_uts"].replace("setdomainname(domain, strlen(domain))", "setdomainname(domain, 1)")
        folder = COURSE.folder(**texts)
        first = COURSE.check("02", folder, "--seed", SEED)
        self.assertEqual(first.outcomes()["02.1b"], "FAIL")
        self.assertEqual(first.outcomes()["02.1c"], "BLOCKED")
        for word in ("expected", "observed", "where", "why", "replay"):
            self.assertRegex(first.output, rf"\n           {word} +\S")
        self.assertIn(f"./lab check 02.1b --seed {SEED}", first.output)
        again = COURSE.check("02.1b", folder, "--seed", SEED)
        wanted = next(check for check in first.result["checks"] if check["id"] == "02.1b")
        (seen,) = again.result["checks"]
        self.assertEqual(seen["finding"], wanted["finding"])

    def test_a_students_seed_is_made_of_the_key(self):
        key = COURSE.scratch / "key"
        key.write_bytes(b"Jefe")
        folder = COURSE.folder()
        seeds = [COURSE.check("02", folder, "--key", key, "--student", name).result["seed"] for name in ("ada", "ada", "bob")]
        expected = [hmac.new(b"Jefe", name, "sha256").hexdigest()[:16] for name in (b"ada", b"ada", b"bob")]
        self.assertEqual(seeds, expected)
        self.assertEqual(COURSE.check("02", folder, "--key", key).status, 2)

    def test_part_of_a_chapter_has_no_total(self):
        done = COURSE.check("02.2", COURSE.folder(**course.units("02")))
        self.assertNotRegex(done.output, r"\d+ / \d+ / \d+")
        self.assertNotIn("score", done.result)
        self.assertEqual(list(done.outcomes()), ["02.2a"])

    def test_an_error_in_one_function_leaves_the_others(self):
        texts = course.units("02")
        texts["join_uts"] = texts["join_uts"].replace("return result;", "return result")
        done = COURSE.check("02", COURSE.folder(**texts))
        self.assertEqual(done.result["score"]["earned"], 80, done.output)
        self.assertEqual([broken["function"] for broken in done.result["broken"]], ["join_uts"])
        self.assertIn("join_uts does not compile; its stub stands in", done.output)
        self.assertRegex(done.output, r"join_uts\.cpp:\d+:\d+: error: expected")

    def test_nothing_that_compiles_is_said(self):
        done = COURSE.check("02", COURSE.folder(**{name: "int" for name in course.units("02")}))
        self.assertEqual((done.status, done.result["compiles"], done.result["score"]["earned"]), (3, False, 0), done.output)

    def test_results_follow_their_schema(self):
        schema = json.loads((course.ROOT / "docs" / "result.schema.json").read_text())
        folder = COURSE.folder(**{**course.units("02"), "join_uts": "int", "pin_uts": "\x07\x1b[31m\udcff"})
        results = [COURSE.check("02", folder).result, COURSE.check("02.1b", folder).result, COURSE.check("02", COURSE.folder()).result]
        unfinished = {**results[0], "finished": False, "trouble": "grading did not finish"}
        for result in [*results, unfinished]:
            jsonschema.validate(result, schema)
        del results[0]["seed"]
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(results[0], schema)

    def test_three_hints_for_each_function(self):
        for chapter in course.CHAPTERS:
            for number in range(1, len(course.units(chapter)) + 1):
                texts = {COURSE.lab("hint", f"{chapter}.{number}", "--level", level).stdout for level in (1, 2, 3)}
                self.assertEqual(len(texts), 3)
                self.assertTrue(all(len(text) > 60 for text in texts))

    def test_wrong_words(self):
        for words in (["check"], ["check", "99"], ["check", "02.9"], ["hint", "02"], ["nothing"], ["restore", "02.9"]):
            with self.subTest(words=words):
                done = COURSE.lab(*words)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertGreater(len(done.stdout + done.stderr), 20)

    def test_links_and_pipes_are_not_read(self):
        folder = COURSE.folder()
        (folder / "enter_uts.cpp").symlink_to("/run/canary")
        os.mkfifo(folder / "join_uts.cpp")
        done = COURSE.check("02", folder)
        self.assertEqual(done.status, 2, done.output)
        self.assertIn("'enter_uts.cpp': it is a link", done.output)
        (folder / "enter_uts.cpp").unlink()
        done = COURSE.check("02", folder)
        self.assertEqual(done.status, 2, done.output)
        self.assertIn("'join_uts.cpp': it is no regular file", done.output)
        self.assertEqual(COURSE.broken_invariants(done), [])

    def test_lines_fit_a_page(self):
        done = COURSE.check("02", COURSE.folder())
        self.assertEqual([line for line in done.output.splitlines() if len(line) > 80], [])
        self.assertIsNotNone(re.search(r"seed [0-9a-f]{16}", done.output))


if __name__ == "__main__":
    unittest.main()
