// Defects provoked on a played host: `drydock doctor` names each one with its repair, and the run that meets it says the same.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include <drydock/cgroups/layout.hpp>
#include <drydock/container/host.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"
#include "container/user.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// Where a defect is provoked, and how `drydock` is called there.
struct Stage {
  Host& host;
  User& user;
  How how;       // of whom the defect meets
  Words before;  // a program that calls drydock
  Result call(const Words& words) {
    Words argv = before;
    argv.push_back(drydock_program());
    argv.insert(argv.end(), words.begin(), words.end());
    return Program(argv, how, host.environment()).wait();
  }
};

struct Diagnosis {
  std::string grade, found, remedy;
};

Diagnosis diagnosis(Stage& stage, const std::string& feature) {
  const auto report = nlohmann::json::parse(stage.call({"doctor", "--json"}).out);
  for (const auto& finding : report.at("findings"))
    if (finding.at("feature") == feature) return {finding.at("grade"), finding.at("found"), finding.at("remedy")};
  FAIL("no finding about " << feature);
  return {};
}

// In this mount namespace, until the host goes.
std::string small_disk(Host& host, const std::string& name, const char* options, unsigned long flags = 0) {
  const std::string path = host.scratch() + "/" + name;
  sys::mkdirs(path, 0755);
  REQUIRE(::mount("drydock-small", path.c_str(), "tmpfs", flags, options) == 0);
  return path;
}

// An empty writable layer over `directory`, in its place.
void stack_over(Host& host, const std::string& directory) {
  const std::string layers = host.scratch() + "/layers";
  for (const char* name : {"/upper", "/work"}) sys::mkdirs(layers + name, 0755);
  REQUIRE(::mount("drydock-stacked", directory.c_str(), "overlay", 0,
                  ("lowerdir=" + directory + ",upperdir=" + layers + "/upper,workdir=" + layers + "/work").c_str()) == 0);
}

std::string stacked_disk(Host& host) {
  const std::string path = host.scratch() + "/stacked";
  sys::mkdirs(path, 0755);
  stack_over(host, path);
  return path;
}

// `loadable`: what modules.dep has. A machine whose kernel has no modules has no place for it, so the place is stacked.
void without_overlay(Host& host, const std::string& loadable) {
  host.cover("/proc/filesystems", scratch_file(host, "filesystems", "\text4\n"));
  stack_over(host, "/usr/lib");
  const std::string modules = "/usr/lib/modules";
  sys::mkdirs(modules, 0755);
  REQUIRE(::mount("drydock-modules", modules.c_str(), "tmpfs", 0, "size=64k") == 0);
  utsname names{};
  REQUIRE(::uname(&names) == 0);
  sys::mkdirs(modules + "/" + names.release, 0755);
  sys::replace_file(modules + "/" + names.release + "/modules.dep", loadable, 0644);
}

void without_groups(Host&) {
  const cgroups::Layout layout = cgroups::read_layout();
  for (const cgroups::Place& place : layout.places) ::umount2(place.mount.c_str(), MNT_DETACH);
  if (!layout.cgroup2.empty()) ::umount2(layout.cgroup2.c_str(), MNT_DETACH);
}

