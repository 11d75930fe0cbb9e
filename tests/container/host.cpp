#include "container/host.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <stdexcept>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/messages.hpp>
#include <drydock/network/netlink.hpp>

#include "container/processes.hpp"
#include "support/forked.hpp"

namespace drydock::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

// Everything in it is made before the first host and removed when the test program ends.
struct SharedData {
  SharedData() : path("/tmp/drydock-test-" + sys::random_hex(16)) {
    sys::mkdirs(path, 0755);
    Program program({DRYDOCK_BIN_DIR "/drydock-image", "ensure-base", "--root", path}, {}, {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"});
    const Result result = program.wait();
    if (result.code != 0) throw std::runtime_error("the base image cannot be unpacked: " + result.seen());
  }
  ~SharedData() {
    try {
      sys::remove_tree(path);
    } catch (const Error& error) {
      std::cerr << "shared data: " << error.what() << '\n';
    }
  }
  std::string path;
};

}  // namespace

const std::string& shared_data() {
  static const SharedData data;
  return data.path;
}

std::string drydock_program() {
  return DRYDOCK_BIN_DIR "/drydock";
}

std::string Host::cannot_play() {
  if (sys::geteuid() != 0) return "not root; run with sudo";
  // A child tries, so that nothing of this process changes.
  const pid_t child = forked();
  if (child == 0) ::_exit(::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? "" : "no new network and mount namespaces here; a machine or container with CAP_SYS_ADMIN would do";
}

Host::Host() : data_(shared_data()), scratch_("/tmp/drydock-test-host-" + sys::random_hex(8)) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  machine_network_ = sys::open("/proc/self/ns/net", O_RDONLY);
  machine_mounts_ = sys::open("/proc/self/ns/mnt", O_RDONLY);
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) fail("unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("mount MS_PRIVATE");
  if (::mount("drydock-run", "/run", "tmpfs", 0, "mode=755") != 0) fail("mount /run");
  network::Netlink(NETLINK_ROUTE).send(network::link_up("lo").bytes);
  // A new network namespace takes its values from the machine's first one, which may be a router already.
  sys::write_file("/proc/sys/net/ipv4/ip_forward", "0");
  sys::mkdir(scratch_, 0755);
  note_beginning();
}

Host::~Host() {
  try {
    drydock({"reset", "--all"});
    eventually(
        [] {
          for (const auto& [pid, name] : descendants()) ::kill(pid, SIGKILL);
          reap_orphans();
          return descendants().empty();
        },
        3000);
  } catch (const std::exception& error) {
    std::cerr << "host: " << error.what() << '\n';
  }
  if (::setns(machine_network_.get(), CLONE_NEWNET) != 0 || ::setns(machine_mounts_.get(), CLONE_NEWNS) != 0)
    std::cerr << "host: no way back to the machine's namespaces\n";
  try {
    sys::remove_tree(scratch_);  // what was mounted there is gone with the mount namespace
  } catch (const std::exception& error) {
    std::cerr << "host: " << error.what() << '\n';
  }
}

Words Host::environment() const {
  return {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=xterm", "DRYDOCK_ROOT=" + data_,
          "DRYDOCK_MONITOR=" DRYDOCK_BIN_DIR "/drydock-monitor"};
}

Result Host::drydock(const Words& words, const How& how) {
  return start(words, how).wait(how.timeout_ms);
}

Program Host::start(const Words& words, const How& how) {
  Words argv{drydock_program()};
  argv.insert(argv.end(), words.begin(), words.end());
  return Program(argv, how, environment());
}

void Host::cover(const std::string& path, const std::string& with) {
  if (::mount(with.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) fail("mount " + with + " over " + path);
  note_beginning();
}

container::Engine Host::engine() const {
  container::Paths paths;
  paths.data = data_;
  paths.state = "/run/drydock";
  paths.monitor = DRYDOCK_BIN_DIR "/drydock-monitor";
  return container::Engine(paths);
}

}  // namespace drydock::test
