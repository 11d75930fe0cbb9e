"""Tries a finished machine: starts its disk in QEMU, logs in on the serial console as a person would, and runs `lab run`.

What the machine writes to its disk is thrown away.

Example: try_out(Path("drydock-13.qcow2"), "vagrant", Path("console.log"), None, 3600)
Source: qemu-system-x86_64(1), -snapshot; login(1)
"""
import os
import re
import select
import subprocess
import time

from machine import Refused

MEMORY_MB = 2048
PAINT = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours and movements of a terminal


class Console:
    """The serial line of a machine: waits for words, types words, and keeps everything in a file."""

    def __init__(self, process, log, end):
        self.process, self.log, self.end, self.seen = process, log, end, ""

    def wait_for(self, pattern):
        """The match of `pattern` in what came since the last one. Errors: Refused, when the machine ends or the time does."""
        while not (found := re.search(pattern, self.seen)):
            left = self.end - time.monotonic()
            if left <= 0:
                raise Refused(f"the machine did not say '{pattern}' in time; its console is {self.log.name}")
            if not select.select([self.process.stdout], [], [], min(left, 1))[0]:
                continue
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise Refused(f"the machine ended before it said '{pattern}'; its console is {self.log.name}")
            self.log.write(data)
            self.log.flush()
            self.seen = PAINT.sub("", self.seen + data.decode(errors="replace").replace("\r", ""))
        self.seen = self.seen[found.end():]
        return found

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()


def words(disk, firmware):
    command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-m", str(MEMORY_MB),
               "-smp", "2", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-snapshot",
               "-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe"]
    return command + (["-drive", f"if=pflash,format=raw,readonly=on,file={firmware}"] if firmware else [])


def try_out(disk, user, log, firmware, limit):
    """Seconds from start to end. Errors: Refused."""
    begun = time.monotonic()
    with open(log, "wb") as file, subprocess.Popen(words(disk, firmware), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                   stderr=subprocess.STDOUT, start_new_session=True) as qemu:
        try:
            console = Console(qemu, file, begun + limit)
            console.wait_for(r"login: ")
            console.type(user)
            console.wait_for(r"Password: ")
            console.type(user)
            console.wait_for(r"\$ ")
            console.type("lab run; echo status=$?")
            shown = console.wait_for(r"(?s)(.*)\nstatus=(\d+)")
            if shown.group(2) != "0" or "Its own mounts" not in shown.group(1):
                raise Refused(f"`lab run` ended with status {shown.group(2)} in the machine; its console is {log}")
            console.wait_for(r"\$ ")
            console.type("systemctl --failed --quiet; echo failed=$(systemctl --failed --no-legend | wc -l)")
            if (failed := console.wait_for(r"\nfailed=(\d+)").group(1)) != "0":
                raise Refused(f"{failed} units of systemd failed in the machine; its console is {log}")
            console.type("sudo systemctl poweroff")
            qemu.wait(max(begun + limit - time.monotonic(), 1))
        finally:
            if qemu.poll() is None:
                qemu.kill()
    return time.monotonic() - begun
