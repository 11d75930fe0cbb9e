// Namespaces as the kernel numbers them, and keeping one alive by a mount.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/id_map.hpp>
#include <drydock/namespaces/join.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::namespaces;

namespace {

// 0, or the number of the check that failed, of `body` in a child.
template <typename Body>
int in_child(Body body) {
  const pid_t child = test::forked();
  if (child == 0) {
    try {
      ::_exit(body());
    } catch (const Error& error) {
      (void)!::write(2, error.what(), std::strlen(error.what()));
      ::_exit(98);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

}  // namespace

TEST_CASE("unsharing one kind changes exactly that id", "[namespaces][N1-139]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const auto host = ids_of(0);
  for (const Kind kind : {Kind::mnt, Kind::net, Kind::ipc, Kind::uts, Kind::cgroup, Kind::user}) {
    INFO(info(kind).name);
    CHECK(in_child([&] {
            if (::unshare(static_cast<int>(info(kind).flag)) != 0) return 1;
            for (const auto& [other, id] : ids_of(0))
              if ((id != host.at(other)) != (other == kind)) return 2;
            return 0;
          }) == 0);
  }
}

TEST_CASE("a pinned namespace outlives its process and can be joined; unpinned it is gone", "[namespaces][N1-159]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const std::string directory = "/tmp/drydock-test-" + sys::random_hex(16);
  sys::mkdir(directory, 0700);
  const std::string pin = directory + "/uts";
  CHECK(in_child([&] {
          // A host of its own for the mounts.
          if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 1;
          const std::uint64_t before = id_of(0, Kind::uts);
          if (in_child([&] {
                if (::unshare(CLONE_NEWUTS) != 0 || ::sethostname("pinned", 6) != 0) return 1;
                plan::Plan plan;
                add_pin_steps(plan, plan::Lane::payload, path_of(0, Kind::uts), pin);
                const auto text = [&](std::size_t step, std::size_t argument) {
                  return std::get<std::string>(plan.steps()[step].action.args[argument]);
                };
                const Fd file(::open(text(0, 0).c_str(), O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444));
                const auto flags = static_cast<unsigned long>(std::get<std::int64_t>(plan.steps()[1].action.args[3]));
                return ::mount(text(1, 0).c_str(), text(1, 1).c_str(), nullptr, flags, nullptr) == 0 ? 0 : 2;
              }) != 0)
            return 2;
          const Fd held = sys::open(pin, O_RDONLY);
          if (::setns(held.get(), CLONE_NEWUTS) != 0) return 3;
          char name[64] = {};
          ::gethostname(name, sizeof name);
          if (std::string(name) != "pinned" || id_of(0, Kind::uts) == before) return 4;
          if (!unpin(pin) || sys::exists(pin)) return 5;
          return unpin(pin) ? 6 : 0;
        }) == 0);
  sys::remove_tree(directory);
}

TEST_CASE("a privileged parent maps any range, and root inside is that id outside", "[namespaces][security]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  int unshared[2], mapped[2];
  REQUIRE(::pipe(unshared) == 0);
  REQUIRE(::pipe(mapped) == 0);
  const pid_t child = test::forked();
  if (child == 0) {
    char byte = ::unshare(CLONE_NEWUSER) == 0 ? '.' : 'x';
    (void)!::write(unshared[1], &byte, 1);
    (void)!::read(mapped[0], &byte, 1);
    const bool became = ::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0;
    ::_exit(became && ::getuid() == 0 ? 0 : 1);
  }
  char byte = 0;
  REQUIRE(::read(unshared[0], &byte, 1) == 1);
  CHECK(byte == '.');
  const std::vector<IdMap> map = {{0, 100000, 65536}};
  REQUIRE(choose_writer(sys::geteuid(), map, {}) == MapWriter::parent);
  const std::string process = "/proc/" + std::to_string(child);
  sys::write_file(process + "/gid_map", map_text(map));
  sys::write_file(process + "/uid_map", map_text(map));
  CHECK(sys::read_file(process + "/setgroups") == "allow\n");
  std::string read_back = sys::read_file(process + "/uid_map");
  std::erase_if(read_back, [](char c) { return c == ' '; });
  CHECK(read_back == "010000065536\n");
  REQUIRE(::write(mapped[1], &byte, 1) == 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  for (const int fd : {unshared[0], unshared[1], mapped[0], mapped[1]}) ::close(fd);
}

TEST_CASE("what map_text refuses in words, the kernel refuses with EINVAL", "[namespaces]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  int unshared[2];
  REQUIRE(::pipe(unshared) == 0);
  const pid_t child = test::forked();
  if (child == 0) {
    const char byte = ::unshare(CLONE_NEWUSER) == 0 ? '.' : 'x';
    (void)!::write(unshared[1], &byte, 1);
    for (;;) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(unshared[0], &byte, 1) == 1);
  CHECK(byte == '.');
  for (const char* wrong : {"0 0 0\n", "0 100 10\n5 200 10\n", "0 100 10\n10 105 10\n", "1 0 4294967295\n"}) {
    INFO(wrong);
    int code = 0;
    try {
      sys::write_file("/proc/" + std::to_string(child) + "/uid_map", wrong);
    } catch (const Error& error) {
      code = error.code();
    }
    CHECK(code == EINVAL);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int fd : unshared) ::close(fd);
}

TEST_CASE("CVE-2014-8989: without deny the kernel refuses an unprivileged gid_map", "[namespaces][security]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const auto attempt = [](bool deny) {
    return in_child([deny] {
      if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) return 1;
      // A change of ids makes a process non-dumpable, and the files below /proc/self root's: trap of the self writer.
      ::prctl(PR_SET_DUMPABLE, 1);
      if (::unshare(CLONE_NEWUSER) != 0) return 77;
      if (deny) sys::write_file("/proc/self/setgroups", "deny");
      try {
        sys::write_file("/proc/self/gid_map", map_text({{0, 65534, 1}}));
        return 0;
      } catch (const Error& error) {
        return error.code() == EPERM ? 2 : 3;
      }
    });
  };
  if (attempt(true) == 77)
    DRYDOCK_SKIP("user namespaces without root are switched off; sysctl kernel.unprivileged_userns_clone=1");
  CHECK(attempt(false) == 2);
  CHECK(attempt(true) == 0);
}
