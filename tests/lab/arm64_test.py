"""The system calls and the plan compile for arm64, and the monitor is a whole program there.

With Debian's cross compiler and its own static libraries; no package of another architecture. The library's other folders need such
packages (openssl has a header for each architecture), so they are left to a machine that is arm64.
"""
import json
import os
import re
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import need

COMPILER = "aarch64-linux-gnu-g++"
BUILD = Path(os.environ.get("DRYDOCK_BIN_DIR", need.TOP / "build" / "release" / "bin")).parent
CHECKED = re.compile(r"src/drydock/(kernel|plan)/|apps/drydock-monitor/")
LINKED = re.compile(r"src/drydock/plan/executor/|apps/drydock-monitor/")


def commands():
    """(path in the tree, words after the compiler without the output) of what is checked, as this build compiles it."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        name = os.path.relpath(entry["file"], need.TOP)
        if CHECKED.match(name):
            words = entry["command"].split()
            begin = next(number for number, word in enumerate(words) if word.endswith(("c++", "g++"))) + 1
            output = words.index("-o")
            yield name, [*words[begin:output], *words[output + 2:]]


def compile_one(words, output):
    """-idirafter: headers that are the same everywhere (fmt, nlohmann), after the cross compiler's own."""
    words = [word for word in words if word not in ("-Wno-restrict",)] + ["-idirafter", "/usr/include"]
    result = subprocess.run([COMPILER, *words, *(["-o", output] if output else ["-fsyntax-only"])], cwd=BUILD, capture_output=True,
                            text=True, timeout=600)
    return result.stderr if result.returncode else ""


class Arm64(unittest.TestCase):
    def setUp(self):
        need.program(self, COMPILER, "./lab setup test")
        if not (BUILD / "compile_commands.json").exists():
            need.missing(self, f"there is no build in {BUILD}", "./lab build")

    def test_system_calls_plan_and_monitor(self):
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
            work = [(name, words, f"{folder}/{number}.o" if LINKED.match(name) else None) for number, (name, words) in enumerate(commands())]
            self.assertGreater(len(work), 20)
            said = pool.map(lambda item: compile_one(item[1], item[2]), work)
            self.assertEqual({name: error for (name, _, _), error in zip(work, said) if error}, {})
            monitor = f"{folder}/monitor"
            objects = [output for _, _, output in work if output]
            subprocess.run([COMPILER, "-static", "-Wl,--gc-sections", "-o", monitor, *objects], check=True, timeout=600)
            self.it_is_a_program(monitor)

    def it_is_a_program(self, monitor):
        header = Path(monitor).read_bytes()[:20]
        self.assertEqual((header[:4], int.from_bytes(header[18:20], "little")), (b"\x7fELF", 183), "ELF for EM_AARCH64")
        need.program(self, "qemu-aarch64", "./lab setup test")
        result = subprocess.run(["qemu-aarch64", monitor], capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("started by drydock", result.stderr)

    def test_a_call_that_arm64_does_not_have_is_noticed(self):
        """x86-64 has open(2), arm64 only openat(2): such a slip must not get through."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "slip.cpp"
            source.write_text('#include <sys/syscall.h>\n#include <unistd.h>\nint main() { return static_cast<int>(syscall(SYS_open, "/", 0)); }\n',
                              encoding="ascii")
            self.assertIn("SYS_open", compile_one(["-std=c++20", "-c", str(source)], None))


if __name__ == "__main__":
    unittest.main()
