"""A course on a played host: folders of submissions, the built lab tool, and the invariants that hold whatever is handed in.

Example: course = Course(); done = course.check("02", course.folder(reference="02")); assert done.result["score"]["earned"] == 100
"""
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "chapters"))
import host  # noqa: E402

BIN = Path(os.environ.get("DRYDOCK_BIN_DIR", ROOT / "build" / "release" / "bin"))
CANARY = "CANARY-5d1f0a"
FIRST_ID = 1_000_000_000  # box_plan.hpp: first_box_id
MEGABYTES_OF_GRADER = 200
UNTOUCHABLE = ("kernel/core_pattern", "kernel/hostname", "kernel/randomize_va_space", "vm/overcommit_memory", "kernel/modprobe", "net/ipv4/ip_forward")
CHAPTERS = sorted(path.parent.name[:2] for path in (ROOT / "chapters").glob("[0-9]*/exercise.cpp"))


def units(chapter):
    """Names and reference texts of the functions: what the author wrote, without the marks."""
    (source,) = (ROOT / "chapters").glob(f"{chapter}-*/exercise.cpp")
    preamble, *parts = re.split(r"^// EXERCISE (?=\d)", source.read_text(), flags=re.MULTILINE)
    marks = re.compile(r"^\s*// (BEGIN SOLUTION|END SOLUTION|STUB: ).*\n", re.MULTILINE)
    return {part.split()[1]: preamble + "// EXERCISE " + marks.sub("", part) for part in parts}


def processes_of_boxes():
    host.reap()  # orphans fall to this process
    found = []
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            uid = int(re.search(r"^Uid:\t(\d+)", path.read_text(), re.MULTILINE).group(1))
        except OSError:
            continue
        if uid >= FIRST_ID:
            found.append(path.parent.name)
    return found


def watch_memory(pid, peaks):
    """The highest resident size of the process itself; what wait4(2) says includes its children, a compiler for example."""
    while True:
        try:
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        except OSError:
            return
        if peak is None:
            return
        peaks.append(int(peak.group(1)))
        time.sleep(0.02)


class Done:
    def __init__(self, process, output, seconds, peak_kb, result):
        self.status, self.output, self.seconds, self.peak_kb, self.result = process, output, seconds, peak_kb, result

    def outcomes(self):
        return {check["id"]: check["outcome"] for check in self.result["checks"]}


class Course:
    def __init__(self, played):
        self.played = played
        self.scratch = played.scratch / "course"
        self.scratch.mkdir()
        self.count = 0
        Path("/run/canary").write_text(CANARY)
        self.env = {**os.environ, "DRYDOCK_WORK": str(self.scratch / "work"), "DRYDOCK_COURSE": str(ROOT), "DRYDOCK_SECRET": CANARY}
        self.untouchable = self.settings()
        played.before = played.look()

    def close(self):
        if os.geteuid() == 0:
            self.check("02.2", self.folder(**units("02")))  # undoes what a test that failed half-way has left
        shutil.rmtree(self.scratch, ignore_errors=True)

    def settings(self):
        return {name: Path("/proc/sys", name).read_text() for name in UNTOUCHABLE if Path("/proc/sys", name).exists()}

    def folder(self, **texts):
        """A submission: function=text, each a whole file; the others are left out, which counts as untouched."""
        self.count += 1
        folder = self.scratch / f"submission-{self.count}"
        folder.mkdir()
        for function, text in texts.items():
            (folder / f"{function}.cpp").write_bytes(text.encode(errors="surrogateescape"))
        return folder

    def lab(self, *words, timeout=120):
        return subprocess.run([BIN / "lab", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=timeout * host.SLOWNESS, env=self.env, cwd="/")

    def start(self, *words):
        return subprocess.Popen([BIN / "lab", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env=self.env, cwd="/")

    def check(self, target, folder, *options, timeout=120):
        out = folder / "result.json"
        out.unlink(missing_ok=True)
        begin = time.monotonic()
        process = subprocess.Popen([BIN / "lab", "check", target, "--submission", folder, "--out", out, *options],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env, cwd="/")
        peaks = [0]
        watcher = threading.Thread(target=watch_memory, args=(process.pid, peaks))
        watcher.start()
        output, _ = process.communicate(timeout=timeout * host.SLOWNESS)
        watcher.join()
        result = json.loads(out.read_text()) if out.exists() else None
        return Done(process.returncode, output.decode(errors="replace"), time.monotonic() - begin, peaks[-1], result)

    def broken_invariants(self, done=None):
        """What should not be: left processes, groups, mounts, links, files; changed settings; a secret that was told."""
        wrong = list(self.played.leftovers())
        wrong += [f"process {pid} of a box" for pid in processes_of_boxes()]
        wrong += [f"{name} was changed" for name, text in self.settings().items() if self.untouchable[name] != text]
        if done is not None:
            said = done.output + json.dumps(done.result)
            wrong += ["a secret was told"] if CANARY in said or re.search(r"^\s*root:[^:]*:\d", said, re.MULTILINE) else []
            wrong += [f"the grader took {done.peak_kb} kB"] if done.peak_kb > MEGABYTES_OF_GRADER * 1024 else []
        return wrong


def set_up():
    played = host.Played()
    played.__enter__()
    return Course(played)


def tear_down(course):
    course.close()
    course.played.__exit__()
