// The launch plan of a chapter while it grows. Each chapter adds to what the chapters before it made, in its file plan.cpp, and
// declares what that changes; `chNN-name --plan` prints the result, and a test compares plan and declaration.
//
// A plan is a row of parts, each in a phase. A later chapter adds parts, adds flags to the one clone3, or puts its own part in
// the place of an earlier one. Building is pure: the same request gives the same plan on any machine.
//
// Example: const Growth growth{{.chapter = 2, .adds = {"hostname"}, .changes = {"clone"}, .grow = [](Sketch& sketch) {
//            sketch.clone_flags |= CLONE_NEWUTS;
//            sketch.add(Phase::names, "hostname", [](Sketch& s) { s.plan().payload("hostname", ops::sethostname("lab02")); });
//          }}};
//          plan::Plan plan = sketch_of(2, request).build().plan;
// Source: docs/plan.md, docs/writing-chapters.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/cgroups/layout.hpp>
#include <drydock/cgroups/steps.hpp>
#include <drydock/image/store.hpp>
#include <drydock/mounts/system.hpp>
#include <drydock/network/bridge.hpp>
#include <drydock/network/ports.hpp>
#include <drydock/namespaces/id_map.hpp>
#include <drydock/plan/plan.hpp>
#include <drydock/plan/serialise.hpp>

namespace drydock::chapter {

// In the order of a start. `host` and `outside` are the monitor's lane before and after the clone, the others the payload's.
enum class Phase { host, outside, join, isolate, root, mounts, names, enter, program };

// What a plan is made for. A default request is the one that documents show.
struct Request {
  std::vector<std::string> command = {"cat"};  // stands still until its input ends, on the host as in every image
  std::vector<std::string> env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  unsigned euid = 0, egid = 0;                         // without root, a user namespace comes first
  std::string id = std::string(64, '0');               // of the container
  std::string ledgers = "/run/drydock/net-0/ledgers";  // where a ledger with a name lies
  cgroups::Limits limits = default_limits();           // of chapter 08
  cgroups::Layout layout = documented_layout();        // where control groups can be made
  cgroups::Host machine = {};                          // what it can enforce
  network::BridgeConfig bridge = {};                   // of chapter 10
  network::Ipv4 address = bridge.subnet.address(2);    // of the container on it
  std::vector<network::PublishedPort> ports = {{"", 8080, 80}};
  std::string data = "/var/lib/drydock";               // of chapter 11: the store, and the containers' writable layers
  image::Image image = documented_image();             // found there: shared/image.hpp
  std::shared_ptr<Fd> image_hold = {};                 // nobody deletes its layers until a ledger names them
  bool layers_by_descriptor = true;                    // Linux 6.13
  // Of chapter 12: what root of the container has to give away. All that Linux 5.9 knows.
  std::uint64_t capabilities = (std::uint64_t{1} << 41) - 1;

  // 64 MiB without swap, half a processor, 64 tasks.
  static cgroups::Limits default_limits();
  // cgroup v2 at its usual place, with the controllers that systemd hands out.
  static cgroups::Layout documented_layout();
  // Two layers with digests that no content has.
  static image::Image documented_image();
};

// The request of this user on this machine, now. Throws Error for limits that cannot be (cgroups::validate).
Request request_of_this_user(std::vector<std::string> command = {"cat"},
                             const cgroups::Limits& limits = Request::default_limits());

struct Draft {
  plan::Plan plan;
  plan::Settings settings;
};

class Sketch {
 public:
  using Part = std::function<void(Sketch&)>;
  explicit Sketch(Request wanted) : request(std::move(wanted)) {}

  Request request;
  std::uint64_t clone_flags = 0;
  namespaces::Maps maps;         // of chapter 07: who root inside is outside
  plan::Slot child;              // pid; known from phase outside on
  plan::Slot base;               // the tree that the new root is made of
  plan::Slot root;               // the new root, once a chapter makes one
  plan::Slot cgroup;             // of version 2, for clone3(CLONE_INTO_CGROUP)
  cgroups::GroupPlan group;      // of chapter 08, known from phase host on
  network::Listeners listeners;  // of chapter 10, from phase host on
  network::Bridge bridge;        // likewise
  plan::StepRef cable;           // the step that makes the container's link, known from phase outside on
  mounts::SystemMounts system;   // what /proc, /dev and /sys may be, given the namespaces so far
  mounts::DeviceMounts devices;  // known from phase names on
  plan::Settings settings;

  void add(Phase phase, std::string name, Part part);
  // Puts `part` where the part `name` is; throws Error when there is none. An empty part removes it.
  void replace(const std::string& name, Part part);
  void remove(const std::string& name) { replace(name, {}); }
  bool has(const std::string& name) { return find(name) != parts_.end(); }

  // The ledger gets a name with the first step, so that `drydock reset` can undo what a killed monitor leaves: for every chapter
  // that makes something which does not go with its last process (groups, links, files). Once is enough.
  void keep_ledger();

  plan::Plan& plan() { return plan_; }
  Draft build() &&;

 private:
  struct Entry {
    Phase phase;
    std::string name;
    Part part;
  };
  std::vector<Entry>::iterator find(const std::string& name);
  void run(Phase phase);
  void clone();

  std::vector<Entry> parts_;
  plan::Plan plan_;
};

// What one chapter makes of the plan of the chapter before it, and what it says that this changes (ids of steps).
struct Growth {
  struct Words {
    int chapter;
    std::vector<std::string> adds = {}, removes = {}, moves = {}, changes = {};
    void (*grow)(Sketch&);
  };
  // Objects of namespace scope register themselves.
  explicit Growth(Words words);
};

// Chapters that have a growth, in order.
const std::vector<Growth::Words>& growths();
// The plan of chapter `number`: every growth up to it.
Sketch sketch_of(int number, Request request = {});
// The finished plan of it; without any step before the first chapter.
plan::Plan plan_of(int number, const Request& request = {});

struct Difference {
  std::vector<std::string> added, removed, moved, changed;
  bool operator==(const Difference&) const = default;
};
// Moved: in another lane, or before a step of its lane that it came after. Changed: another call or other arguments.
Difference difference(const plan::Plan& before, const plan::Plan& after);

}  // namespace drydock::chapter
