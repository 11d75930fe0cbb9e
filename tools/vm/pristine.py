"""A bare Debian as a directory: what a student's machine is before tools/provision.sh, entered with the machine's own kernel.

Example: with Root("13", Path("build/vm")) as root: root.add_user("student"); root.run("apt-get", "update")
Source: mmdebstrap(1), unshare(1), pivot_root(2); tools/vm/enter.sh
"""
import hashlib
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from image import RELEASES, TOP
from sources import apt_lines, apt_options

ENTER = Path(__file__).resolve().parent / "enter.sh"
PACKAGES = ["sudo"]  # what a Debian with a user has beside the required packages
LEFT_OUT = ("build", ".git", ".vagrant", ".venv")


def archive(debian, folder, log):
    """The tar of a bare Debian, made once: 40 s, 120 MB. Errors: subprocess.CalledProcessError; what was said stands in `log`."""
    command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}",
               *(f"--aptopt={option}" for option in apt_options()), RELEASES[debian]]
    lines = apt_lines(RELEASES[debian])
    key = hashlib.sha256(repr((command, lines)).encode()).hexdigest()[:12]
    path = folder / f"pristine-{debian}-{key}.tar"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        subprocess.run([*command, "--format=tar", str(unfinished), *lines], check=True, stdout=log, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL)
        unfinished.rename(path)
    return path


class Root:
    """A fresh copy of it; a context manager that removes it. Needs root."""

    def __init__(self, debian, folder, log=subprocess.DEVNULL):
        self.tar, self.folder, self.log = archive(debian, folder, log), folder, log

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="entered-", dir=self.folder))
        self.path.chmod(0o755)
        subprocess.run(["tar", "-xf", str(self.tar), "--numeric-owner", "-C", str(self.path)], check=True)
        # sudo looks up the machine's own name, which is the one of the machine around it.
        (self.path / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {platform.node()}\n", encoding="utf-8")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def command(self, *words, online=True):
        """`words` begin with settings NAME=VALUE. Offline: a network of its own, in which only loopback is, and is down."""
        kinds, settings = ("-mpf", "ro") if online else ("-nmpf", "rw")
        return ["unshare", kinds, "--kill-child", "--propagation", "private", "sh", str(ENTER), str(self.path), settings, *words]

    def run(self, *words, online=True, check=True, **options):
        """subprocess.run of a command in it, as root."""
        return subprocess.run(self.command(*words, online=online), check=check, stdin=subprocess.DEVNULL, **options)

    def add_user(self, name):
        """An ordinary user who may use sudo, as in a box of Vagrant; with a copy of this tree that is theirs."""
        self.run("useradd", "--create-home", "--shell", "/bin/bash", name, stdout=self.log, stderr=subprocess.STDOUT)
        rule = self.path / "etc" / "sudoers.d" / name
        rule.write_text(f"{name} ALL=(ALL) NOPASSWD: ALL\n", encoding="utf-8")
        rule.chmod(0o440)
        home = self.path / "home" / name / "drydock"
        shutil.copytree(TOP, home, symlinks=True,
                        ignore=lambda where, names: [n for n in names if n == "__pycache__" or Path(where) == TOP and n in LEFT_OUT])
        self.run("chown", "-R", f"{name}:", f"/home/{name}/drydock")
