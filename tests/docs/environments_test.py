"""docs/environments.md is what tools/environments.py makes of the reports, and the reports say what today's doctor looks at."""
import json
import subprocess
import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import environments  # noqa: E402  (the path is set one line above)


class Page(unittest.TestCase):
    def test_the_page_is_up_to_date_with_the_reports(self):
        self.assertEqual(environments.PAGE.read_text(encoding="utf-8"), environments.render(environments.reports()),
                         "run tools/environments.py and commit docs/environments.md")

    def test_every_home_has_a_report(self):
        self.assertEqual(list(environments.reports()), list(environments.HOMES))

    def test_a_report_holds_no_path_of_the_machine_it_was_taken_on(self):
        for name, report in environments.reports().items():
            for entry in report["findings"]:
                self.assertNotRegex(json.dumps(entry), r"/(tmp|home|root|work)/", name)

    def test_every_defect_of_the_tests_is_listed(self):
        text = (environments.TESTS / "container" / "doctor_test.cpp").read_text(encoding="utf-8")
        table = text.split("const Defect defects[] = {")[1].split("\n};")[0]
        self.assertEqual(len(environments.provoked()), table.count('\n    {"'))
        self.assertGreaterEqual(len(environments.provoked()), 15)
        self.assertGreaterEqual(len(environments.provoked_in_the_machine()), 3)

    def test_grades_and_losses_are_told(self):
        lost = {"feature": "swap", "grade": "degraded", "found": "a | b", "cost": "c", "remedy": "d"}
        text = environments.render({"hybrid": {"machine": {"kernel": "6.1", "cgroups": "v2"}, "findings": [lost]},
                                    "container": {"machine": {"kernel": "6.1", "cgroups": "v2"}, "findings": [{"feature": "swap", "grade": "ok"}]}})
        self.assertIn("| swap | degraded | ok |", text)
        self.assertIn("| swap | a \\| b | c | `d` | hybrid |", text)


@unittest.skipUnless((tree.BIN / "drydock").exists(), "drydock is not built; ./lab build would do")
class Doctor(unittest.TestCase):
    def test_the_reports_have_the_features_of_todays_doctor(self):
        now = subprocess.run([tree.BIN / "drydock", "doctor", "--json"], capture_output=True, text=True, check=False, timeout=60).stdout
        wanted = [entry["feature"] for entry in environments.reduced(json.loads(now))["findings"]]
        for name, report in environments.reports().items():
            self.assertEqual([entry["feature"] for entry in report["findings"]], wanted, f"take the report '{name}' again")
