"""A disk that starts by BIOS and by UEFI, made of a directory without mounting anything: as files, with e2fsprogs, mtools and GRUB's
own images.

The partition table is the old kind (MBR): the first 440 bytes are GRUB's boot.img, which loads what follows it, core.img, from
sector 1; there is 1 MiB before the first partition. That one is for UEFI, the second one is the root.

Example: write_disk(Path("root"), Path("disk.raw"), "drydock")
Source: mke2fs(8) -d and -E offset, sfdisk(8), grub-mkimage(1), mtools(1); UEFI specification 2.10, 3.5.1.1 (default file names)
"""
import platform
import subprocess
import tempfile
from pathlib import Path

MIB = 1 << 20
SIZE_MB, EFI_MB = 16384, 48
MODULES = ["part_msdos", "ext2", "search", "search_label", "normal", "configfile", "linux", "echo", "reboot", "halt", "test", "all_video"]
LIBRARY = Path("/usr/lib/grub")
# machine: (format of UEFI, its default file, has BIOS)
FIRMWARE = {"x86_64": ("x86_64-efi", "BOOTX64.EFI", True), "aarch64": ("arm64-efi", "BOOTAA64.EFI", False)}


def run(*words, **options):
    subprocess.run([str(word) for word in words], check=True, **options)


def grub_image(kind, modules, label, folder):
    """An image of GRUB that finds the root by its label."""
    start = folder / "start.cfg"
    start.write_text(f"search --no-floppy --label --set=root {label}\nset prefix=($root)/boot/grub\nnormal\n", encoding="ascii")
    image = folder / kind
    run("grub-mkimage", "-O", kind, "-o", image, "-c", start, "-p", "/boot/grub", *modules)
    return image


def write_efi(disk, name, image, folder):
    part = folder / "efi.fat"
    with open(part, "wb") as file:
        file.truncate(EFI_MB * MIB)
    run("mkfs.vfat", "-F", "32", "-s", "1", "-n", "EFI", part, stdout=subprocess.DEVNULL)
    run("mmd", "-i", part, "::EFI", "::EFI/BOOT")
    run("mcopy", "-i", part, image, f"::EFI/BOOT/{name}")
    with open(disk, "r+b") as file:
        file.seek(MIB)
        file.write(part.read_bytes())


def write_bios(disk, core):
    boot = (LIBRARY / "i386-pc" / "boot.img").read_bytes()[:440]
    if core.stat().st_size > MIB - 512:
        raise ValueError(f"{core} does not fit before the first partition")
    with open(disk, "r+b") as file:
        file.write(boot)
        file.seek(512)
        file.write(core.read_bytes())


def write_disk(root, disk, label):
    """A sparse raw disk of 16 GiB. Errors: subprocess.CalledProcessError, OSError."""
    kind, name, has_bios = FIRMWARE[platform.machine()]
    with open(disk, "wb") as file:
        file.truncate(SIZE_MB * MIB)
    first = 1 + EFI_MB
    table = f"label: dos\nstart={MIB // 512}, size={EFI_MB * MIB // 512}, type=ef\nstart={first * MIB // 512}, type=83, bootable\n"
    run("sfdisk", "--quiet", disk, input=table.encode())
    run("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-d", root, "-E", f"offset={first * MIB}", disk, f"{SIZE_MB - first}M",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(dir=disk.parent) as name_of_folder:
        folder = Path(name_of_folder)
        write_efi(disk, name, grub_image(kind, [*MODULES, "fat", "efi_gop"], label, folder), folder)
        if has_bios:
            write_bios(disk, grub_image("i386-pc", [*MODULES, "biosdisk"], label, folder))
