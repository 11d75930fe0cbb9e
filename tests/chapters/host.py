"""A host of one's own for the chapters: namespaces in which the test plays the machine, and what was left behind in them.

The test process moves into mount, network, IPC and UTS namespaces of its own: the host is called "host", has a loopback link,
an empty /run and an empty /dev/shm. What a chapter leaves is found by looking at the kernel.

Example: with Played() as host: host.run(["ch02-uts"]); assert host.leftovers() == []
Source: unshare(2), PR_SET_CHILD_SUBREAPER in prctl(2).
"""
import ctypes
import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import chapters  # noqa: E402

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PR_SET_CHILD_SUBREAPER = 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)
SLOWNESS = max(float(os.environ.get("DRYDOCK_SLOW", "1")), 1.0)


def must(what="chapters"):
    wanted = os.environ.get("DRYDOCK_MUST", "").split(",")
    return what in wanted or "all" in wanted


def cannot_be_had(reason):
    """A skip that is right also where everything must run: the other version of control groups, swap where there is none."""
    no_swap = len(lines_of("/proc/swaps")) < 2
    return re.search(r"a machine with v[12] shows it", reason) or (no_swap and "this machine has no swap" in reason)


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(link, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(link, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | IFF_UP))


def lines_of(path):
    return Path(path).read_text(encoding="utf-8").splitlines()


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


class Played:
    """Enter it once per process: there is no way back into the machine's namespaces, and none is needed."""

    entered = False

    def __enter__(self):
        if os.geteuid() == 0 and not Played.entered:
            call("unshare", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
            call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
            for path in (b"/run", b"/dev/shm"):
                call("mount", b"tmpfs", path, b"tmpfs", 0, b"mode=1777")
            socket.sethostname("host")
            raise_loopback()
            Played.entered = True
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.scratch = Path(tempfile.mkdtemp(prefix="drydock-played-"))
        self.scratch.chmod(0o755)
        self.programs = self.scratch / "bin"
        self.programs.mkdir()
        # The build may lie where an ordinary user cannot pass; what is started lies here.
        for program in [*chapters.built(), *(chapters.BIN / name for name in ("drydock-monitor", "drydock-image", "drydock"))]:
            if program.exists():
                shutil.copy2(program, self.programs / program.name)
        self.users_data = self.scratch / "data-of-nobody"  # an image store needs a directory of one's own
        self.users_data.mkdir()
        if os.geteuid() == 0:
            os.chown(self.users_data, NOBODY, NOBODY)
        for program in self.programs.iterdir():
            program.chmod(0o755)
        state = "/run/drydock" if os.geteuid() == 0 else str(self.scratch / "state")  # /run is the host's own for root only
        os.environ.update(DRYDOCK_ROOT=str(self.scratch / "data"), DRYDOCK_STATE=state)
        self.before = self.look()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def run(self, words, user=False, timeout=60, **environment):
        """`words[0]` is a chapter's program; the result of subprocess.run, both streams apart."""
        change = user and os.geteuid() == 0
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if change else {}
        own = {"DRYDOCK_ROOT": str(self.users_data), "DRYDOCK_STATE": f"/tmp/drydock-{NOBODY}/drydock"} if change else {}
        return subprocess.run([self.programs / words[0], *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout * SLOWNESS, env={**os.environ, **own, **environment}, cwd="/", **other)

    def look(self):
        """What could be left, as a set of words."""
        seen = {f"mount {line.split()[4]}" for line in lines_of("/proc/self/mountinfo")}
        seen |= {f"link {name}" for _, name in socket.if_nameindex()}
        for kind in ("msg", "sem", "shm"):
            seen |= {f"{kind} {line.split()[1]}" for line in lines_of(f"/proc/sysvipc/{kind}")[1:]} if os.path.exists(f"/proc/sysvipc/{kind}") else set()
        for folder in ("/run", "/dev/shm"):
            seen |= {f"file {path}" for path in Path(folder).rglob("*") if not path.is_dir()}
        seen |= {f"file {path}" for path in Path("/tmp").glob("drydock-ch*")}
        seen |= {f"control group {path}" for path in empty_groups()}
        return seen

    def leftovers(self, patience=3.0):
        """What is there now, was not when the host began, and does not go within `patience` seconds."""
        deadline = time.monotonic() + patience * SLOWNESS
        left = None
        while left is None or (left and time.monotonic() < deadline):
            time.sleep(0.02 if left is None else 0.1)
            reap()
            now = (self.look() - self.before) | {f"process {pid}" for pid in children()}
            left = now if left is None else left & now
        return sorted(left)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def empty_groups():
    """Groups of ours without a process: those of others who use this machine have one, or go at once."""
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        if folder.count("/") > 6:
            names.clear()
        for name in [name for name in names if name.startswith("drydock")]:
            path = Path(folder) / name
            try:
                if not (path / "cgroup.procs").read_text().strip():
                    yield str(path)
            except OSError:
                pass
