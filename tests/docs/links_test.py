"""Links between the pages lead somewhere, and a test that a page tells the reader to run exists."""
import json
import os
import re
import subprocess
import unittest

import tree

PAGES = sorted([*tree.ROOT.glob("*.md"), *(tree.ROOT / "docs").glob("*.md"), *(tree.ROOT / "bench").glob("*.md")])


class Links(unittest.TestCase):
    def test_every_relative_link_leads_to_a_file(self):
        count = 0
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                if "://" in target:
                    continue
                count += 1
                with self.subTest(page=page.name, link=target):
                    self.assertTrue((page.parent / target).exists())
        self.assertGreater(count, 5)

    def test_every_suite_named_exists(self):
        listed = subprocess.run(["ctest", "--test-dir", tree.BIN.parent, "--show-only=json-v1"], capture_output=True, text=True, timeout=30).stdout
        suites = {test["name"] for test in json.loads(listed)["tests"]}
        for page in PAGES:
            for suites_named in re.findall(r"\./lab test --only ([a-z0-9-]+)", page.read_text(encoding="utf-8")):
                with self.subTest(page=page.name, suite=suites_named):
                    self.assertIn(suites_named, suites)

    def test_every_test_named_exists(self):
        named = set()
        for page in PAGES:
            named.update(re.findall(r"--only ([a-z]+):'([^']+)'", page.read_text(encoding="utf-8")))
        self.assertGreater(len(named), 10)
        for suite, cases in sorted(named):
            program = tree.BIN / f"{suite}_tests"
            if not program.exists():
                if "docs" in os.environ.get("DRYDOCK_MUST", "").split(","):
                    self.fail(f"{program} is not built")
                self.skipTest(f"{program} is not built; ./lab build makes it")
            with self.subTest(suite=suite, cases=cases):
                # Version 2 ends with the number of cases, version 3 with 0; both print the names.
                listed = subprocess.run([program, "--list-tests", cases], capture_output=True, text=True, timeout=30).stdout
                self.assertNotRegex(listed, r"(?m)^(0 matching test cases|No test cases)")


if __name__ == "__main__":
    unittest.main()
