"""The finished machine: Debian, provisioned as a student's would be, as a disk for QEMU, UTM and VirtualBox, a box for Vagrant, and a root
file system for WSL. With it a classroom needs no network.

Example: make("13", Path("build/vm")) gives drydock-13.qcow2, .vdi, .box and -wsl.tar.gz
Source: docs/other-homes.md; vagrant-libvirt's box format version 1; learn.microsoft.com, "Import any Linux distribution to use with WSL"
"""
import io
import json
import subprocess
import tarfile
from pathlib import Path

from disk import SIZE_MB, write_disk
from pristine import Root

HERE = Path(__file__).resolve().parent
USER = "vagrant"
# Vagrant's well-known public key, as its installation has it; a box without it cannot be entered by `vagrant ssh`.
KEYS = ("/usr/share/rubygems-integration/all/gems/vagrant-*/keys/vagrant.pub", "/opt/vagrant/embedded/gems/gems/vagrant-*/keys/vagrant.pub")
NOT_IN_WSL = ("boot", "usr/lib/modules", "vmlinuz", "initrd.img", "vmlinuz.old", "initrd.img.old")


def vagrant_key():
    for pattern in KEYS:
        for path in sorted(Path("/").glob(pattern[1:])):
            return path.read_text(encoding="ascii").splitlines()[0]
    raise FileNotFoundError("Vagrant's public key is not here: ./lab setup test installs vagrant")


def furnish(root, log):
    """Provisions it, and makes it a machine."""
    folder = f"/home/{USER}/drydock"
    root.add_user(USER)
    root.run("sh", f"{folder}/tools/provision.sh", stdout=log, stderr=subprocess.STDOUT)
    no_services = root.path / "usr" / "sbin" / "policy-rc.d"  # what is installed would start beside the services of this machine
    no_services.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    no_services.chmod(0o755)
    root.run(f"{folder}/lab", "setup", "machine", stdout=log, stderr=subprocess.STDOUT)
    root.run("sh", f"{folder}/tools/vm/finished/customize.sh", USER, vagrant_key(), online=False, stdout=log, stderr=subprocess.STDOUT)
    no_services.unlink()


def write_box(path, disk):
    """A box of vagrant-libvirt, which vagrant-qemu takes too: the qcow2 and two small files."""
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": SIZE_MB // 1024}
    with tarfile.open(path, "w") as box:
        for name, text in (("metadata.json", json.dumps(metadata)), ("Vagrantfile", 'Vagrant.configure("2") { |config| }\n')):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            box.addfile(entry, io.BytesIO(text.encode()))
        box.add(disk, "box.img")


def make(debian, folder, log):
    """The files made. Errors: subprocess.CalledProcessError; what was said stands in `log`."""
    name = folder / f"drydock-{debian}"
    qcow2, vdi, box, wsl = (Path(f"{name}{ending}") for ending in (".qcow2", ".vdi", ".box", "-wsl.tar.gz"))
    raw = Path(f"{name}.raw")
    with Root(debian, folder, log) as root:
        furnish(root, log)
        subprocess.run(["tar", "-C", str(root.path), "--numeric-owner", "--xattrs", *(f"--exclude=./{path}" for path in NOT_IN_WSL), "-czf", str(wsl), "."],
                       check=True, stdout=log, stderr=subprocess.STDOUT)
        write_disk(root.path, raw, "drydock")
    for kind, path, options in (("qcow2", qcow2, ["-c"]), ("vdi", vdi, [])):
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", kind, *options, str(raw), str(path)], check=True, stdout=log, stderr=subprocess.STDOUT)
    raw.unlink()
    write_box(box, qcow2)
    return [qcow2, vdi, box, wsl]
