#include "shared/bench.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <drydock/container/host.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/overlay/overlay.hpp>

namespace drydock::chapter {

using namespaces::Kind;

namespace {

constexpr const char* place_of_bench = "/mnt";

// trusted.* attributes are for root of the first user namespace only (xattr(7)).
bool as_user() {
  return sys::geteuid() != 0;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::string option_string(const Layers& layers) {
  std::vector<std::string> highest_first;
  for (auto lower = layers.lowers.rbegin(); lower != layers.lowers.rend(); ++lower)
    highest_first.push_back(drydock::overlay::escaped(*lower, true));
  std::string options = "lowerdir=" + joined(highest_first, ":");
  if (!layers.upper.empty()) options += ",upperdir=" + layers.upper + ",workdir=" + layers.upper + ".work";
  // In a user namespace the notes are in user.* attributes; that option decides about redirect_dir and index too.
  if (as_user())
    options += ",userxattr";
  else if (!layers.options.empty())
    options += "," + layers.options;
  return options;
}

}  // namespace

Bench::Bench()
    : holder_(for_this_user(CLONE_NEWNS), [](Talk& chapter) -> int {
        raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        chapter.say(text(Outcome{raw::call(SYS_mount, "bench", place_of_bench, "tmpfs", 0, "mode=755")}));
        for (;;) ::pause();  // for as long as the bench is used; the chapter's end is this one's end
      }) {
  if (const std::string made = holder_.talk().line(); made != "it succeeds") throw Error::refused("mount a tmpfs at /mnt", made);
}

std::string Bench::run(const std::function<std::string()>& look) {
  return visit(holder_.pid(), {Kind::user, Kind::mnt}, [&] {
    raw::call(SYS_chdir, place_of_bench);
    return look();
  });
}

Outcome Bench::call(const std::function<long()>& system_call) {
  return {std::stol(run([&] { return std::to_string(system_call()); }))};
}

Outcome Bench::try_stack(const std::string& place, const Layers& layers) {
  const std::string options = option_string(layers);
  return call([&] {
    std::vector<std::string> directories = layers.lowers;
    directories.push_back(place);
    if (!layers.upper.empty()) directories.insert(directories.end(), {layers.upper, layers.upper + ".work"});
    for (const std::string& directory : directories) sys::mkdirs(directory);
    return raw::call(SYS_mount, "overlay", place.c_str(), "overlay", 0, options.c_str());
  });
}

void Bench::stack(const std::string& place, const Layers& layers) {
  const Outcome mounted = try_stack(place, layers);
  if (mounted.failed())
    throw Error::from_errno("mount", "\"overlay\", \"" + place + "\", " + option_string(layers), mounted.error());
}

Outcome Bench::unmount(const std::string& place) {
  return call([&] { return raw::call(SYS_umount2, place.c_str(), 0); });
}

void Bench::write(const std::string& path, const std::string& content) {
  run([&] {
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) sys::mkdirs(path.substr(0, slash));
    sys::write_all(sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), content);
    return std::string();
  });
}

std::string Bench::read(const std::string& path, std::size_t most) {
  return run([&] {
    const long fd = raw::call(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
    return raw::failed(fd) ? text(Outcome{fd}) : sys::read_all(Fd(static_cast<int>(fd))).substr(0, most);
  });
}

std::string Bench::list(const std::string& path) {
  const std::string names = run([&] { return joined(sys::list_directory(path), " "); });
  return names.empty() ? "(empty)" : names;
}

struct stat Bench::status(const std::string& path) {
  const std::string bytes = run([&] {
    const auto status = sys::lstat(path);
    if (!status) throw Error::refused(path, "no such file");
    return std::string(reinterpret_cast<const char*>(&*status), sizeof *status);
  });
  struct stat status;
  bytes.copy(reinterpret_cast<char*>(&status), sizeof status);
  return status;
}

std::uint64_t Bench::used_bytes() {
  return std::stoull(run([] {
    struct statfs status;
    ::statfs(place_of_bench, &status);
    return std::to_string((status.f_blocks - status.f_bfree) * static_cast<std::uint64_t>(status.f_bsize));
  }));
}

std::string Bench::attribute(const std::string& path, const std::string& name) {
  const std::string full = (as_user() ? "user.overlay." : "trusted.overlay.") + name;
  return run([&] {
    char value[256];
    const long size = raw::call(SYS_lgetxattr, path.c_str(), full.c_str(), value, sizeof value);
    return raw::failed(size) ? std::string("none") : std::string(value, static_cast<std::size_t>(size));
  });
}

Need layers() {
  return {"root or Linux 6.6", [] {
            if (!as_user() || container::kernel_at_least(6, 6)) return std::string();
            return std::string(
                "before Linux 6.6 a user's tmpfs holds no attributes, and overlayfs keeps its notes in them; run it with sudo");
          }};
}

std::string kind_of(const std::string& path) {
  const auto status = sys::lstat(path);
  if (!status) return "none";
  if (S_ISCHR(status->st_mode))
    return "char device " + std::to_string(major(status->st_rdev)) + ":" + std::to_string(minor(status->st_rdev));
  return S_ISDIR(status->st_mode) ? "directory" : "file";
}

}  // namespace drydock::chapter
