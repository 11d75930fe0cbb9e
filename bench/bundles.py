"""What the other runtimes start: one root directory with busybox, and an OCI bundle with the limits that drydock is given.

Example: make_bundle(Path("/tmp/b"), "/drydock-bench-crun")
Source: OCI runtime specification 1.0, config.md and config-linux.md; the values are those of Docker's defaults.
"""
import json
import shutil
from pathlib import Path

CAPABILITIES = ["CAP_" + name for name in (
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "NET_RAW",
    "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP")]
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
DEVICES = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0)]  # null zero full random urandom tty


def make_root(root: Path):
    for folder in ("bin", "proc", "sys", "dev", "etc", "tmp"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy2("/bin/busybox", root / "bin" / "busybox")
    for name in ("true", "sh"):
        (root / "bin" / name).unlink(missing_ok=True)
        (root / "bin" / name).symlink_to("busybox")


def mounts():
    quiet = ["nosuid", "noexec", "nodev"]
    rows = [("/proc", "proc", "proc", quiet),
            ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
            ("/dev/shm", "tmpfs", "shm", quiet + ["mode=1777", "size=65536k"]),
            ("/dev/mqueue", "mqueue", "mqueue", quiet),
            ("/sys", "sysfs", "sysfs", quiet + ["ro"])]
    return [{"destination": to, "type": kind, "source": source, "options": options} for to, kind, source, options in rows]


def config(root: Path, group: str):
    allowed = [{"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"} for major, minor in DEVICES]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "env": ["PATH=/usr/bin:/bin"], "cwd": "/",
            "noNewPrivileges": True,
            "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
        },
        "root": {"path": str(root), "readonly": False},
        "hostname": "bench",
        "mounts": mounts(),
        "linux": {
            "cgroupsPath": group,
            "resources": {
                "devices": [{"allow": False, "access": "rwm"}, *allowed],
                "memory": {"limit": 64 << 20},
                "cpu": {"quota": 100000, "period": 100000},
                "pids": {"limit": 100},
            },
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
        },
    }


def make_bundle(folder: Path, root: Path, group: str):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(root, group), indent=2))
    return str(folder)
