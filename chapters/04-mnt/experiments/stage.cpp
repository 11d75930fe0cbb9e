#include "stage.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include <drydock/facts/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::chapter::mnt {

Child on_stage(const Body& body) {
  return Child(for_this_user(CLONE_NEWNS), [=](Talk& chapter) {
    set_propagation("/", MS_REC | MS_PRIVATE);
    if (const Outcome made = mount_tmpfs("/mnt"); made.failed())
      throw Error::from_errno("mount", "\"tmpfs\", \"/mnt\"", made.error());
    return body(chapter);
  });
}

std::vector<facts::Mount> mounts() {
  return facts::parse::mountinfo(sys::read_file("/proc/self/mountinfo"));
}

bool is_mounted(const std::string& target) {
  const auto all = mounts();
  return std::any_of(all.begin(), all.end(), [&](const facts::Mount& mount) { return mount.target == target; });
}

Outcome mount_tmpfs(const std::string& target) {
  return {raw::call(SYS_mount, "tmpfs", target.c_str(), "tmpfs", 0, nullptr)};
}

Outcome bind_mount(const std::string& source, const std::string& target, std::uint64_t more) {
  return {raw::call(SYS_mount, source.c_str(), target.c_str(), nullptr, MS_BIND | more, nullptr)};
}

Outcome set_propagation(const std::string& target, std::uint64_t flag) {
  return {raw::call(SYS_mount, "none", target.c_str(), nullptr, flag, nullptr)};
}

Outcome unmount(const std::string& target, int flags) {
  return {raw::call(SYS_umount2, target.c_str(), flags)};
}

Outcome write_to(const std::string& path, const std::string& text) {
  const Fd file(static_cast<int>(raw::call(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
  if (!file) return {file.get()};
  return {raw::call(SYS_write, file.get(), text.data(), text.size())};
}

void make_file(const std::string& path, const std::string& text) {
  sys::write_all(sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), text);
}

std::string content(const std::string& path) {
  try {
    return sys::read_file(path);
  } catch (const Error& error) {
    return errno_name(error.code());
  }
}

std::pair<std::uint64_t, std::uint64_t> identity(const std::string& path) {
  const struct stat status = sys::fstat(sys::open(path, O_PATH | O_DIRECTORY));
  return {status.st_dev, status.st_ino};
}

int agent(Talk& talk) {
  for (std::string words = talk.line(); !words.empty(); words = talk.line()) {
    const std::size_t space = words.find(' ');
    const std::string verb = words.substr(0, space), path = words.substr(space + 1);
    if (verb == "mount")
      talk.say(text(mount_tmpfs(path)));
    else if (verb == "sees")
      talk.say(text(is_mounted(path)));
    else if (verb == "chroot")
      talk.say(text(Outcome{raw::call(SYS_chroot, path.c_str())}));
    else
      throw Error::refused("agent", "it does not know '" + verb + "'");
  }
  return 0;
}

std::string ask(Child& agent, const std::string& words) {
  agent.talk().say(words);
  return agent.talk().line();
}

}  // namespace drydock::chapter::mnt
