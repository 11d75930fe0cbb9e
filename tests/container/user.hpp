// An ordinary user of a played host: a home, a state and a data directory, and copies of the programs that drydock starts.
//
// Example: Host host; User user(host); CHECK(user.drydock({"run", "--rm", "busybox", "id", "-u"}).out == "0\n");
// Source: container/host.hpp; user_namespaces(7).
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "container/host.hpp"
#include "container/look.hpp"

namespace drydock::test {

// A user with a home, and with programs that it may reach: the build directory may be closed to it.
class User {
 public:
  static constexpr unsigned id = 65534;
  explicit User(Host& host) : host_(host), home_(host.scratch() + "/home") {
    make(home_);
    make(home_ + "/bin");
    make(home_ + "/run");
    for (const char* name : {"drydock-monitor", "drydock-image"}) copy(name);
    open_tun();
    how_.user = id;
    how_.environment = {"HOME=" + home_, "XDG_RUNTIME_DIR=" + home_ + "/run", "DRYDOCK_ROOT=" + home_ + "/data",
                        "DRYDOCK_MONITOR=" + home_ + "/bin/drydock-monitor"};
  }
  // A range of ids in /etc/subuid and /etc/subgid; without it a user has one id.
  void grant_ids() {
    for (const char* name : {"subuid", "subgid"})
      host_.cover(std::string("/etc/") + name, scratch_file(host_, name, std::to_string(id) + ":300000:65536\n"));
  }
  Result drydock(const Words& words) { return host_.drydock(words, how_); }
  Program start(const Words& words) { return host_.start(words, how_); }
  // How this user calls a program.
  const How& how() const { return how_; }
  const std::string& home() const { return home_; }
  // Files of state and containers that are still there.
  Words left() const {
    Words found;
    files_below(home_ + "/run", found);
    for (const char* name : {"/data/containers", "/data/upper", "/data/work"}) names_in(home_ + name, found);
    return found;
  }

 private:
  static void make(const std::string& path) {
    sys::mkdir(path, 0700);
    REQUIRE(::chown(path.c_str(), id, id) == 0);
  }
  void copy(const std::string& name) const {
    const std::string to = home_ + "/bin/" + name;
    sys::write_all(sys::open(to, O_WRONLY | O_CREAT | O_EXCL, 0755), sys::read_file(std::string(DRYDOCK_BIN_DIR) + "/" + name));
    REQUIRE(::chown(to.c_str(), id, id) == 0);
  }
  // The device that udev opens to everybody on a usual machine.
  void open_tun() const {
    const std::string path = host_.scratch() + "/tun";
    REQUIRE(::mknod(path.c_str(), S_IFCHR | 0666, makedev(10, 200)) == 0);
    REQUIRE(::chmod(path.c_str(), 0666) == 0);
    host_.cover("/dev/net/tun", path);
  }
  static void files_below(const std::string& directory, Words& found) {
    if (!sys::exists(directory)) return;
    for (const std::string& name : sys::list_directory(directory)) {
      const auto status = sys::lstat(directory + "/" + name);
      if (status && S_ISDIR(status->st_mode))
        files_below(directory + "/" + name, found);
      else
        found.push_back(directory + "/" + name);
    }
  }
  static void names_in(const std::string& directory, Words& found) {
    if (!sys::exists(directory)) return;
    for (const std::string& name : sys::list_directory(directory)) found.push_back(directory + "/" + name);
  }

  Host& host_;
  const std::string home_;
  How how_;
};

}  // namespace drydock::test
