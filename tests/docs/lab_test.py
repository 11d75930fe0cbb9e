"""./lab refuses in one clear sentence what it cannot do, and packages.txt is a list that it can read."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import tree

LAB = tree.ROOT / "lab"


def lab(*words, **environment):
    return subprocess.run([LAB, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


class Refusals(unittest.TestCase):
    def assert_refused(self, result, sentence):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, sentence)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_an_unknown_command(self):
        self.assert_refused(lab("swim"), r"unknown command 'swim': './lab help' lists")

    def test_an_unknown_option_of_test(self):
        self.assert_refused(lab("test", "--fast"), r"unknown option '--fast'")

    def test_a_system_that_is_not_debian(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in ("sh", "dirname", "id", "stat", "awk"):
                os.symlink(shutil.which(program), f"{folder}/{program}")
            self.assert_refused(lab("setup", PATH=folder), r"not a Debian-like system")

    def test_neither_root_nor_sudo(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in ("sh", "dirname", "stat", "awk", "tr", "apt-get"):
                os.symlink(shutil.which(program), f"{folder}/{program}")
            for name, text in (("id", "echo 1000"), ("dpkg-query", "exit 1")):  # somebody else's machine: nothing is installed
                path = os.path.join(folder, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f"#!{shutil.which('sh')}\n{text}\n")
                os.chmod(path, 0o755)
            self.assert_refused(lab("setup", PATH=folder), r"cannot install .*cmake.*: you are not root and there is no sudo")


class Packages(unittest.TestCase):
    def lines(self):
        text = (tree.ROOT / "packages.txt").read_text(encoding="utf-8")
        return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]

    def test_every_line_is_a_section_or_a_name(self):
        name = r"[a-z0-9][a-z0-9+.-]+"
        wrong = [line for line in self.lines() if not re.fullmatch(rf"\[[a-z]+\]|{name}( \| {name})*", line)]
        self.assertEqual(wrong, [])

    def test_no_name_twice_in_a_section(self):
        section, names = "", []
        for line in self.lines():
            if line.startswith("["):
                section = line
            else:
                names.append((section, line))
        self.assertGreater(len(names), 15)
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_every_section_that_lab_asks_for_is_there(self):
        asked = set(re.findall(r"install_missing ([a-z ]+)", LAB.read_text(encoding="utf-8")))
        sections = {line.strip("[]") for line in self.lines() if line.startswith("[")}
        self.assertEqual({word for words in asked for word in words.split()} - sections, set())

    def test_the_provisioner_reads_the_same_list(self):
        script = (tree.ROOT / "tools" / "provision.sh").read_text(encoding="utf-8")
        self.assertIn('/lab" setup', script)
        self.assertNotIn("apt-get", script)
        self.assertIn("tools/provision.sh", (tree.ROOT / "Vagrantfile").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
