// A host of one's own for network tests: an outer network namespace, and processes in further ones that play containers.
//
// Example: on_own_host([] { Netlink route(NETLINK_ROUTE); ... });   // nothing of the machine's network is touched
#pragma once

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/messages.hpp>
#include <drydock/network/netlink.hpp>
#include <drydock/plan/executor/netlink_io.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"
#include "support/needs.hpp"

namespace drydock::test {

// Runs `body` in a thread with its own network and mount namespace, lo up. Assertions in it count; the machine's links,
// rules and sysctls are out of its reach.
inline void on_own_host(const std::function<void()>& body) {
  std::exception_ptr problem;
  std::thread thread([&] {
    try {
      if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) throw Error::from_errno("unshare", "CLONE_NEWNET|CLONE_NEWNS", errno);
      if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw Error::from_errno("mount", "MS_PRIVATE", errno);
      network::Netlink(NETLINK_ROUTE).send(network::link_up("lo").bytes);
      // A new network namespace takes its values from the machine's first one, which may be a router already.
      sys::write_file("/proc/sys/net/ipv4/ip_forward", "0");
      body();
    } catch (...) {
      problem = std::current_exception();
    }
  });
  thread.join();
  if (problem) std::rethrow_exception(problem);
}

inline bool eventually(const std::function<bool()>& condition, int milliseconds = 3000) {
  for (int waited = 0; waited < milliseconds; waited += 5) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

// A child process; killed and reaped at the end of its scope. `body` runs in it, then it sleeps until it is killed.
class Process {
 public:
  explicit Process(const std::function<void()>& body, bool own_network = false) {
    int ready[2];
    REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
    pid_ = forked();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const char fine = own_network && ::unshare(CLONE_NEWNET) != 0 ? 'x' : '.';
      if (::write(ready[1], &fine, 1) != 1 || fine != '.') ::_exit(1);
      try {
        body();
      } catch (const std::exception& error) {
        const std::string text = std::string("child: ") + error.what() + "\n";
        (void)!::write(2, text.data(), text.size());
        ::_exit(1);
      }
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char answer = 0;
    const bool told = ::read(ready[0], &answer, 1) == 1;
    ::close(ready[0]);
    REQUIRE((told && answer == '.'));
  }
  Process(const Process&) = delete;
  ~Process() { kill(); }
  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

// The message with its patches filled in, in their order.
inline plan::Bytes patched(const network::Message& message, std::initializer_list<std::uint32_t> values) {
  plan::Bytes bytes = message.bytes;
  std::size_t next = 0;
  for (const std::uint32_t value : values)
    if (!plan::executor::netlink_patch(bytes.data.data(), bytes.data.size(), message.patches.at(next++).offset, value))
      throw Error::refused("patch", "outside the message");
  return bytes;
}

}  // namespace drydock::test
