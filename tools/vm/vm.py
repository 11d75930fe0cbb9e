#!/usr/bin/env python3
"""A Debian machine in software with its own kernel, systemd and pure cgroup v2: the tests of Drydock run in it.

  vm.py test   runs suites in it and shows what they say; the last line is the sum, the exit status is theirs
  vm.py shell  a root shell in it, with what is built here at the same place; leave it with Ctrl-D
  vm.py image  a finished machine to hand out: a disk for QEMU, UTM and VirtualBox, a box for Vagrant, a root for WSL (needs root)
  vm.py clean  forgets the machines that were made

Needs the programs of the section [vm] of packages.txt and a build in build/release: `./lab vm` sees to both.

Example: tools/vm/vm.py test --only kernel,container
Source: docs/vm.md
"""
import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import finished
import payload
from console import try_out
from image import RELEASES, TOP, Image
from machine import Machine, Refused

FOLDER = TOP / "build" / "vm"
SLOWNESS = "20"  # forks are up to 70 times, plain code 10 times slower than on the machine below
MUST = "kernel,container,robustness,systemd,chapters"  # nothing is missing there: a skipped test of these is a failure
CONSOLE_LINES = 60
# Test cases of each suite, "" for all. Of the chapters: what each experiment says and each handout prints; that a line can fail, how a
# terminal looks and the like is the same on every kernel.
WHOLE = {**dict.fromkeys(payload.SUITES, ""), "chapters": "_holds,Transcripts,Plans"}
# What cgroup v2, systemd and a distribution's kernel decide, in a fifth of the time of everything.
SHORT = {"kernel": "[cgroups],[namespaces]", "container": "[limits],[rootless],[doctor],[isolation],[plan]", "systemd": "",
         "chapters": "ch08-cgroups_weights_holds,no-members-inside_holds,buffered-v2_holds,ch08-cgroups_swap_holds"}


def say(text):
    print(f"./lab vm: {text}", flush=True)


def made_image(options, programs):
    image = Image(options.debian, options.kernel, FOLDER, programs)
    if not image.ready():
        say(f"making the machine: Debian {options.debian}, {image.package} (about a minute)")
        log, begun = FOLDER / "make.log", time.monotonic()
        try:
            image.make(log)
        except subprocess.CalledProcessError as error:
            tail = log.read_text(errors="replace").splitlines()[-20:]
            raise Refused("\n".join([f"{error.cmd[0]} failed; the end of {log}:", *tail])) from error
        image.forget_others()
        say(f"made in {time.monotonic() - begun:.0f} s: {image.root.stat().st_size >> 20} MB")
    return image


def chosen_suites(only, short):
    if only and ":" in only:  # SUITE:CASES is run_tests.py's own
        return [only.split(":")[0]], ["--only", only]
    if only:
        return only.split(","), []
    suites = SHORT if short else WHOLE
    return list(suites), [word for name, cases in suites.items() if cases for word in ("--cases", f"{name}={cases}")]


def check_suites(names):
    unknown = [name for name in names if name not in payload.SUITES]
    if unknown:
        raise Refused(f"no suite '{unknown[0]}' for the machine; there are {', '.join(payload.SUITES)}")


def test(options):
    names, words = chosen_suites(options.only, options.short)
    check_suites(names)
    build = TOP / options.build
    image = made_image(options, payload.programs(build))
    suites = payload.listing(build, names)
    arguments = [f"release={build}", "--listing", f"{build}/suites.json", *words]
    environment = {"DRYDOCK_SLOW": SLOWNESS, "DRYDOCK_MUST": MUST, **{name: os.environ[name] for name in ("DRYDOCK_MUST", "DRYDOCK_FULL") if name in os.environ}}
    payload.write_payload(FOLDER / "payload.tar", build, suites, arguments, environment)
    machine = Machine(image, FOLDER)
    in_time = machine.run(FOLDER / "payload.tar", lambda text: print(text, end="", flush=True), options.limit * 60)
    status = machine.bring_back(FOLDER)
    if status is None:
        lines = machine.console.read_text(errors="replace").splitlines()[-CONSOLE_LINES:]
        print("\n".join(lines))
        raise Refused(f"the machine was ended after {options.limit} minutes" if not in_time else
                      f"the machine went off without a result; its console is {machine.console}")
    return status


def shell(options):
    build = TOP / options.build
    image = made_image(options, payload.programs(build))
    payload.write_payload(FOLDER / "payload.tar", build, {"tests": []}, [], {"SHELL_WANTED": "yes", "PATH": f"{build}/bin:/usr/sbin:/usr/bin"})
    return Machine(image, FOLDER).interact(FOLDER / "payload.tar")


def image(options):
    if os.geteuid() != 0:
        raise Refused("the machine's files belong to its own users: run it as root")
    log, begun = FOLDER / "image.log", time.monotonic()
    say(f"making the finished machine, Debian {options.debian}: it is provisioned and built as a student's would be (some minutes); {log}")
    try:
        with open(log, "wb") as output:
            made = finished.make(options.debian, FOLDER, output)
    except (subprocess.CalledProcessError, OSError, ValueError) as error:
        tail = log.read_text(errors="replace").splitlines()[-20:]
        raise Refused("\n".join([f"{error}; the end of {log}:", *tail])) from error
    for path in made:
        say(f"{path.relative_to(TOP)}: {path.stat().st_size >> 20} MB")
    say(f"made in {time.monotonic() - begun:.0f} s; starting it, to see `lab run` in it")
    seconds = try_out(made[0], finished.USER, FOLDER / "image-console.log", options.firmware, options.limit * 60)
    say(f"it starts and `lab run` works in it, {seconds:.0f} s from power on to power off in software")
    return 0


def parse():
    parser = argparse.ArgumentParser(prog="./lab vm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("test", "shell", "image", "clean"))
    parser.add_argument("--debian", choices=sorted(RELEASES), help="release of the guest (12; of image: 13)")
    parser.add_argument("--firmware", metavar="FILE", help="image: try it with this firmware in place of the BIOS, for example OVMF")
    parser.add_argument("--kernel", default="", metavar="NAME", help="a kernel package, or '6.12' for linux-image-6.12-cloud-…")
    parser.add_argument("--only", metavar="SUITE[,SUITE]", help=f"of {', '.join(payload.SUITES)}; or SUITE:CASES")
    parser.add_argument("--short", action="store_true", help="the test cases that cgroup v2 and systemd decide: for CI")
    parser.add_argument("--limit", type=int, default=90, metavar="MINUTES", help="a machine that takes longer is ended (90)")
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.debian = options.debian or ("13" if options.command == "image" else "12")
    return options


def main():
    options = parse()
    if options.command == "clean":
        shutil.rmtree(FOLDER, ignore_errors=True)
        return 0
    os.nice(15)  # the machine in software would take every processor for minutes
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("another ./lab vm is running here") from error
        return {"test": test, "shell": shell, "image": image}[options.command](options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        print(f"./lab vm: {refusal}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
