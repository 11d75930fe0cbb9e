"""The rules of the house that a machine can check: lengths, places of errno and shells, no path of somebody's machine."""
import re
import unittest

import tree

FILE_AIM, FILE_CAP = 300, 400
FUNCTION_AIM = 60
FOLDERS = ("src", "apps", "bench", "tools", "tests", "python", "chapters")
CPP = (".cpp", ".hpp")
# Words that betray where a file was written: somebody's home, or this very folder.
MACHINE_PATHS = re.compile(rf"/home/(?!vagrant|me|user)\w+/|/Users/\w+|/tmp/build-\w+|{re.escape(str(tree.ROOT))}\b")
# They quote other people's words.
QUOTING = ("notes-catalogue.tsv", "notes-coverage.md", "notes-errors.tsv", "errata.md", "house_rules_test.py")


def lines_in(path):
    return path.read_text(encoding="utf-8").count("\n")


def long_functions(path):
    """(lines, first line) of each block at namespace level that is longer than the aim; a rough reading, for a report."""
    text = tree.without_comments(path.read_text(encoding="utf-8"))
    found, start, header = [], None, ""
    for line in text.splitlines():
        if re.match(r"^[A-Za-z].*\)[^;]*\{\s*$", line):
            start, header, count = True, line.strip(), 0
        elif start:
            count += 1
            if line.startswith("}"):
                if count > FUNCTION_AIM:
                    found.append((count, header))
                start = None
    return found


# What a header of the library brings along beside its own names differs from release to release: g++ 12's <optional> and <vector>
# bring the fixed-width integers, g++ 14's do not, and a build on the older one does not show it.
FIXED_WIDTH = re.compile(r"\bu?int(?:8|16|32|64)_t\b")
INCLUDE_ROOTS = ("src", "tests", "apps", "apps/drydock")


def reaches(path, header, seen):
    """Whether `path` includes <header> itself, or one of our own headers does for it."""
    for include in tree.includes(path):
        if include == header:
            return True
        for candidate in [path.parent / include, *(tree.ROOT / root / include for root in INCLUDE_ROOTS)]:
            if candidate.is_file() and candidate not in seen:
                seen.add(candidate)
                if reaches(candidate, header, seen):
                    return True
    return False


class HouseRules(unittest.TestCase):
    def test_fixed_width_integers_come_from_their_header(self):
        users = [path for path in tree.sources("src", "apps", "bench", "tests", suffixes=CPP)
                 if FIXED_WIDTH.search(tree.without_comments(path.read_text(encoding="utf-8")))]
        self.assertGreater(len(users), 20)
        self.assertEqual([tree.name(path) for path in users if not reaches(path, "cstdint", set())], [])

    def test_no_file_over_the_cap(self):
        sizes = [(lines_in(path), tree.name(path)) for path in tree.sources(*FOLDERS)]
        self.assertGreater(len(sizes), 20)
        for count, name in sorted(sizes, reverse=True):
            if FILE_AIM < count <= FILE_CAP:
                print(f"note: {name} has {count} lines, the aim is {FILE_AIM}")
        self.assertEqual([entry for entry in sorted(sizes, reverse=True) if entry[0] > FILE_CAP], [])

    def test_report_long_functions(self):
        rows = [(count, tree.name(path), header) for path in tree.sources("src", "apps", suffixes=(".cpp",))
                for count, header in long_functions(path)]
        for count, name, header in sorted(rows, reverse=True)[:20]:
            print(f"note: {name}: {count} lines: {header}")
        self.assertEqual([row for row in rows if row[0] > 4 * FUNCTION_AIM], [])

    def test_errno_is_read_in_kernel_only(self):
        wrong = [tree.name(path) for path in tree.sources("src/drydock", "apps", suffixes=CPP)
                 if not tree.name(path).startswith("src/drydock/kernel/")
                 and re.search(r"\berrno\b", re.sub(r"#.*", "", tree.without_comments(path.read_text(encoding="utf-8"))))]
        self.assertEqual(wrong, [])

    def test_nothing_is_shelled_out(self):
        call = re.compile(r"(?<![\w.:>])(?:std::)?(?:system|popen)\s*\(")
        wrong = [tree.name(path) for path in tree.sources("src", "apps", suffixes=CPP)
                 if call.search(tree.without_comments(path.read_text(encoding="utf-8")))]
        self.assertEqual(wrong, [])

    def test_every_header_says_what_it_is_for(self):
        wrong = []
        for path in tree.sources("src/drydock", suffixes=(".hpp",)):
            opening = path.read_text(encoding="utf-8").split("#pragma once")[0]
            if opening.startswith("// ") and ("executor" in path.parts or "Not for users" in opening):
                continue  # nobody outside the folder includes these
            if not opening.startswith("// ") or not re.search(r"Example:|Source:", opening):
                wrong.append(tree.name(path))
        self.assertEqual(wrong, [], "a header opens with its purpose, and with 'Example:' and 'Source:' (at least one of them)")

    def test_no_path_of_a_machine(self):
        suffixes = tree.CODE + (".md", ".txt", ".json", ".tsv", ".ipynb", "")
        files = tree.sources(*FOLDERS, "docs", "notebooks", suffixes=suffixes)
        files += [path for path in tree.ROOT.iterdir() if path.is_file()]
        wrong = [f"{tree.name(path)}: {match.group()}" for path in files if path.name not in QUOTING
                 for match in [MACHINE_PATHS.search(path.read_text(encoding="utf-8", errors="replace"))] if match]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