void read_only_groups(Host&) {
  const std::string mount = cgroups::read_layout().find("memory")->mount;
  REQUIRE(::mount(nullptr, mount.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
}

std::string closed_tun(Host& host) {
  const std::string path = host.scratch() + "/closed";
  REQUIRE(::mknod(path.c_str(), S_IFCHR | 0600, makedev(10, 200)) == 0);
  return path;
}

Words run(const Words& options, const Words& program = {"true"}) {
  Words words{"run", "--rm"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back("busybox");
  words.insert(words.end(), program.begin(), program.end());
  return words;
}

Words run_without_overlay() {
  return run({"--inject", container::kernel_at_least(6, 7) ? "overlay.open=ENODEV" : "overlay.mount=ENODEV"});
}

struct Defect {
  const char* name;
  const char* feature;
  bool to_user;
  void (*make)(Stage& stage);
  Words words;
  int code;  // 0: the run goes on with less, and says so
  const char* grade = nullptr;  // of the finding; nullptr: anything but ok
};

const Defect defects[] = {
    {"an old kernel's answer", "kernel", false,
     [](Stage& s) {
       s.before = {"/usr/bin/setarch", "--uname-2.6"};
     },
     run({"--inject", "clone=ENOSYS"}), 125},
    {"root without CAP_SYS_ADMIN", "privilege", false,
     [](Stage& s) {
       s.before = {"/usr/bin/setpriv", "--bounding-set", "-sys_admin"};
     },
     run({"--network", "none"}), 125},
    {"root without CAP_NET_ADMIN", "network", false,
     [](Stage& s) {
       s.before = {"/usr/bin/setpriv", "--bounding-set", "-net_admin"};
     },
     run({}), 125},
    {"no control groups", "control groups", false, [](Stage& s) { without_groups(s.host); }, run({"-m", "64m"}), 0},
    {"read-only control groups", "control groups", false, [](Stage& s) { read_only_groups(s.host); }, run({"-m", "64m"}), 125},
    {"control groups of others", "control groups", true, [](Stage&) {}, run({"-m", "64m", "--network", "none"}), 0},
    {"no swap", "swap", false,
     [](Stage& s) { s.host.cover("/proc/swaps", scratch_file(s.host, "swaps", "Filename\tType\tSize\tUsed\tPriority\n")); },
     run({"-m", "64m", "--memory-swap", "96m"}), 0},
    {"no disk with a scheduler of weights", "disk weight", false,
     [](Stage& s) { s.host.cover("/sys/block", small_disk(s.host, "disks", "size=64k")); }, run({"--blkio-weight", "300"}), 0},
    {"no user namespaces", "user namespaces", false,
     [](Stage& s) {
       s.before = {"/usr/bin/unshare", "-Ur", "/bin/sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\"", "sh"};
     },
     run({"--userns", "0:0:1", "--network", "none"}), 125},
    {"no range of ids", "ranges of ids", true, [](Stage&) {}, run({"-u", "33:33", "--network", "none"}), 125},
    {"no newuidmap", "ranges of ids", true, [](Stage& s) { s.user.grant_ids(), s.host.cover("/usr/bin/newuidmap", "/dev/null"); },
     run({"--network", "none"}), 125},
    {"no newgidmap", "ranges of ids", true, [](Stage& s) { s.user.grant_ids(), s.host.cover("/usr/bin/newgidmap", "/dev/null"); },
     run({"--network", "none"}), 125},
    {"no overlay", "overlay", false, [](Stage& s) { without_overlay(s.host, ""); }, run_without_overlay(), 125},
    {"an overlay module that is not loaded", "overlay", false,
     [](Stage& s) { without_overlay(s.host, "kernel/fs/overlayfs/overlay.ko:\n"); }, run_without_overlay(), 125, "degraded"},
    {"no slirp4netns", "network", true, [](Stage& s) { s.host.cover("/usr/bin/slirp4netns", "/dev/null"); },
     run({"-p", "18099:80"}), 125},
    {"a closed /dev/net/tun", "network", true, [](Stage& s) { s.host.cover("/dev/net/tun", closed_tun(s.host)); },
     run({"-p", "18099:80"}), 125},
    {"covered parts of /proc", "fresh /proc", true, [](Stage& s) { s.host.cover("/proc/uptime", "/dev/null"); },
     run({"--network", "none"}), 125},
    {"a store that cannot be written", "image store", false,
     [](Stage& s) { s.how.environment = {"DRYDOCK_ROOT=" + small_disk(s.host, "sealed", "size=4m,mode=755", MS_RDONLY)}; },
     run({}), 125},
    {"a full disk", "image store", false,
     [](Stage& s) { s.how.environment = {"DRYDOCK_ROOT=" + small_disk(s.host, "small", "size=1m")}; }, run({}), 125},
    {"a store on an overlay", "image store", false,
     [](Stage& s) { s.how.environment = {"DRYDOCK_ROOT=" + stacked_disk(s.host)}; }, run({}), 125},
    {"a state directory that cannot be written", "state", false,
     [](Stage& s) { s.how.environment = {"DRYDOCK_STATE=" + small_disk(s.host, "sealed", "size=4m,mode=755", MS_RDONLY)}; },
     run({}), 125},
    {"no monitor", "monitor", false, [](Stage& s) { s.how.environment = {"DRYDOCK_MONITOR=/nonexistent/drydock-monitor"}; },
     run({}), 125},
};

}  // namespace

TEST_CASE("doctor names a provoked defect with its repair, and the run that meets it says the same words",
          "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  static_assert(std::size(defects) >= 15);
  for (const Defect& defect : defects) {
    INFO(defect.name);
    Host host;
    User user(host);
    Stage stage{host, user, defect.to_user ? user.how() : How{}, {}};
    defect.make(stage);
    const Diagnosis found = diagnosis(stage, defect.feature);
    INFO("doctor: " << found.grade << ", " << found.found << ", repair: " << found.remedy);
    CHECK((defect.grade == nullptr ? found.grade != "ok" : found.grade == defect.grade));
    REQUIRE_FALSE(found.remedy.empty());
    const Result met = stage.call(defect.words);
    INFO(met.seen());
    CHECK(met.code == defect.code);
    CHECK(has(met.err, found.remedy));
  }
}

TEST_CASE("doctor inside a container says what that costs", "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result inside =
      host.drydock({"run", "--rm", "-v", std::string(DRYDOCK_BIN_DIR) + ":/drydock:ro", "-v", "/lib:/lib:ro", "-v",
                    "/lib64:/lib64:ro", "-v", "/usr/lib:/usr/lib:ro", "busybox", "/drydock/drydock", "doctor"});
  INFO(inside.seen());
  CHECK(inside.code == 1);
  CHECK(inside.out.find("root without CAP_SYS_ADMIN") != std::string::npos);
  CHECK(inside.out.find("is covered by another mount") != std::string::npos);
  CHECK(inside.out.find("root without CAP_NET_ADMIN") != std::string::npos);
  CHECK(inside.out.find("the kernel refuses a new one (EPERM)") != std::string::npos);  // the filter of an outer container
  CHECK(host.leftovers(3000) == nothing);
}
