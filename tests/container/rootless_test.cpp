// Containers of an ordinary user: what is there, what is said to be missing, and that nothing is left.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <drydock/kernel/sys.hpp>

#include "container/host.hpp"
#include "container/processes.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr unsigned nobody = 65534;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A user with a home, and with programs that it may reach: the build directory may be closed to it.
class User {
 public:
  explicit User(Host& host) : host_(host), home_(host.scratch() + "/home") {
    make(home_);
    make(home_ + "/bin");
    make(home_ + "/run");
    for (const char* name : {"drydock-monitor", "drydock-image"}) copy(name);
    how_.user = nobody;
    how_.environment = {"HOME=" + home_, "XDG_RUNTIME_DIR=" + home_ + "/run", "DRYDOCK_ROOT=" + home_ + "/data", "DRYDOCK_MONITOR=" + home_ + "/bin/drydock-monitor"};
  }
  Result drydock(const Words& words) { return host_.drydock(words, how_); }
  Program start(const Words& words) { return host_.start(words, how_); }
  const std::string& home() const { return home_; }
  // Files of state and containers that are still there.
  Words left() const {
    Words found;
    list(home_ + "/run", found);
    list(home_ + "/data/containers", found);
    return found;
  }

 private:
  static void make(const std::string& path) {
    sys::mkdir(path, 0700);
    REQUIRE(::chown(path.c_str(), nobody, nobody) == 0);
  }
  void copy(const std::string& name) const {
    const std::string to = home_ + "/bin/" + name;
    sys::write_all(sys::open(to, O_WRONLY | O_CREAT | O_EXCL, 0755), sys::read_file(std::string(DRYDOCK_BIN_DIR) + "/" + name));
    REQUIRE(::chown(to.c_str(), nobody, nobody) == 0);
  }
  static void list(const std::string& directory, Words& found) {
    if (!sys::exists(directory)) return;
    for (const std::string& name : sys::list_directory(directory)) {
      const auto status = sys::lstat(directory + "/" + name);
      if (status && S_ISDIR(status->st_mode) && !directory.ends_with("containers")) list(directory + "/" + name, found);
      else found.push_back(directory + "/" + name);
    }
  }

  Host& host_;
  const std::string home_;
  How how_;
};

}  // namespace

TEST_CASE("without root: own ids, processes, name, mounts and network", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock({"run", "--rm", "--hostname", "dock", "busybox", "sh", "-c",
                                   "id -u; echo pid $$; hostname; cat /proc/self/uid_map; ls /sys/class/net; touch /new && rm /etc/passwd && echo written"});
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK(run.out.starts_with("0\npid 1\ndock\n"));
  CHECK(has(run.out, "0      65534          1\nlo\n"));
  CHECK(has(run.out, "written"));
  CHECK(has(run.err, "without root there is no bridge"));
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: detached, exec, logs, stop, rm", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  REQUIRE(user.drydock({"run", "-d", "--network", "none", "--name", "box", "busybox", "sh", "-c", "echo hello; exec sleep 100"}).code == 0);
  CHECK(has(user.drydock({"ps"}).out, "box"));
  CHECK(user.drydock({"exec", "box", "sh", "-c", "test $(id -u) = 0 && exit 9"}).code == 9);
  CHECK(eventually([&] { return user.drydock({"logs", "box"}).out == "hello\n"; }));
  CHECK(user.drydock({"stop", "-t", "0", "box"}).code == 0);
  CHECK(user.drydock({"rm", "box"}).code == 0);
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a directory of one's own, the host's network, a read-only root", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result bind = user.drydock({"run", "--rm", "--network", "none", "-v", user.home() + ":/home", "busybox", "sh", "-c", "echo seen > /home/note"});
  INFO(bind.seen());
  CHECK(bind.code == 0);
  CHECK(sys::read_file(user.home() + "/note") == "seen\n");
  const auto owner = sys::lstat(user.home() + "/note");
  CHECK((owner && owner->st_uid == nobody));
  const Result shared = user.drydock({"run", "--rm", "--network", "host", "busybox", "readlink", "/proc/self/ns/net"});
  INFO(shared.seen());
  CHECK(shared.out == sys::readlink("/proc/self/ns/net") + "\n");
  CHECK(user.drydock({"run", "--rm", "--network", "none", "--read-only", "busybox", "touch", "/new"}).code == 1);
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a killed caller and a killed monitor leave nothing", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Words words{"run", "--rm", "--network", "none", "busybox", "sleep", "100"};
  for (const bool monitor : {false, true}) {
    Program run = user.start(words);
    REQUIRE(eventually([&] { return has(user.drydock({"ps"}).out, "sleep"); }));
    if (monitor)
      for (const pid_t child : children_of(run.pid())) ::kill(child, SIGKILL);
    run.signal(SIGKILL);
    run.wait();
    if (monitor) CHECK(user.drydock({"reset"}).code == 0);
    INFO((monitor ? "monitor" : "caller"));
    CHECK(eventually([&] { return user.left().empty(); }, 1000));
    CHECK(host.leftovers() == nothing);
  }
}
