"""The guest's disk: a Debian root (squashfs), its kernel and a small initramfs, made once and kept in build/vm.

Example: image = Image("12", "linux-image-cloud-amd64", Path("build/vm"), programs); image.make(); image.root, image.kernel
Source: mmdebstrap(1), sqfstar(1), Documentation/filesystems/squashfs.rst and overlayfs.rst of the kernel.
"""
import hashlib
import platform
import re
import shutil
import subprocess
from pathlib import Path

from sources import apt_lines, apt_options

TOP = Path(__file__).resolve().parents[2]
GUEST = Path(__file__).resolve().parent / "guest"
RELEASES = {"12": "bookworm", "13": "trixie"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
KEPT = 3  # roots


def section(name, text):
    """The first names of the lines in a section of packages.txt."""
    body = re.split(rf"^\[{name}\]$", text, flags=re.MULTILINE)[1]
    body = re.split(r"^\[", body, flags=re.MULTILINE)[0]
    return [line.split("|")[0].strip() for line in body.splitlines() if re.match(r"[a-z0-9]", line)]


def library_packages(programs):
    """Debian packages of the shared libraries that `programs` themselves ask for; what those need is apt's business. Debian 13 calls
    some otherwise (libssl3t64), and provides the old names."""
    headers = subprocess.run(["readelf", "-d", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", headers))
    linked = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    paths = sorted({str(Path(path).resolve()) for name, path in re.findall(r"(\S+) => (/\S+)", linked) if name in needed})
    # dpkg knows a library by the name under which it was installed, which before the merge of /usr was /lib.
    names = {name for path in paths for name in (path, path.removeprefix("/usr"))}
    owners = subprocess.run(["dpkg-query", "-S", *sorted(names)], capture_output=True, text=True, check=False).stdout
    return sorted({line.split(":")[0] for line in owners.splitlines()})


def kernel_package(wish, architecture):
    """'6.12' and '' are short for Debian's kernels for virtual machines; anything else is the name of a package."""
    if wish.startswith("linux-image-"):
        return wish
    return f"linux-image-{wish + '-' if wish else ''}cloud-{architecture}"


class Image:
    def __init__(self, debian, kernel, folder, programs):
        self.release = RELEASES[debian]
        self.package = kernel_package(kernel, ARCHITECTURES.get(platform.machine(), platform.machine()))
        text = (TOP / "packages.txt").read_text(encoding="utf-8")
        self.packages = sorted({*section("guest", text), *library_packages(programs)})
        self.folder = folder / f"root-{debian}-{self.key()}"
        self.root, self.kernel, self.initrd = (self.folder / name for name in ("root.squashfs", "vmlinuz", "initrd"))

    def key(self):
        digest = hashlib.sha256(repr((self.release, self.package, self.packages)).encode())
        for path in sorted(GUEST.iterdir()) + [Path(__file__)]:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    def ready(self):
        return (self.folder / "complete").exists()

    def make(self, log):
        """Takes a minute and some 150 MB. Errors: subprocess.CalledProcessError; what was said stands in `log`."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        tar = self.folder / "root.tar"
        hook = f'sh "{GUEST}/customize.sh" "$1" {self.package} "{GUEST}"'
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(self.packages)}", "--format=tar",
                   *(f"--aptopt={option}" for option in apt_options()),
                   '--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*',
                   '--dpkgopt=path-exclude=/usr/share/locale/*',
                   f"--customize-hook={hook}", f"--customize-hook=copy-out /boot/vmlinuz /boot/initrd {self.folder}",
                   self.release, str(tar), *apt_lines(self.release)]
        with open(log, "wb") as output:
            subprocess.run(command, check=True, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            with open(tar, "rb") as source:
                # lz4: a second to make, and little work for the processor in software; zstd saves a third and takes 100 s.
                subprocess.run(["sqfstar", "-comp", "lz4", "-quiet", "-no-progress", str(self.root)], check=True,
                               stdin=source, stdout=output, stderr=subprocess.STDOUT)
        tar.unlink()
        (self.folder / "complete").touch()

    def forget_others(self):
        """Old caches go, but for the few last ones."""
        others = sorted(self.folder.parent.glob("root-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in others[KEPT:]:
            if path != self.folder:
                shutil.rmtree(path, ignore_errors=True)
