"""What ./lab vm makes of this machine's settings: mirrors, packages, suites, and what it refuses. No machine is started."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import tree

sys.path.insert(0, str(tree.ROOT / "tools" / "vm"))
sys.dont_write_bytecode = True

import image  # noqa: E402
import machine  # noqa: E402
import payload  # noqa: E402
import sources  # noqa: E402
import vm  # noqa: E402


class Sources(unittest.TestCase):
    def test_the_mirrors_of_this_machine_are_used_for_any_release(self):
        targets = ("http://mirror.example/debian/ bookworm-updates Debian\nhttp://mirror.example/debian/ bookworm Debian\n"
                   "http://mirror.example/security/ bookworm-security Debian\nhttp://other.example/ nodistro Vendor\n")
        self.assertEqual(sources.mirrors(targets), ("http://mirror.example/debian", "http://mirror.example/security"))

    def test_without_settings_debians_own(self):
        self.assertEqual(sources.mirrors("http://other.example/ stable Vendor\n"), (sources.DEBIAN, sources.SECURITY))


class Image(unittest.TestCase):
    def test_a_section_ends_where_the_next_begins(self):
        self.assertEqual(image.section("b", "[a]\none\n[b]\n# two\nthree | four\n\n[c]\nfive\n"), ["three"])

    def test_the_guest_has_an_init_and_the_tools_of_its_job(self):
        names = image.section("guest", (tree.ROOT / "packages.txt").read_text(encoding="utf-8"))
        for name in ("systemd-sysv", "python3", "busybox-static", "e2fsprogs", "kmod"):
            self.assertIn(name, names)

    def test_kernels_by_series_or_by_package(self):
        self.assertEqual(image.kernel_package("", "amd64"), "linux-image-cloud-amd64")
        self.assertEqual(image.kernel_package("6.12", "amd64"), "linux-image-6.12-cloud-amd64")
        self.assertEqual(image.kernel_package("linux-image-rt-amd64", "amd64"), "linux-image-rt-amd64")

    def test_the_libraries_of_a_program_are_packages(self):
        self.assertIn("libc6", image.library_packages([sys.executable]))


class Results(unittest.TestCase):
    def test_a_machine_that_left_nothing_has_no_status(self):
        with tempfile.TemporaryDirectory() as folder:
            made = machine.Machine(None, Path(folder))
            machine.sparse(made.results, 1)
            self.assertIsNone(made.bring_back(Path(folder)))


class Refusals(unittest.TestCase):
    def assert_refused(self, words, sentence):
        result = subprocess.run([tree.ROOT / "lab", "vm", *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, sentence)

    def test_vm_needs_a_command(self):
        self.assert_refused([], "vm needs one of: test, shell, image, clean")
        self.assert_refused(["fly"], "vm needs one of: test, shell, image, clean")


class Suites(unittest.TestCase):
    def test_they_are_names_of_tests_of_this_build(self):
        text = (tree.ROOT / "tests" / "CMakeLists.txt").read_text(encoding="utf-8")
        classes = text.split("foreach(class ")[1].split(")")[0].split()
        for name in payload.SUITES:
            self.assertIn(name, [*classes, "chapters"])

    def test_the_short_set_is_part_of_the_whole_and_both_are_filters_of_the_runner(self):
        self.assertLessEqual(set(vm.SHORT), set(vm.WHOLE))
        for short, suites in ((True, vm.SHORT), (False, vm.WHOLE)):
            names, words = vm.chosen_suites(None, short)
            self.assertEqual(names, list(suites))
            self.assertEqual(words[::2], ["--cases"] * (len(words) // 2))
            self.assertEqual(dict(word.split("=", 1) for word in words[1::2]), {name: cases for name, cases in suites.items() if cases})
        self.assertEqual(vm.chosen_suites("kernel,unit", False), (["kernel", "unit"], []))
        self.assertEqual(vm.chosen_suites("kernel:a,b", True), (["kernel"], ["--only", "kernel:a,b"]))

    def test_what_the_short_set_takes_of_a_chapter_is_there(self):
        text = (tree.ROOT / "chapters" / "08-cgroups" / "demo.cpp").read_text(encoding="utf-8")
        for name in vm.SHORT["chapters"].split(","):
            self.assertRegex(text, rf'\n    \{{"{name.removeprefix("ch08-cgroups_").removesuffix("_holds")}",')


if __name__ == "__main__":
    unittest.main()
