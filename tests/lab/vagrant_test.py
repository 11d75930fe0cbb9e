"""The Vagrantfile holds for each provider, and a wrong one is noticed. No machine is started, nothing is fetched.

VirtualBox is not in Debian: a program that only knows its own version makes Vagrant check that block. vagrant-qemu is not either: its
options are declared here, as its documentation lists them. libvirt's plugin is the real one.
"""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import need

VBOXMANAGE = '#!/bin/sh\n[ "$1" = --version ] && echo 7.0.20r163906\n'
QEMU_PLUGIN = """
class QemuOptions < Vagrant.plugin("2", :config)
  attr_accessor :arch, :machine, :cpu, :smp, :memory, :net_device, :ssh_auto_correct
end
class QemuProvider < Vagrant.plugin("2", :provider)
  def initialize(machine) = nil
  def state = Vagrant::MachineState.new(:not_created, "", "")
end
class QemuPlugin < Vagrant.plugin("2")
  name "qemu"
  config(:qemu, :provider) { QemuOptions }
  provider(:qemu) { QemuProvider }
end
"""
TELL = '  $stderr.puts "BOX #{config.vm.box} FROM #{config.vm.box_url}"\nend\n'


class Vagrant(unittest.TestCase):
    def setUp(self):
        need.program(self, "vagrant", "./lab setup test")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "tools").mkdir()
        shutil.copy(need.TOP / "tools" / "provision.sh", self.folder / "tools")
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "VBoxManage").write_text(VBOXMANAGE, encoding="utf-8")
        (self.folder / "bin" / "VBoxManage").chmod(0o755)
        self.text = (need.TOP / "Vagrantfile").read_text(encoding="utf-8")
        self.telling = self.text.removesuffix("end\n") + TELL

    def validate(self, provider, text=None, **settings):
        (self.folder / "Vagrantfile").write_text(text or self.text, encoding="utf-8")
        environment = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": str(self.folder), "LANG": "C.UTF-8",
                       "VAGRANT_HOME": str(self.folder / "home"), "VAGRANT_DEFAULT_PROVIDER": provider, **settings}
        return subprocess.run(["vagrant", "validate"], cwd=self.folder, env=environment, capture_output=True, text=True,
                              timeout=300, stdin=subprocess.DEVNULL)

    def assert_holds(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def assert_noticed(self, result, word):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(word, result.stdout + result.stderr)

    def with_wrong_option(self, provider, option):
        """The Vagrantfile with a letter too much in the first use of machine.OPTION in the provider's block."""
        head, block = self.text.split(f'config.vm.provider "{provider}"')
        self.assertIn(f"machine.{option} =", block)
        return f'{head}config.vm.provider "{provider}"{block.replace(f"machine.{option} =", f"machine.{option}x =", 1)}'

    def test_virtualbox(self):
        self.assert_holds(self.validate("virtualbox"))
        self.assert_noticed(self.validate("virtualbox", self.with_wrong_option("virtualbox", "memory")), "memoryx")

    def test_libvirt(self):
        plugins = subprocess.run(["vagrant", "plugin", "list"], capture_output=True, text=True, timeout=120, check=False,
                                 env={**os.environ, "HOME": str(self.folder), "VAGRANT_HOME": str(self.folder / "home")}).stdout
        if "vagrant-libvirt" not in plugins:
            need.missing(self, "vagrant-libvirt is not installed", "./lab setup test")
        self.assert_holds(self.validate("libvirt"))
        self.assert_noticed(self.validate("libvirt", self.with_wrong_option("libvirt", "memory")), "memoryx")

    def test_qemu(self):
        self.assert_holds(self.validate("qemu", QEMU_PLUGIN + self.text))
        self.assert_noticed(self.validate("qemu", QEMU_PLUGIN + self.with_wrong_option("qemu", "smp")), "smpx")

    def test_what_all_providers_share(self):
        for right, wrong, word in (("config.vm.hostname", "config.vm.hostnam", "hostnam"), ('"drydock"', '"dry_dock!"', "hostname"),
                                   ("tools/provision.sh", "tools/provisio.sh", "provisio.sh")):
            with self.subTest(wrong=wrong):
                self.assertIn(right, self.text)
                self.assert_noticed(self.validate("virtualbox", self.text.replace(right, wrong, 1)), word)

    def test_each_system_has_a_box(self):
        newer = "module Vagrant; remove_const(:VERSION); VERSION = \"2.10.0\"; end\n"
        for head, system, box in (("", "debian13", "debian/trixie64"), ("", "debian12", "debian/bookworm64"),
                                  (newer, "debian13", "cloud-image/debian-13"), (newer, "debian12", "cloud-image/debian-12"),
                                  (newer, "ubuntu24.04", "cloud-image/ubuntu-24.04")):
            with self.subTest(system=system, newer=bool(head)):
                result = self.validate("virtualbox", head + self.telling, DRYDOCK_SYSTEM=system)
                self.assert_holds(result)
                self.assertIn(f"BOX {box} FROM", result.stderr)

    def test_an_unknown_system_is_refused(self):
        self.assert_noticed(self.validate("virtualbox", DRYDOCK_SYSTEM="debian8"), "DRYDOCK_SYSTEM=debian8: there are debian13,")

    def test_a_box_of_ones_own(self):
        result = self.validate("virtualbox", self.telling, DRYDOCK_BOX="build/vm/course.box")
        self.assert_holds(result)
        self.assertIn("BOX course FROM build/vm/course.box", result.stderr)
        result = self.validate("virtualbox", self.telling, DRYDOCK_BOX="somebody/debian")
        self.assertIn("BOX somebody/debian FROM __UNSET__VALUE__\n", result.stderr)


if __name__ == "__main__":
    unittest.main()
