"""tools/provision.sh makes a working lab of a bare Debian, as a student's user, and a second run changes nothing.

Each release takes some minutes. One is tried each time: the one that this machine is not, for its own is what everything else here is
built with. DRYDOCK_FULL=1 (./lab test --full) tries both.
"""
import json
import os
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

import need

sys.path.insert(0, str(need.TOP / "tools" / "vm"))
sys.dont_write_bytecode = True

from pristine import Root  # noqa: E402  (the path is set above)

USER = "student"
TREE = f"/home/{USER}/drydock"
QUICK = 60  # seconds; installing and building take several times as long
# Everything that a run could change: name, kind, owner, mode, size, time of the last change. What the build tool notes about having
# looked is left out.
LISTING = (r"find /etc /usr /home /var/lib/dpkg -xdev ! -path '*/build/.lock' ! -path '*/build/release' ! -name '.ninja_*' "
           r"-printf '%p %y %u %m %s %T@ %l\n' | sort")


def releases():
    own = re.search(r'^VERSION_ID="?(\d+)', Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
    if os.environ.get("DRYDOCK_FULL"):
        return ["12", "13"]
    return ["12"] if own and own.group(1) == "13" else ["13"]


class Provision(unittest.TestCase):
    def setUp(self):
        need.root(self)
        need.program(self, "mmdebstrap", "./lab setup test")

    def said(self, *words, online=False):
        """What a command in the root prints; it must end well."""
        result = self.root.run(*words, online=online, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=2400)
        self.assertEqual(result.returncode, 0, f"{' '.join(words)}:\n{result.stdout[-4000:]}")
        return result.stdout

    def as_user(self, command):
        return self.said("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "env", f"HOME=/home/{USER}", "sh", "-c", f"cd / && {command}")

    def provision(self, *settings, online=False):
        return self.said(*settings, "sh", f"{TREE}/tools/provision.sh", online=online)

    def test_a_bare_debian_becomes_a_lab(self):
        for debian in releases():
            with self.subTest(debian=debian), Root(debian, need.TOP / "build" / "vm") as self.root:
                self.root.add_user(USER)
                begun = time.monotonic()
                text = self.provision(online=True)
                print(f"note: Debian {debian} provisioned in {time.monotonic() - begun:.0f} s", flush=True)
                self.assertRegex(text, r"(?m)^ok +compiler ")
                self.assertRegex(text, r"(?m)^ok +overlay ")
                self.assertTrue(text.endswith(f"ready: as {USER}, type 'lab run'\n"), text[-500:])
                self.the_path_of_a_student()
                self.a_second_run_changes_nothing()
                self.mirrors_are_taken_over()

    def the_path_of_a_student(self):
        self.assertIn("Its own name (UTS namespace)", self.as_user("lab run"))
        self.assertEqual(self.as_user("sudo drydock run --rm busybox hostname -s | wc -l").strip(), "1")
        self.as_user("sudo lab run -- --rm busybox true")
        self.assertEqual((self.root.path / "etc" / "modules-load.d" / "drydock.conf").read_text(encoding="utf-8"), "overlay\ntun\n")
        others = self.said("find", f"{TREE}", "/home", "!", "-user", USER, "!", "-path", "/home")
        self.assertEqual(others, "", "files in the tree that are not its owner's")

    def a_second_run_changes_nothing(self):
        before, begun = self.said("sh", "-c", LISTING), time.monotonic()
        self.provision()  # without a network: there is nothing to fetch
        self.assertLess(time.monotonic() - begun, QUICK)
        changed = sorted(set(self.said("sh", "-c", LISTING).splitlines()) ^ set(before.splitlines()))
        self.assertEqual(changed, [])

    def mirrors_are_taken_over(self):
        apt = self.root.path / "etc" / "apt"
        (apt / "mirrors").mkdir(exist_ok=True)
        security = "deb http://deb.debian.org/debian-security stable-security main\n"
        for name, text in (("sources.list", f"deb http://deb.debian.org/debian stable main\n{security}"),
                           ("mirrors/debian.list", "https://deb.debian.org/debian\n"),
                           ("sources.list.d/ubuntu.sources", "Types: deb\nURIs: http://archive.ubuntu.com/ubuntu/\nSuites: noble\n")):
            (apt / name).write_text(text, encoding="utf-8")
        self.provision("DRYDOCK_APT_MIRROR=http://mirror.example/debian/", "DRYDOCK_PIP_INDEX=https://mirror.example/simple",
                       "DRYDOCK_JUPYTER_IP=0.0.0.0")
        self.assertEqual((apt / "sources.list").read_text(encoding="utf-8"), f"deb http://mirror.example/debian stable main\n{security}")
        self.assertEqual((apt / "mirrors" / "debian.list").read_text(encoding="utf-8"), "http://mirror.example/debian\n")
        self.assertIn("URIs: http://mirror.example/debian\n", (apt / "sources.list.d" / "ubuntu.sources").read_text(encoding="utf-8"))
        jupyter = json.loads((self.root.path / "etc" / "jupyter" / "jupyter_server_config.json").read_text(encoding="utf-8"))
        self.assertEqual(jupyter["ServerApp"]["ip"], "0.0.0.0")
        self.assertIn("index-url = https://mirror.example/simple", (self.root.path / "etc" / "pip.conf").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
