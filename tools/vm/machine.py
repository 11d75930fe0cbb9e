"""One run of the guest under QEMU's software processor: no acceleration, no network, nothing of the host is touched.

The first serial line is the kernel's console and goes to a file, the second one is the job's and goes to `output`. Disks are
raw files: root, payload, scratch, swap, results.

Example: Machine(image, folder).run(payload, sys.stdout.write, limit=3600)
Source: qemu-system-x86_64(1); "-accel tcg,thread=multi" gives each guest processor a thread.
"""
import codecs
import os
import select
import subprocess
import tarfile
import time
from pathlib import Path

MEMORY_MB = 1536
SCRATCH_MB, SWAP_MB, RESULTS_MB = 2048, 256, 64
KERNEL_LINE = "console=ttyS0 panic=-1 mitigations=off audit=0 systemd.unit=drydock-job.target systemd.show_status=0"


class Refused(Exception):
    """A sentence for the user."""


def available_mb():
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


def sparse(path, megabytes):
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)


class Machine:
    def __init__(self, image, folder):
        self.image, self.folder = image, folder
        self.console, self.results = folder / "console.log", folder / "results.tar"

    def command(self, payload, line):
        # setpriv: the machine must not outlive us, however we end.
        words = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35",
                 "-m", str(MEMORY_MB), "-smp", "2", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                 "-serial", f"file:{self.console}", "-serial", "stdio",
                 "-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd), "-append", line]
        disks = [(self.image.root, "readonly=on"), (payload, "readonly=on"),
                 *((self.folder / name, "cache=unsafe") for name in ("scratch.disk", "swap.disk", self.results.name))]
        for path, option in disks:
            words += ["-drive", f"file={path},format=raw,if=virtio,{option}"]
        return words

    def prepare(self):
        if available_mb() < MEMORY_MB + 300:
            raise Refused(f"the machine needs {MEMORY_MB} MB of memory and {available_mb()} MB are available: end other programs")
        for name, megabytes in (("scratch.disk", SCRATCH_MB), ("swap.disk", SWAP_MB), (self.results.name, RESULTS_MB)):
            sparse(self.folder / name, megabytes)

    def interact(self, payload):
        """The terminal becomes the guest's; Ctrl-C goes there."""
        self.prepare()
        return subprocess.run(self.command(payload, KERNEL_LINE), check=False).returncode

    def run(self, payload, output, limit):
        """Relays what the job prints until the guest is off. False when that took more than `limit` seconds, and it was ended."""
        self.prepare()
        end = time.monotonic() + limit
        qemu = subprocess.Popen(self.command(payload, KERNEL_LINE), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return self.relay(qemu, output, end)
        finally:
            if qemu.poll() is None:
                qemu.kill()
            qemu.wait()
            for name in ("scratch.disk", "swap.disk"):
                (self.folder / name).unlink(missing_ok=True)

    @staticmethod
    def relay(qemu, output, end):
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return False
            if not select.select([qemu.stdout], [], [], min(left, 1))[0]:
                continue
            data = os.read(qemu.stdout.fileno(), 65536)
            if not data:
                return True
            output(decoder.decode(data).replace("\r", ""))

    def bring_back(self, build):
        """Unpacks the results into build/results. Gives the exit status of the tests, None when there is none."""
        status = None
        try:
            with tarfile.open(self.results) as tar:
                for entry in tar:
                    if not entry.isfile() or not entry.name.startswith("results/") or ".." in entry.name:
                        continue
                    data = tar.extractfile(entry).read()
                    if entry.name == "results/status":
                        status = int(data)
                    else:
                        (build / entry.name).parent.mkdir(parents=True, exist_ok=True)
                        (build / entry.name).write_bytes(data)
        except (tarfile.TarError, ValueError):
            return None
        return status
