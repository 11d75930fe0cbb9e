// What is looked at: lists of mounts on both sides, and inodes and devices in the probe's root.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <set>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/lab/exercise.hpp>

using namespace drydock;
using namespace drydock::lab;

namespace {

constexpr const char* returns_errno = "its result, negative, is the errno of the call that failed";
constexpr std::uint64_t no_way_out = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

const facts::Mount* mount_on(const facts::Snapshot& seen, const std::string& target) {
  const auto found =
      std::find_if(seen.mounts.rbegin(), seen.mounts.rend(), [&](const facts::Mount& mount) { return mount.target == target; });
  return found == seen.mounts.rend() ? nullptr : &*found;
}

Fd root_of(pid_t pid) {
  return sys::open("/proc/" + std::to_string(pid) + "/root", O_PATH | O_DIRECTORY);
}

// Of a path in the root of a process, without any link: device and inode.
struct stat stat_in(pid_t pid, const std::string& path) {
  return sys::fstat(sys::openat2(root_of(pid), path, O_PATH | O_NOFOLLOW, 0, no_way_out));
}

std::string words_of(const struct stat& status) {
  return "device " + std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev)) + ", inode " +
         std::to_string(status.st_ino);
}

bool same_place(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Verdict not_seen_outside(Bench& bench) {
  const std::string token = bench.random().word("t-"), other = bench.random().word("b-"),
                    stage = "/tmp/" + bench.random().word("stage-");
  const std::string inner = stage + "/" + bench.random().word("inner-");
  const auto box = bench.start({"/lab/probe", "stage", stage, "beside", "hold", other, "--", "/lab/program", "private", inner,
                                "/lab/probe", "hold", token});
  const auto probe = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
  const auto beside = find_probe(*box, bench.probe(), {"/lab/probe", "hold", other});
  const auto inside = probe ? look(*box, *probe) : std::nullopt, outside = beside ? look(*box, *beside) : std::nullopt;
  if (!inside || !outside) return not_seen(*box, "make_private returns 0, and its process goes on", returns_errno);
  const std::string expected = "what is mounted on " + inner + " is in the list of the process that mounted it, and in no other";
  if (mount_on(*inside, inner) == nullptr)
    return fail({expected, "it is not in its own list", "/proc/PID/mountinfo",
                 "the process that calls make_private goes on in the new namespace"});
  if (inside->namespaces.at("mnt") == outside->namespaces.at("mnt"))
    return fail({expected, "both are in one mount namespace", "/proc/PID/ns/mnt",
                 "unshare(2) with CLONE_NEWNS makes a copy of the list"});
  if (mount_on(*outside, inner) != nullptr)
    return fail({expected, "a process outside has it too", "/proc/PID/mountinfo",
                 "the copies of a shared mount tell each other: make all of them private, with MS_REC"});
  return ok();
}

// enter_root, with a probe beside that stays in the old root.
struct Entered {
  std::string dir, token;
  std::unique_ptr<Box> box;
  std::optional<pid_t> probe, beside;

  // `words` is what the probe does in the new root.
  Entered(Bench& bench, Words words) : dir("/tmp/" + bench.random().word("root-")), token(bench.random().word("token-")) {
    const std::string other = bench.random().word("b-");
    // The probe beside stays in the box's own namespace: pivot_root(2) would take it along.
    Words command{"/lab/probe", "beside", "hold", other, "--", "/lab/probe", "mntns", "rootfs", dir, token, "run",
                  "/lab/program", "enter", dir};
    command.insert(command.end(), words.begin(), words.end());
    box = bench.start(std::move(command));
    probe = bench.wait_for_probe(*box, words);
    if (probe) beside = find_probe(*box, bench.probe(), {"/lab/probe", "hold", other});
  }
  Verdict never_seen() { return not_seen(*box, "enter_root returns 0, and a program of the new root runs", returns_errno); }
};

Verdict new_root(Bench& bench) {
  Entered entered(bench, {"/probe", "hold", bench.random().word("t-")});
  if (!entered.probe || !entered.beside) return entered.never_seen();
  try {
    const struct stat wanted = stat_in(*entered.beside, entered.dir.substr(1)), seen = sys::fstat(root_of(*entered.probe));
    if (!same_place(wanted, seen))
      return fail({"its root is the directory: " + words_of(wanted), words_of(seen), "/proc/PID/root",
                   "pivot_root(2) exchanges mounts: bind the directory on itself to make it one"});
    const std::string text = sys::read_all(sys::openat2(root_of(*entered.probe), "token", O_RDONLY | O_NONBLOCK, 0, no_way_out));
    if (text != entered.token)
      return fail({"/token says " + entered.token, text, "/token of the new root", "it is the given directory, not a copy"});
    return ok();
  } catch (const Error&) {
    return entered.never_seen();
  }
}

Verdict nothing_leads_back(Bench& bench) {
  Entered entered(bench, {"/probe", "escape", "hold", bench.random().word("t-")});
  if (entered.probe) entered.box->wait_for([&] { return sleeps(*entered.box, *entered.probe); }, 2000);
  const auto seen = entered.probe ? look(*entered.box, *entered.probe) : std::nullopt;
  const auto outside = entered.beside ? look(*entered.box, *entered.beside) : std::nullopt;
  if (!seen || !outside) return entered.never_seen();
  const facts::Mount* old = mount_on(*outside, "/");
  for (const facts::Mount& mount : seen->mounts)
    if (old != nullptr && mount.device == old->device && mount.root == old->root)
      return fail({"no line of its list is the old root", mount.target + " is", "/proc/PID/mountinfo",
                   "pivot_root(2), then umount2(2) of the old root with MNT_DETACH; chroot(2) changes no list"});
  // What is still mounted from elsewhere leads there.
  if (seen->mounts.size() != 1)
    return fail({"one mount, the new root", std::to_string(seen->mounts.size()) + " mounts", "/proc/PID/mountinfo",
                 "with the old root everything goes that was mounted below it"});
  return ok();
}

Verdict three_devices(Bench& bench) {
  const std::string token = bench.random().word("t-"), dir = "/tmp/" + bench.random().word("dev-");
  const auto box = bench.start({"/lab/probe", "mntns", "run", "/lab/program", "dev", dir, "/lab/probe", "hold", token});
  const auto probe = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
  const auto seen = probe ? look(*box, *probe) : std::nullopt;
  if (!seen) return not_seen(*box, "minimal_dev returns 0, and its process goes on", returns_errno);
  const facts::Mount* mount = mount_on(*seen, dir);
  if (mount == nullptr || mount->type != "tmpfs")
    return fail({"a tmpfs on " + dir, mount == nullptr ? "nothing is mounted there" : "a mount of type " + mount->type,
                 "/proc/PID/mountinfo", "mount(2) of type tmpfs"});
  const std::vector<std::string> wanted{"null 1:3", "urandom 1:9", "zero 1:5"};
  std::vector<std::string> found;
  try {
    for (const std::string& name : sys::list_directory("/proc/" + std::to_string(*probe) + "/root" + dir)) {
      const struct stat status = stat_in(*probe, dir.substr(1) + "/" + name);
      found.push_back(name + (S_ISCHR(status.st_mode)
                                  ? " " + std::to_string(major(status.st_rdev)) + ":" + std::to_string(minor(status.st_rdev))
                                  : " is no device"));
    }
  } catch (const Error&) {
    return not_seen(*box, "minimal_dev returns 0, and its process goes on", returns_errno);
  }
  if (found == wanted) return ok();
  const auto joined = [](const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? "nothing" : text.substr(0, 200);
  };
  return fail(
      {joined(wanted), joined(found), "the files in " + dir, "an empty file for each, and the host's node bound over it"});
}

const Registration registration({"04",
                                 {{"1a", "what is mounted inside is not seen outside", 25, {}, "", not_seen_outside},
                                  {"2a", "the directory is the root", 25, {}, "", new_root},
                                  {"2b", "the old root is gone, and no way leads there", 30, {}, "2a", nothing_leads_back},
                                  {"3a", "three devices, and nothing else", 20, {}, "", three_devices}}});

}  // namespace
