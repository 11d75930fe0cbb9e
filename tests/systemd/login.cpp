#include "systemd/login.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::test {

namespace {

constexpr const char* account = "student";
constexpr const char* path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

void add_names(const std::string& directory, const std::string& prefix, Words& found) {
  if (!sys::exists(directory)) return;
  for (const std::string& name : sys::list_directory(directory))
    if (name.starts_with(prefix)) found.push_back(directory + "/" + name);
}

}  // namespace

std::string Login::cannot_play() {
  const std::string where = "; the machine of ./lab vm has all of it";
  if (sys::geteuid() != 0) return "not root" + where;
  if (!sys::exists("/run/systemd/system")) return "systemd is not process 1" + where;
  if (cgroups::read_layout().shape != cgroups::Shape::v2) return "no pure cgroup v2" + where;
  return ::getpwnam(account) != nullptr ? "" : "no account 'student'" + where;
}

Login::Login() {
  const passwd* entry = ::getpwnam(account);
  if (entry == nullptr) throw std::runtime_error("no account");
  uid_ = entry->pw_uid, gid_ = entry->pw_gid;
  if (const Result started = as_root("systemctl start user@" + std::to_string(uid_)); started.code != 0)
    throw std::runtime_error("no user manager: " + started.seen());
  // Not the account's own home: an overlay's writable layer cannot lie on the overlay that a live system is.
  home_ = "/tmp/drydock-login-" + sys::random_hex(8);
  state_ = "/run/user/" + std::to_string(uid_);
  sys::mkdir(home_, 0700);
  if (::chown(home_.c_str(), uid_, gid_) != 0) throw std::runtime_error("chown");
}

Login::~Login() {
  outside(Words{"reset", "--all"});
  sys::remove_tree(home_);
}

Words Login::drydock(const Words& words) const {
  Words argv{drydock_program()};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

Result Login::as_user(const Words& argv) const {
  Words all{"/usr/bin/setpriv", "--reuid", std::to_string(uid_), "--regid", std::to_string(gid_), "--clear-groups", "--"};
  all.insert(all.end(), argv.begin(), argv.end());
  return Program(all, {},
                 {path, "HOME=" + home_, "XDG_RUNTIME_DIR=" + state_, "DRYDOCK_MONITOR=" DRYDOCK_BIN_DIR "/drydock-monitor"})
      .wait();
}

Result Login::in_scope(const Words& words) const {
  Words all{"/usr/bin/systemd-run", "--user", "--scope", "-q", "-p", "Delegate=yes"};
  const Words program = drydock(words);
  all.insert(all.end(), program.begin(), program.end());
  return as_user(all);
}

Result Login::as_root(const std::string& script) {
  return Program({"/bin/sh", "-c", script}, {}, {path}).wait();
}

container::Record Login::record(const std::string& name) const {
  container::Paths paths;
  paths.data = home_ + "/.local/share/drydock";
  paths.state = state_ + "/drydock";
  return container::Engine(paths).find(name);
}

Words Login::left() const {
  Words found;
  for (const char* name : {"containers", "upper", "work"}) add_names(home_ + "/.local/share/drydock/" + name, "", found);
  const std::string id = std::to_string(uid_);
  add_names("/sys/fs/cgroup/user.slice/user-" + id + ".slice/user@" + id + ".service", "drydock", found);
  return found;
}

}  // namespace drydock::test
