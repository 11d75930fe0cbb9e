// What a program may do: each protection is taken away, and a shell in the container tries what it kept from it.
#include <bit>
#include <string>

#include <drydock/facts/snapshot.hpp>

#include "experiments.hpp"
#include "experiments/protections.hpp"
#include "shared/tiny_elf.hpp"

namespace drydock::chapter::full_run {

namespace {

int count(std::uint64_t set) {
  return std::popcount(set);
}

facts::Status status_of(const Payload& payload) {
  return payload.facts().status;
}

}  // namespace

void without_capabilities(Narrator& tell) {
  const char* const link_down = "ip link set lo down && echo done";
  const char* const mount = "mount -t tmpfs none /tmp && echo done";
  tell.step("the whole plan");
  {
    Payload whole(tell, container());
    tell.show("capabilities of its root", count(status_of(whole).capabilities.effective), at_most(14));
    tell.show("ip link set lo down", ask(whole, link_down), contains("not permitted"));
    tell.show("mount a tmpfs", ask(whole, mount), contains("denied"));
  }
  tell.step("without the steps that drop capabilities");
  {
    Payload all(tell, container({.parts = capability_parts}));
    tell.show("capabilities of its root", count(status_of(all).capabilities.effective), at_least(38));
    tell.show("ip link set lo down", ask(all, link_down), is("done"));
    tell.show("mount a tmpfs", ask(all, mount), contains("denied"));
  }
  tell.step("the mount was refused by another protection: without the filter too");
  std::vector<std::string> both = capability_parts;
  both.push_back("seccomp");
  Payload neither(tell, container({.parts = both}));
  tell.show("mount a tmpfs", ask(neither, mount), is("done"));
  tell.result("root is not all or nothing. What the container's root may do to its own namespaces is 41 switches; it gets 14.");
}

void without_seccomp(Narrator& tell) {
  const char* const new_namespace = "unshare -U -r sh -c 'grep CapEff /proc/self/status' | tr '\\t' ' '";
  tell.step("the whole plan; a program that has no capability for it makes a user namespace, where it would have all of them");
  {
    Payload whole(tell, container());
    tell.show("state of seccomp", facts::seccomp_words(status_of(whole).seccomp), is("filter"));
    tell.show("unshare -U", ask(whole, new_namespace), contains("not permitted"));
  }
  tell.step("without the filter");
  Payload open(tell, container({.parts = {"seccomp"}}));
  tell.show("state of seccomp", facts::seccomp_words(status_of(open).seccomp), is("off"));
  tell.show("unshare -U", ask(open, new_namespace), satisfies("all capabilities", [](const std::string& seen) {
              return seen.starts_with("CapEff: ") && count(std::stoull(seen.substr(8), nullptr, 16)) >= 38;
            }));
  tell.result(
      "all of that is only inside, but it opens the kernel's code for mounts and packets to everybody, with its bugs. The filter "
      "closes it.");
}

void without_no_new_privs(Narrator& tell) {
  const std::string make = writing("/euid", tiny_elf_that_tells_its_euid()) + "; chmod 4755 /euid; echo made";
  const char* const run = "echo $(su -s /bin/sh www-data -c 'id -u; /euid; echo $?')";
  tell.step("a program that exits with its effective user id, owned by root, with the set-user-id bit; www-data (33) runs it");
  {
    Payload whole(tell, container());
    tell.show("the program", ask(whole, make), is("made"));
    tell.show("no_new_privs", status_of(whole).no_new_privs, is(true));
    tell.show("uid of the caller, euid of the program", ask(whole, run), is("33 33"));
  }
  tell.step("without no_new_privs");
  Payload weaker(tell, container({.parts = {"no_new_privs"}}));
  tell.show("the program", ask(weaker, make), is("made"));
  tell.show("no_new_privs", status_of(weaker).no_new_privs, is(false));
  tell.show("uid of the caller, euid of the program", ask(weaker, run), is("33 0"));
  tell.result("one bit, never cleared, inherited by all: no program gives its caller more than it had. Docker does not set it.");
}

void without_masks(Narrator& tell) {
  const char* const lines = "wc -l < /proc/interrupts";
  tell.step("the whole plan");
  {
    Payload whole(tell, container());
    tell.show("lines of /proc/interrupts", ask(whole, lines), is("0"));
    tell.show("/proc/interrupts is", ask(whole, "stat -c %F /proc/interrupts"), is("character special file"));
  }
  tell.step("without masks");
  Payload bare(tell, container({.parts = {"masks"}}));
  tell.show("lines of /proc/interrupts", About{std::stod(ask(bare, lines)), "lines"}, at_least(About{2, "lines"}));
  tell.show("/proc/interrupts is", ask(bare, "stat -c %F /proc/interrupts"), is("regular empty file"));
  tell.result(
      "no namespace separates it: when the host's keyboard interrupts is timing of somebody's password. So it is covered.");
}

void without_read_only(Narrator& tell) {
  const char* const own = "echo 1 > /proc/sys/net/ipv4/ip_forward && echo done";
  const char* const hosts = "cat /proc/sys/vm/swappiness > /tmp/now; cat /tmp/now > /proc/sys/vm/swappiness && echo done";
  tell.step("the whole plan: a setting of its own network, and one of the whole machine (the value that it has)");
  {
    Payload whole(tell, container());
    tell.show("write net.ipv4.ip_forward", ask(whole, own), contains("Read-only file system"));
    tell.show("write vm.swappiness", ask(whole, hosts), contains("Read-only file system"));
  }
  tell.step("without masks and read-only paths");
  {
    Payload bare(tell, container({.parts = {"masks"}}));
    tell.show("write net.ipv4.ip_forward", ask(bare, own), contains("denied"));
    tell.show("write vm.swappiness", ask(bare, hosts), contains("denied"));
  }
  tell.step("and with all capabilities");
  std::vector<std::string> both = capability_parts;
  both.push_back("masks");
  Payload strong(tell, container({.parts = both}));
  tell.show("write net.ipv4.ip_forward", ask(strong, own), is("done"));
  tell.show("write vm.swappiness", ask(strong, hosts), contains("denied"));
  tell.result(
      "the last line held: root inside is nobody outside. Without a user namespace, as in Docker, the mount flag is the only "
      "one: see without-user.");
}

}  // namespace drydock::chapter::full_run
