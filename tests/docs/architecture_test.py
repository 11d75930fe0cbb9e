"""docs/architecture.md names what is there, and nothing else."""
import re
import unittest

import layers_test
import tree

PAGE = tree.ROOT / "docs" / "architecture.md"


class Architecture(unittest.TestCase):
    def setUp(self):
        self.text = PAGE.read_text(encoding="utf-8")

    def named_folders(self):
        """Every `path/` in back quotes, and every folder of the tree drawing (two spaces a level)."""
        return set(re.findall(r"`([\w.-]+(?:/[\w.-]+)*/)`", self.text))

    def test_every_folder_named_exists(self):
        named = self.named_folders()
        self.assertGreater(len(named), 10)
        missing = [folder for folder in sorted(named)
                   if not ((tree.ROOT / folder).is_dir() or (tree.CORE / folder).is_dir())]
        self.assertEqual(missing, [])

    def test_every_folder_of_the_core_is_named(self):
        named = self.named_folders()
        self.assertEqual([folder for folder in tree.core_folders() if f"{folder}/" not in named], [])

    def test_every_program_is_named(self):
        programs = sorted(path.name for path in (tree.ROOT / "apps").iterdir() if path.is_dir() and any(path.iterdir()))
        self.assertEqual([program for program in programs if f"`{program}`" not in self.text], [])

    def test_every_file_named_exists(self):
        named = set(re.findall(r"`((?:[\w.-]+/)+[\w-]+\.(?:hpp|cpp|py|md|txt))`", self.text))
        missing = [path for path in sorted(named) if not ((tree.ROOT / path).exists() or (tree.CORE / path).exists())]
        self.assertEqual(missing, [])

    def test_the_order_drawn_is_the_order_checked(self):
        row = re.search(r"^kernel → .*$", self.text, re.MULTILINE)
        self.assertIsNotNone(row, "the line that begins with 'kernel →' is missing")
        drawn = [re.findall(r"[a-z]+", part) for part in row.group().split("→")]
        here = set(tree.core_folders())
        checked = [[folder for folder in level if folder in here] for level in layers_test.ORDER]
        self.assertEqual([sorted(level) for level in drawn], [sorted(level) for level in checked if level])


if __name__ == "__main__":
    unittest.main()
