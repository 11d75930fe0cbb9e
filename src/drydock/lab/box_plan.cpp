#include <drydock/lab/box_plan.hpp>

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <drydock/cgroups/steps.hpp>
#include <drydock/mounts/detached.hpp>
#include <drydock/mounts/rootfs.hpp>
#include <drydock/mounts/system.hpp>
#include <drydock/namespaces/id_map.hpp>

namespace drydock::lab {

using namespace plan;

namespace {

constexpr const char* host_name = "box";

// Builds one plan; the calls in build() stand in the order of a start.
class Builder {
 public:
  Builder(const BoxSpec& spec, const BoxHost& host) : spec_(spec), host_(host) {}
  BoxPlan build();

 private:
  Plan& plan() { return out_.plan; }
  Step& step(const std::string& id, Call call) { return plan().payload(id, std::move(call)); }
  void ledger();
  void groups();
  void clone();
  void shown_directories();
  void become_outer_root();
  void root();
  void lab_directory();
  void enter();
  void inner();
  void program();

  const BoxSpec& spec_;
  const BoxHost& host_;
  BoxPlan out_;
  cgroups::GroupPlan group_;
  Slot child_, root_, place_;
  std::vector<std::pair<std::string, Slot>> shown_;
  StepRef mapped_;
};

void Builder::ledger() {
  out_.settings.ledger_path = host_.ledgers + "/" + host_.id;
  plan()
      .monitor("ledger", ops::linkat({}, out_.settings.ledger_path))
      .undo(ops::unlink(out_.settings.ledger_path), UndoAt::remove)
      .on("ledger of the box")
      .why("from here on everything that is made is on record");
}

void Builder::groups() {
  group_ = cgroups::add_group_steps(plan(), host_.layout, host_.id.substr(0, 16), host_.writes, {});
  out_.groups = group_.directories;
  out_.settings.oom_path = cgroups::oom_file(host_.layout, group_.directories);
  out_.settings.oom_key = "oom_kill";
}

void Builder::clone() {
  child_ = plan().slot("child", SlotKind::pid);
  plan().slot("child_fd", SlotKind::fd);
  const std::int64_t flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  plan()
      .monitor("clone", ops::clone3(flags, group_.cgroup2, Lane::payload))
      .into(child_)
      .on("pid 1 of the box")
      .why("when it ends, everything in the box ends");
  step("die_with_monitor", ops::die_with_parent()).on("the box").why("nobody is left behind when the monitor is killed");
  const BoxIds ids = box_ids(host_.index);
  const std::vector<namespaces::IdMap> map = {{0, ids.init, 1}, {1, ids.students, ids_per_box}};
  mapped_ = namespaces::add_map_steps(plan(), namespaces::MapWriter::parent, child_, {map, map});
}

// Taken from the host's tree while this process still has it, and read-only before anybody sees them.
void Builder::shown_directories() {
  for (const std::string& path : spec_.shown) {
    const Slot tree = plan().slot("shown" + path, SlotKind::fd);
    step("shown" + path + ".tree", ops::open_tree({}, path, OPEN_TREE_CLONE | AT_RECURSIVE))
        .into(tree)
        .on(path)
        .why("what the box may see of the host");
    step("shown" + path + ".flags",
         ops::mount_setattr(tree, "", true, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0))
        .on(path)
        .why("to be read, not written");
    shown_.emplace_back(path, tree);
  }
}

void Builder::become_outer_root() {
  cgroups::add_attach_steps(plan(), group_, Lane::payload);
  cgroups::add_cpu_attach_step(plan(), group_, Lane::payload);
  step("outer.groups", ops::setgroups({}))
      .after(mapped_)
      .on("the outer user namespace")
      .why("groups of the host mean nothing here");
  step("outer.gid", ops::setresgid(0))
      .on("the outer user namespace")
      .why("pid 1 and the mounts belong to an id that the program has not");
  step("outer.uid", ops::setresuid(0))
      .on("the outer user namespace")
      .why("pid 1 and the mounts belong to an id that the program has not");
  step("outer.die_with_monitor", ops::die_with_parent()).on("the box").why("a change of ids clears it: prctl(2)");
}

void Builder::root() {
  const mounts::NewMount tmpfs{
      "tmpfs",
      {{"mode", "755"}, {"size", std::to_string(spec_.limits.disk)}, {"nr_inodes", std::to_string(spec_.limits.inodes)}},
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
  root_ = mounts::add_new_mount(plan(), Lane::payload, "mount.root", tmpfs, "all that the box can write, in memory and limited");
  mounts::add_attach_root(plan(), Lane::payload, root_, place_);
  // A program that makes a sysfs or a proc of its own is allowed to only where it sees a whole, writable one.
  mounts::add_system_mounts(plan(), Lane::payload, root_, {.user_namespace = true, .privileged = true});
  step("tmp", ops::mkdirat(root_, "tmp", 01777)).on("/tmp").why("a place to write");
  for (const auto& [path, tree] : shown_) mounts::add_move_onto(plan(), Lane::payload, "shown" + path, tree, root_, path);
  if (!shown_.empty())
    for (const char* name : {"bin", "lib", "lib64"})
      step(std::string("link.") + name, ops::symlinkat(std::string("usr/") + name, root_, name))
          .on(std::string("/") + name)
          .why("as the host has it");
}

void Builder::lab_directory() {
  const mounts::NewMount tmpfs{"tmpfs", {{"mode", "755"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
  const Slot lab = mounts::add_new_mount(plan(), Lane::payload, "mount.lab", tmpfs, "the program and the probe");
  for (const BoxFile& file : spec_.files) {
    Call create = ops::create_file_at(lab, file.name, "", file.mode);
    create.args[2] = Bytes{file.contents, std::to_string(file.contents.size()) + " bytes"};
    step("lab." + file.name, std::move(create))
        .on("/lab/" + file.name)
        .why("carried in by the plan: nothing of the host's disk is shown");
  }
  step("lab.read_only", ops::mount_setattr(lab, "", false, MOUNT_ATTR_RDONLY, 0)).on("/lab").why("the probe stays what it is");
  mounts::add_move_onto_directory(plan(), Lane::payload, "mount.lab", lab, root_, "/lab");
}

void Builder::enter() {
  step("hostname", ops::sethostname(host_name)).on("hostname").why("the name says nothing about who is graded");
  mounts::add_pivot(plan(), Lane::payload, root_);
  step("session", ops::setsid()).why("no way to type into a terminal");
  const Slot null = plan().slot("stdin_null", SlotKind::fd);
  step("stdin.null", ops::open("/dev/null", O_RDONLY)).into(null).on("stdin").why("nothing to read");
  step("stdio.0", ops::dup3(null, 0)).on("stdin").why("nothing to read");
}

// From here on pid 1 and the program are two processes; what is mounted is locked for the second one.
void Builder::inner() {
  const std::string map = namespaces::map_text({{0, 1, ids_per_box}});
  step("inner",
       ops::init_clone(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP, map, map))
      .on("the program")
      .why("root of a second user namespace, inside the first");
  step("inner.groups", ops::setgroups({})).on("the inner user namespace").why("an id of its own");
  step("inner.gid", ops::setresgid(0)).on("the inner user namespace").why("root here, an unprivileged id outside");
  step("inner.uid", ops::setresuid(0)).on("the inner user namespace").why("root here, an unprivileged id outside");
}

void Builder::program() {
  const std::int64_t mega = 1 << 20;
  struct Limit {
    const char* name;
    int resource;
    std::int64_t value;
  };
  const Limit limits[] = {{"core", RLIMIT_CORE, 0},
                          {"fsize", RLIMIT_FSIZE, static_cast<std::int64_t>(spec_.limits.disk)},
                          {"nofile", RLIMIT_NOFILE, 256},
                          {"stack", RLIMIT_STACK, 8 * mega},
                          {"memlock", RLIMIT_MEMLOCK, 65536}};
  for (const Limit& limit : limits)
    step(std::string("rlimit.") + limit.name, ops::prlimit(limit.resource, limit.value, limit.value))
        .on(limit.name)
        .why("a limit of each process");
  step("workdir", ops::chdir("/tmp")).on("/tmp").why("where the program begins");
  step("seccomp", ops::seccomp_load(host_.filter)).on("system call filter").why("what no exercise needs");
  step("exec", ops::exec(spec_.command, {"PATH=/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8", "TERM=dumb"}, "/usr/bin:/bin"))
      .on("program '" + spec_.command.front() + "'")
      .why("from here on nothing is believed");
}

BoxPlan Builder::build() {
  ledger();
  groups();
  clone();
  mounts::add_private_propagation(plan(), Lane::payload);
  place_ = mounts::add_root_place(plan(), Lane::payload, host_.ledgers);
  shown_directories();
  become_outer_root();
  root();
  lab_directory();
  enter();
  inner();
  program();
  out_.settings.id = host_.id;
  out_.settings.name = "box";
  out_.settings.flags = wire::flag_remove;
  out_.settings.payload = child_;
  out_.settings.exec_step = "exec";
  return std::move(out_);
}

}  // namespace

BoxIds box_ids(unsigned index) {
  return {first_box_id + index, first_box_id + (index + 1) * ids_per_box};
}

BoxPlan box_plan(const BoxSpec& spec, const BoxHost& host) {
  return Builder(spec, host).build();
}

}  // namespace drydock::lab
