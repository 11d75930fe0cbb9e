"""docs/other-homes.md and the devcontainer say what is there."""
import json
import os
import re
import subprocess
import unittest

import tree

PAGE = (tree.ROOT / "docs" / "other-homes.md").read_text(encoding="utf-8")


class OtherHomes(unittest.TestCase):
    def test_every_command_of_lab_is_known(self):
        text = subprocess.run([tree.ROOT / "lab", "help"], capture_output=True, text=True, timeout=30).stdout
        named = set(re.findall(r"(?:\./|^|'|`|: )lab ([a-z]+(?: (?:image|test|shell|clean))?)", PAGE, re.MULTILINE))
        self.assertGreaterEqual(named, {"run", "doctor", "vm image", "test"})
        for words in named:
            with self.subTest(command=words):
                self.assertRegex(text, rf"(?m)^  \./lab {words}\b")

    def test_every_variable_is_read_somewhere(self):
        read = "".join((tree.ROOT / name).read_text(encoding="utf-8") for name in ("Vagrantfile", "tools/provision.sh"))
        named = set(re.findall(r"DRYDOCK_[A-Z_]+", PAGE))
        self.assertGreaterEqual(len(named), 5)
        for name in named:
            self.assertIn(name, read)
        self.assertEqual(set(re.findall(r"DRYDOCK_[A-Z_]+", read)) - {"DRYDOCK_"} - named, set(), "set somewhere and not told")

    def test_every_system_of_the_vagrantfile_is_named(self):
        systems = re.findall(r'^  "([a-z0-9.]+)" =>', (tree.ROOT / "Vagrantfile").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(len(systems), 3)
        for name in systems:
            self.assertIn(f"`{name}`", PAGE)

    def test_the_devcontainer(self):
        text = (tree.ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
        settings = json.loads(text)
        program = settings["postCreateCommand"].split()[-1]
        self.assertTrue(os.access(tree.ROOT / program, os.X_OK), program)
        port = re.search(r"guest: (\d+)", (tree.ROOT / "Vagrantfile").read_text(encoding="utf-8")).group(1)
        self.assertEqual(settings["forwardPorts"], [int(port)])
        self.assertTrue(settings["privileged"])
        self.assertIn("target=/var/lib/drydock,type=volume", settings["mounts"][0])

    def test_the_delegation_is_the_one_that_is_written(self):
        text = (tree.ROOT / "tools" / "vm" / "guest" / "delegate.conf").read_text(encoding="utf-8")
        controllers = re.search(r"Delegate=(.*)", text).group(1)
        self.assertIn(f'"Delegate": "{controllers}"', PAGE)
        self.assertIn("delegate.conf", (tree.ROOT / "tools" / "provision.sh").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
