// Acceptance item 2, first half: what a program in a container sees, and what it does not see.
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include <drydock/cgroups/device_rules.hpp>
#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

TEST_CASE("a container has a host name of its own", "[container][isolation][N4-042]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string before = host_name();
  const Result own = in_container(host, "hostname; cat /etc/hostname; echo $HOSTNAME");
  CHECK(own.code == 0);
  REQUIRE(own.out.size() == 3 * 13);  // 12 digits of the id
  CHECK(own.out.substr(0, 13) == own.out.substr(13, 13));
  CHECK(own.out.substr(0, 13) == own.out.substr(26, 13));
  const Result given = in_container(host, "hostname; hostname changed 2>&1; grep -c harbour /etc/hosts", {"--hostname", "harbour"});
  CHECK(has(given.out, "harbour\n"));
  CHECK(given.out.ends_with("1\n"));
  CHECK(host_name() == before);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the program is pid 1 and sees only itself", "[container][isolation][N3-020]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "echo $$; ls -d /proc/[0-9]* | wc -l; ps -o pid,args");
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK(run.out.starts_with("1\n"));
  CHECK(lines(run.out) <= 2 + 3);  // the header, itself, ps
  CHECK_FALSE(has(run.out, "container_tests"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the root is an overlay, and nothing of the host's mounts is seen", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "cat /proc/mounts; ls /; test ! -e " + host.data() + " && echo hidden");
  INFO(run.seen());
  CHECK(has(run.out, "overlay / overlay rw"));
  CHECK(has(run.out, "proc /proc proc rw,nosuid,nodev,noexec"));
  CHECK(has(run.out, "sysfs /sys sysfs ro"));
  CHECK_FALSE(has(run.out, "drydock-run /run"));  // the host's /run; three files of it are the container's names
  CHECK(has(run.out, "hidden"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("what a container writes is gone with it", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(in_container(host, "echo x > /file; rm -r /www; ls /file").code == 0);
  const Result next = in_container(host, "ls /file; ls /www");
  CHECK(has(next.err, "/file: No such file"));
  CHECK(has(next.out, "index.html"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a container has lo and eth0 with an address on the bridge", "[container][isolation][N0-060]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "ip addr; ip route; cat /etc/hosts");
  INFO(run.seen());
  CHECK(has(run.out, "1: lo: <LOOPBACK,UP"));
  CHECK(has(run.out, "eth0"));
  CHECK(has(run.out, "inet 172.29.0."));
  CHECK(has(run.out, "default via 172.29.0.1 dev eth0"));
  CHECK_FALSE(has(run.out, "drydock0"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("limits are read back from the container's own control group files", "[container][isolation][N2-035]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const cgroups::Layout layout = cgroups::read_layout();
  if (layout.find("memory") == nullptr || layout.find("pids") == nullptr) DRYDOCK_SKIP("no memory or pids controller; boot without cgroup_disable=");
  const auto file = [&](const char* controller, const char* first, const char* second) {
    const bool v2 = layout.find(controller)->version == cgroups::Version::v2;
    return v2 ? std::string("/sys/fs/cgroup/") + second : "/sys/fs/cgroup/" + std::string(controller) + "/" + first;
  };
  // On v2 the cgroup namespace begins below the group with the limits: the files in the container say "max", the host's say more.
  const bool v2 = layout.find("memory")->version == cgroups::Version::v2;
  const Result run = in_container(host,
                                  "cat " + file("pids", "pids.max", "pids.max") + " " + file("memory", "memory.limit_in_bytes", "memory.max") +
                                      "; cat /proc/self/cgroup; echo 9999 > " + file("pids", "pids.max", "pids.max"),
                                  {"-m", "64m", "--pids-limit", "32"});
  INFO(run.seen());
  CHECK(run.out.starts_with(v2 ? "max\nmax\n" : "32\n67108864\n"));
  CHECK_FALSE(has(run.out, "drydock"));  // the cgroup namespace hides where the group stands
  CHECK(has(run.err, "Read-only file system"));
  CHECK(run.code != 0);
  const auto box = detached(host, "box", "exec sleep 100", {"-m", "64m", "--pids-limit", "32"});
  CHECK(sys::read_file(limit_file(box.pid, "pids", "pids.max", "pids.max")) == "32\n");
  CHECK(sys::read_file(limit_file(box.pid, "memory", "memory.limit_in_bytes", "memory.max")) == "67108864\n");
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the program's exit status is passed through", "[container][isolation][N0-110]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(in_container(host, "exit 0").code == 0);
  CHECK(in_container(host, "exit 42").code == 42);
  CHECK(in_container(host, "kill -9 $$; sleep 1; exit 3").code == 3);  // pid 1 of a namespace cannot kill itself
  // pid_namespaces(7): a signal from within its namespace reaches pid 1 only through a handler, so a shell that becomes its
  // own command cannot die of one. A child can, and so can the program of --init, which is not pid 1.
  CHECK(in_container(host, "sh -c 'kill -SEGV $$'; exit $?").code == 128 + SIGSEGV);
  CHECK(host.drydock({"run", "--rm", "--init", "busybox", "sh", "-c", "kill -9 $$"}).code == 128 + 9);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("standard input, output and error are the caller's", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  How how;
  how.input = "one\ntwo\n";
  const Result open = host.drydock({"run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo problem >&2"}, how);
  CHECK(open.out == "one\ntwo\n");
  CHECK(open.err == "problem\n");
  const Result shut = host.drydock({"run", "--rm", "busybox", "cat"}, how);  // without -i there is nothing to read
  CHECK(shut.code == 0);
  CHECK(shut.out.empty());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the default is a small set of capabilities and a system call filter", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "grep -E 'CapEff|CapBnd|Seccomp:' /proc/self/status; mount -t tmpfs x /tmp; unshare -U true; echo after");
  INFO(run.seen());
  CHECK(has(run.out, "CapEff:\t00000000a80425fb"));
  CHECK(has(run.out, "CapBnd:\t00000000a80425fb"));
  CHECK(has(run.out, "Seccomp:\t2"));
  CHECK(has(run.err, "mount: "));
  CHECK(has(run.err, "unshare"));
  CHECK(has(run.out, "after"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a node of any device can be made, and only the container's own opened, also by exec", "[container][security]") {
  DRYDOCK_NEEDS_HOST();
  const cgroups::Layout layout = cgroups::read_layout();
  if (!cgroups::devices_guarded(layout)) DRYDOCK_SKIP("no v1 devices controller, no device programs; CONFIG_CGROUP_BPF");
  Host host;
  const std::string script = "mknod /disk b 7 0 && (: </disk); mknod /zero c 1 5 && head -c 2 /zero | wc -c";
  const Result kept = in_container(host, script);
  INFO(kept.seen());
  CHECK(has(kept.err, "/disk: Operation not permitted"));
  CHECK(kept.out == "2\n");
  CHECK_FALSE(has(in_container(host, script, {"--privileged"}).err, "Operation not permitted"));
  detached(host, "box", "exec sleep 100");
  CHECK(has(host.drydock({"exec", "box", "sh", "-c", script}).err, "/disk: Operation not permitted"));
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// Which of them there are is the kernel's choice: those that this one has are looked at.
TEST_CASE("what must not be seen of /proc is masked or read-only", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  std::size_t masked = 0;
  for (const std::string path : {"/proc/kcore", "/proc/keys", "/proc/interrupts", "/proc/timer_list", "/proc/sched_debug"}) {
    if (!sys::exists(path)) continue;
    ++masked;
    const Result run = in_container(host, "wc -c < " + path);
    INFO(path << ": " << run.seen());
    CHECK(run.out == "0\n");
  }
  CHECK(masked > 0);
  for (const std::string path : {"/proc/sysrq-trigger", "/proc/sys/kernel/panic", "/proc/sys/kernel/hostname", "/proc/irq/default_smp_affinity"}) {
    if (!sys::exists(path)) continue;
    const Result run = in_container(host, "echo 0 > " + path);
    INFO(path << ": " << run.seen());
    CHECK(run.code != 0);
    CHECK(has(run.err, path + ": Read-only file system"));
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("no descriptor of the host leads into the container", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "ls -l /proc/1/fd");
  INFO(run.seen());
  CHECK(run.code == 0);
  for (const char* number : {" 3 ->", " 4 ->", " 5 ->", " 6 ->", " 7 ->", " 8 ->"}) CHECK_FALSE(has(run.out, number));
  CHECK(host.leftovers() == nothing);
}

// The positive parent of all checks for nothing: what a container that runs consists of is seen, kind by kind.
TEST_CASE("leftovers would be seen", "[container][isolation]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(host.drydock({"run", "-d", "--name", "box", "busybox", "sleep", "100"}).code == 0);  // no shell: its name would change
  std::string found;
  for (const std::string& one : host.leftovers(50)) found += one + "\n";
  INFO(found);
  for (const char* kind : {"process sleep ", "process drydock-monito", "link drydock0", "control group /", "nftables table drydock", "net.ipv4.ip_forward changed",
                           "file /run/drydock/", "container files "})
    CHECK(has(found, kind));
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}
