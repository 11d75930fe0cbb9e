#include "experiments/limited.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>

#include <drydock/cgroups/host.hpp>
#include <drydock/cgroups/knobs.hpp>
#include <drydock/cgroups/steps.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::chapter::control_groups {

namespace {

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// "0" is the caller itself.
void join(const cgroups::Layout& layout, const std::string& directory) {
  const bool v2 = !layout.cgroup2.empty() && directory.starts_with(layout.cgroup2 + "/");
  sys::write_file(v2 ? cgroups::member_directory(layout, directory) + "/cgroup.procs" : directory + "/tasks", "0");
}

}  // namespace

cgroups::Limits memory_limit(std::uint64_t mebibytes) {
  cgroups::Limits limits;
  limits.memory = mebibytes * mebibyte;
  limits.memory_swap = static_cast<std::int64_t>(mebibytes * mebibyte);
  return limits;
}

Limited::Limited(Narrator& tell, const cgroups::Limits& limits)
    : Limited(tell, sketch_of(8, request_of_this_user({"cat"}, limits))) {}

Limited::Limited(Narrator& tell, Sketch sketch)
    : layout_(sketch.request.layout), name_(cgroups::group_name(sketch.request.id.substr(0, 16))), group_(layout_, {}) {
  Draft draft = std::move(sketch).build();  // takes the plan; what building found out stays in the sketch
  directories_ = sketch.group.directories;
  group_ = cgroups::Group(layout_, directories_);
  payload_ = std::make_unique<Payload>(tell, std::move(draft));
}

Child Limited::member(const Body& body) const {
  return Child(0, [this, &body](Talk& chapter) {
    for (const std::string& directory : directories_) join(layout_, directory);
    return body(chapter);
  });
}

std::string Limited::names_its_group(pid_t pid) const {
  return sys::read_file("/proc/" + std::to_string(pid) + "/cgroup").find("/" + name_) == std::string::npos ? "no" : "yes";
}

std::string Limited::directory(std::string_view controller) const {
  const cgroups::Place* place = layout_.find(controller);
  if (place == nullptr) return {};
  const auto found = std::find_if(directories_.begin(), directories_.end(),
                                  [&](const std::string& one) { return one.starts_with(place->mount + "/"); });
  return found == directories_.end() ? std::string() : *found;
}

std::string Limited::setting(std::string_view name) const {
  for (const cgroups::Knob& knob : cgroups::knob_table()) {
    if (knob.name != name) continue;
    const cgroups::Place* place = layout_.find(knob.v1_controller);
    const bool v1 = place != nullptr && place->version == cgroups::Version::v1;
    return trimmed(sys::read_file(directory(v1 ? knob.v1_controller : knob.v2_controller) + "/" +
                                  std::string(v1 ? knob.v1_file : knob.v2_file)));
  }
  throw Error::refused("knob '" + std::string(name) + "'", "the table has none of that name");
}

void touch_memory(std::uint64_t mebibytes) {
  const std::size_t size = mebibytes * mebibyte;
  auto* bytes = static_cast<volatile char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  for (std::size_t at = 0; at < size; at += 4096) bytes[at] = 1;
}

namespace {

void stay_on_first_cpu() {
  cpu_set_t ours;
  CPU_ZERO(&ours);
  ::sched_getaffinity(0, sizeof ours, &ours);
  int first = 0;
  while (first < CPU_SETSIZE && !CPU_ISSET(first, &ours)) ++first;
  CPU_ZERO(&ours);
  CPU_SET(first, &ours);
  ::sched_setaffinity(0, sizeof ours, &ours);
}

}  // namespace

int spin_on_first_cpu(Talk& chapter) {
  stay_on_first_cpu();
  return spin(chapter);
}

int spin(Talk& chapter) {
  chapter.say("spinning");
  for (volatile bool busy = true; busy;) {
  }
  return 0;
}

std::uint64_t cpu_ns(const Limited& container) {
  return container.group().usage().cpu_ns.value_or(0);
}

Need disk_controller() {
  return {"controller blkio or io", [] {
            const std::string v1 = needs::controller("blkio").missing();
            return v1.empty() ? v1 : needs::controller("io").missing();
          }};
}

Need swap_accounting() {
  return {"swap accounting", [] {
            const cgroups::Host host = cgroups::read_host(cgroups::read_layout(), memory_limit(64));
            return host.swap_accounting ? "" : "the kernel does not count swap; boot it with swapaccount=1";
          }};
}

Need swap_space() {
  return {"swap", [] {
            const std::string swaps = sys::read_file("/proc/swaps");
            return swaps.find('\n') + 1 < swaps.size()
                       ? ""
                       : "this machine has no swap; swapon gives it some (./lab vm shell has some)";
          }};
}

}  // namespace drydock::chapter::control_groups
