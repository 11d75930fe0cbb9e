#include <drydock/lab/witness.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include <drydock/image/archive/digest.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

std::string proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// A process may end between any two looks: that is no error of ours.
template <typename Look>
auto unless_gone(Look look) -> std::optional<decltype(look())> {
  try {
    return look();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<std::string> words_of(pid_t pid) {
  const std::string text = unless_gone([&] { return sys::read_file(proc(pid, "cmdline")); }).value_or("");
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

bool has_bytes(pid_t pid, const std::string& bytes) {
  return unless_gone([&] {
           const Fd file = sys::open(proc(pid, "exe"), O_RDONLY | O_NONBLOCK);
           const struct stat status = sys::fstat(file);
           if (!S_ISREG(status.st_mode) || static_cast<std::size_t>(status.st_size) != bytes.size()) return false;
           return image::sha256_digest(sys::read_all(file)) == image::sha256_digest(bytes);
         })
      .value_or(false);
}

// The value of "Key:\tvalue" in a status file.
std::string field(const std::string& status, const std::string& key) {
  const std::size_t at = status.find("\n" + key + ":");
  if (at == std::string::npos) return {};
  const std::size_t begin = status.find_first_not_of(" \t", at + key.size() + 2);
  return status.substr(begin, status.find('\n', begin) - begin);
}

// A box that cannot be stopped for the moment is looked at as it runs.
class StandStill {
 public:
  explicit StandStill(cgroups::Group& group) : group_(group) {
    unless_gone([&] { return group_.freeze(), true; });
  }
  ~StandStill() {
    unless_gone([&] { return group_.thaw(), true; });
  }
  StandStill(const StandStill&) = delete;
  StandStill& operator=(const StandStill&) = delete;

 private:
  cgroups::Group& group_;
};

// A child of ours joins the namespace and says what it sees: this process never changes its own.
std::optional<UtsNames> names_in(const Fd& uts) {
  int ends[2];
  if (raw::failed(raw::call(SYS_pipe2, ends, O_CLOEXEC))) return std::nullopt;
  Fd read(ends[0]), write(ends[1]);
  const pid_t child = static_cast<pid_t>(raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (child == 0) {
    utsname names;
    const bool joined = !raw::failed(raw::call(SYS_setns, uts.get(), CLONE_NEWUTS)) && ::uname(&names) == 0;
    if (joined) raw::call(SYS_write, write.get(), &names, sizeof names);
    raw::call(SYS_exit_group, 0);
  }
  write.reset();
  utsname names{};
  const long size = child > 0 ? raw::call(SYS_read, read.get(), &names, sizeof names) : -1;
  if (child > 0) raw::call(SYS_wait4, child, nullptr, 0, nullptr);
  if (size != static_cast<long>(sizeof names)) return std::nullopt;
  return UtsNames{names.nodename, names.domainname};
}

}  // namespace

std::vector<pid_t> find_probes(const Box& box, const std::string& probe, const std::vector<std::string>& words) {
  std::vector<pid_t> found;
  // Contents first: reading the command line waits for a lock of the process, which one that forks without end holds for seconds.
  for (const pid_t pid : box.pids())
    if (has_bytes(pid, probe) && words_of(pid) == words) found.push_back(pid);
  return found;
}

std::optional<pid_t> find_probe(const Box& box, const std::string& probe, const std::vector<std::string>& words) {
  const auto found = find_probes(box, probe, words);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::optional<facts::Snapshot> look(Box& box, pid_t pid) {
  const StandStill still(box.group());
  return unless_gone([&] {
    if (field(sys::read_file(proc(pid, "status")), "TracerPid") != "0") throw Error::refused("the probe", "it is traced");
    return facts::take(pid);
  });
}

std::uint64_t namespace_of(pid_t pid, const std::string& kind) {
  return unless_gone([&] {
           const std::string link = sys::readlink(proc(pid, "ns/" + kind));
           return std::stoull(link.substr(link.find('[') + 1));
         })
      .value_or(0);
}

std::optional<UtsNames> uts_names(pid_t pid) {
  const auto file = unless_gone([&] { return sys::open(proc(pid, "ns/uts"), O_RDONLY); });
  return file ? names_in(*file) : std::nullopt;
}

std::optional<UtsNames> pinned_uts_names(pid_t pid, const std::string& path) {
  const auto file = unless_gone([&] {
    const Fd root = sys::open(proc(pid, "root"), O_PATH | O_DIRECTORY);
    // No link of the student's leads anywhere else, and nothing that blocks is opened.
    return sys::openat2(root, path.substr(1), O_RDONLY | O_NONBLOCK, 0,
                        RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  });
  return file ? names_in(*file) : std::nullopt;
}

namespace {

std::vector<pid_t> numbers_of(const std::string& text) {
  std::vector<pid_t> numbers;
  std::istringstream stream(text);
  for (pid_t number; stream >> number;) numbers.push_back(number);
  return numbers;
}

void add_children(pid_t pid, std::vector<Process>& all) {
  const auto threads = unless_gone([&] { return sys::list_directory(proc(pid, "task")); }).value_or(std::vector<std::string>());
  for (const std::string& thread : threads)
    for (const pid_t child :
         numbers_of(unless_gone([&] { return sys::read_file(proc(pid, "task/" + thread + "/children")); }).value_or(""))) {
      const std::string status = unless_gone([&] { return sys::read_file(proc(child, "status")); }).value_or("");
      if (status.empty()) continue;
      all.push_back({child, pid, (field(status, "State") + "?").front(), numbers_of(field(status, "NSpid"))});
      add_children(child, all);
    }
}

}  // namespace

std::vector<Process> processes(const Box& box) {
  std::vector<Process> all;
  add_children(box.init(), all);
  return all;
}

int zombies(const Box& box) {
  const auto all = processes(box);
  return static_cast<int>(std::count_if(all.begin(), all.end(), [](const Process& process) { return process.state == 'Z'; }));
}

bool sleeps(const Box& box, pid_t pid) {
  const auto all = processes(box);
  return std::any_of(all.begin(), all.end(), [&](const Process& process) { return process.pid == pid && process.state == 'S'; });
}

}  // namespace drydock::lab
