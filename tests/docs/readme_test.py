"""What README.md tells the reader to type exists: commands and flags of drydock, commands of ./lab."""
import os
import re
import subprocess
import unittest

import tree

README = tree.ROOT / "README.md"
PROGRAM = tree.BIN / "drydock"


def commands_in(text, program):
    """Lines of code blocks that begin with `program`, as lists of words; a leading prompt or sudo is left out."""
    found = []
    for block in re.findall(r"^```(?:sh|console)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = line.split("#")[0].removeprefix("$ ").split()
            if words and words[0] == "sudo":
                words = words[1:]
            if words and words[0] in (program, f"./{program}", f"build/release/bin/{program}"):
                found.append(words[1:])
    return found


def table_commands(text):
    """`drydock image load …` in the first column of the table of commands."""
    return [cell.split() for cell in re.findall(r"^\| `drydock ([a-z][a-z ]*)", text, re.MULTILINE)]


class Readme(unittest.TestCase):
    def setUp(self):
        self.text = README.read_text(encoding="utf-8")

    def help_of(self, words):
        if not PROGRAM.exists():
            if "docs" in os.environ.get("DRYDOCK_MUST", "").split(",") or os.environ.get("DRYDOCK_MUST") == "all":
                self.fail(f"{PROGRAM} is not built")
            self.skipTest(f"{PROGRAM} is not built; ./lab build makes it")
        result = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, 0, f"drydock {' '.join(words)} --help: {result.stderr}")
        return result.stdout

    def test_every_command_of_the_table_has_help(self):
        commands = table_commands(self.text)
        self.assertGreater(len(commands), 10)
        for words in commands:
            with self.subTest(command=words):
                self.help_of(words)

    def test_every_example_is_a_command_with_known_flags(self):
        examples = commands_in(self.text, "drydock")
        self.assertGreater(len(examples), 3)
        for words in examples:
            command = words[:2] if words[0] == "image" or words[:2] == ["facts", "diff"] else words[:1]
            text = self.help_of(command)
            for flag in re.findall(r"(?:^| )(--[a-z-]+)", " ".join(words[len(command):]).split(" -- ")[0]):
                with self.subTest(command=command, flag=flag):
                    self.assertRegex(text, rf"{re.escape(flag)}\b")

    def test_every_command_of_lab_is_known(self):
        text = subprocess.run([tree.ROOT / "lab", "help"], capture_output=True, text=True, timeout=30).stdout
        named = commands_in(self.text, "lab")
        self.assertGreater(len(named), 1)
        for words in named:
            with self.subTest(command=words):
                self.assertRegex(text, rf"(?m)^\s*(\./lab )?{re.escape(words[0])}\b")


if __name__ == "__main__":
    unittest.main()
