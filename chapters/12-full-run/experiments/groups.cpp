// Control groups: taken away, and what they count of a container that runs.
#include <filesystem>
#include <string>

#include <drydock/cgroups/group.hpp>
#include <drydock/container/container.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/protections.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::full_run {

namespace fs = std::filesystem;

namespace {

// A hundred processes that sleep, and how many processes there are then. The shell's own words only: there may be no task left
// for another program.
constexpr const char* hundred =
    "(i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done) 2>/dev/null; set -- /proc/[0-9]*; echo $#";

// The launched container and its groups.
struct Counted {
  explicit Counted(Narrator& tell) : Counted(tell, container()) {}
  Counted(Narrator& tell, Sketch sketch)
      : id(sketch.request.id),
        upper(sketch.request.data + "/upper/" + id),
        payload(tell, std::move(sketch).build()),
        group(sketch.request.layout, sketch.group.directories) {}

  std::string id, upper;
  Payload payload;
  cgroups::Group group;
};

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

}  // namespace

void without_limits(Narrator& tell) {
  tell.step("the whole plan: 64 tasks. Its shell starts a hundred");
  {
    Counted whole(tell);
    tell.show("processes in the container", std::stoi(ask_shell(whole.payload, hundred)), at_most(64));
    tell.show("was a fork refused?", whole.group.events().fork_failures > 0, is(true));
  }
  tell.step("without control groups");
  Payload none(tell, container({.parts = group_parts}));
  tell.show("processes in the container", std::stoi(ask_shell(none, hundred)), at_least(101));
  const std::string ours = sys::read_file("/proc/self/cgroup");
  tell.show("is it in the groups of whoever started it?", sys::read_file("/proc/" + text(none.pid()) + "/cgroup") == ours,
            is(true));
  tell.result("a hundred is harmless, a bomb is not. Namespaces say what a program sees; only groups say how much it gets.");
}

void without_cgroup_namespace(Narrator& tell) {
  const char* const path = "cut -d: -f3 /proc/self/cgroup | grep -v '^/$'; echo none";
  tell.step("the whole plan: paths in its /proc/self/cgroup that are not \"/\"");
  {
    Payload whole(tell, container());
    tell.show("its own group is called", ask(whole, path), is("none"));
  }
  tell.step("without the cgroup namespace");
  Payload none(tell, container({.parts = {"cgroup namespace"}}));
  tell.show("does it learn its place on the host?", ask(none, path).find("/drydock-") != std::string::npos, is(true));
  tell.result("a name says much: the engine, the container's id, the machine's layout. CVE-2022-0492 began with such a path.");
}

void usage(Narrator& tell) {
  tell.step("a container works: it computes, keeps a string in memory, and writes a file of 1 MiB");
  Counted counted(tell);
  const std::uint64_t cpu_before = counted.group.usage().cpu_ns.value_or(0);
  tell.show("it says", ask(counted.payload, "head -c 1048576 /dev/zero > /file; md5sum < /file | cut -c1-8"), is("b6d81b36"));
  const cgroups::Usage used = counted.group.usage();
  tell.show("processor time", Time{used.cpu_ns.value_or(0) - cpu_before}, at_least(Time{1}));
  tell.show("memory", About{static_cast<double>(used.memory_bytes.value_or(0)) / 1024, "KiB"}, at_least(About{1, "KiB"}));
  tell.show("tasks", used.tasks.value_or(0), at_least(1));
  tell.show("storage: its writable layer, in KiB", bytes_below(counted.upper) / 1024, is(1024));
  tell.step("what an engine knows of it: the ledger, which `drydock ps` reads");
  const drydock::container::Record record = drydock::container::Engine().find(counted.id);
  tell.show("image", record.image, is("busybox:latest"));
  tell.show("running?", record.status == drydock::container::Status::running, is(true));
  tell.show("exit status of sh", counted.payload.end(), is(0));
  tell.show("its writable layer, afterwards", sys::exists(counted.upper), is(false));
  tell.result("cpu, memory, storage: the kernel counts the first two of a group, and the third is a directory.");
}

}  // namespace drydock::chapter::full_run
