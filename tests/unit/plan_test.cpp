// Plans as values: names, edges, what cannot be executed, and how it is printed.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include <set>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/plan/plan.hpp>
#include <drydock/plan/serialise.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace drydock;
using namespace drydock::plan;
using namespace drydock::test;

namespace {

std::vector<int> indices(const std::vector<StepRef>& edges) {
  std::vector<int> all;
  for (const StepRef edge : edges) all.push_back(edge.index);
  return all;
}

// monitor: open, clone; payload and joiner exist.
struct Family {
  Plan plan;
  Slot file = plan.slot("file", SlotKind::fd), child = plan.slot("child", SlotKind::pid),
       child_fd = plan.slot("child_fd", SlotKind::fd);
  StepRef open = plan.monitor("open", ops::open("/x", O_RDONLY)).into(file);
  StepRef clone = plan.monitor("clone", ops::clone3(CLONE_NEWPID, {}, Lane::payload)).into(child);
};

}  // namespace

TEST_CASE("a step's name is taken once", "[plan]") {
  Plan plan;
  plan.monitor("files", ops::mkdir("/a", 0755));
  const std::string text = refusal([&] { plan.payload("files", ops::mkdir("/b", 0755)); });
  CHECK(mentions(text, "'files'"));
  CHECK(mentions(text, "already"));
  CHECK(plan.steps().size() == 1);
}

TEST_CASE("a step that is not there is named", "[plan]") {
  Plan plan;
  CHECK(mentions(refusal([&] { plan.find("mount.proc"); }), "'mount.proc'"));
}

TEST_CASE("edges join lanes: by after, and by values that another lane made", "[plan]") {
  Family family;
  Plan& plan = family.plan;
  const Slot later = plan.slot("later", SlotKind::fd), inside = plan.slot("inside", SlotKind::fd);
  const StepRef second = plan.monitor("second", ops::open("/y", O_RDONLY)).into(later);
  const StepRef free = plan.payload("free", ops::chdir("/"));
  const StepRef before_birth = plan.payload("before_birth", ops::fchdir(family.file));
  const StepRef after_birth = plan.payload("after_birth", ops::fchdir(later));
  const StepRef tied = plan.payload("tied", ops::chdir("/z")).after(second);
  const StepRef made = plan.payload("made", ops::open("/w", O_RDONLY)).into(inside);
  const StepRef back = plan.monitor("back", ops::send_fd(inside));
  const StepRef pidfd = plan.payload("own", ops::chdir("/q")).after(made);
  const auto edges = edges_of(plan);
  CHECK(indices(edges[free.index]).empty());
  CHECK(indices(edges[before_birth.index]).empty());  // the child has it from birth
  CHECK(indices(edges[after_birth.index]) == std::vector<int>{second.index});
  CHECK(indices(edges[tied.index]) == std::vector<int>{second.index});
  CHECK(indices(edges[back.index]) == std::vector<int>{made.index});
  CHECK(indices(edges[pidfd.index]).empty());  // the same lane keeps its order by itself
}

TEST_CASE("a grandchild has from birth what the monitor did before its parent was born", "[plan]") {
  Plan plan;
  const Slot early = plan.slot("early", SlotKind::fd), joiner = plan.slot("joiner", SlotKind::pid);
  plan.slot("joiner_fd", SlotKind::fd);
  const Slot late = plan.slot("late", SlotKind::fd), child = plan.slot("child", SlotKind::pid);
  plan.slot("child_fd", SlotKind::fd);
  plan.monitor("early", ops::open("/x", O_RDONLY)).into(early);
  plan.monitor("fork", ops::fork_lane(Lane::joiner)).into(joiner);
  const StepRef told = plan.monitor("late", ops::open("/y", O_RDONLY)).into(late);
  plan.joiner("clone", ops::clone3(0, {}, Lane::payload)).into(child);
  const StepRef known = plan.payload("known", ops::fchdir(early));
  const StepRef waits = plan.payload("waits", ops::fchdir(late));
  const auto edges = edges_of(plan);
  CHECK(indices(edges[known.index]).empty());
  CHECK(indices(edges[waits.index]) == std::vector<int>{told.index});
}

TEST_CASE("the second value of a call is made by the same step", "[plan]") {
  Plan plan;
  const Slot read = plan.slot("read", SlotKind::fd), write = plan.slot("write", SlotKind::fd),
             child = plan.slot("child", SlotKind::pid);
  plan.slot("child_fd", SlotKind::fd);
  plan.monitor("clone", ops::clone3(0, {}, Lane::payload)).into(child);
  const StepRef pipe = plan.monitor("pipe", ops::pipe()).into(read);
  const StepRef use = plan.payload("use", ops::dup3(write, 1));
  CHECK(indices(edges_of(plan)[use.index]) == std::vector<int>{pipe.index});
}

TEST_CASE("an edge between two child lanes is refused: only the monitor talks to all", "[plan]") {
  Family family;
  const StepRef joiner = family.plan.joiner("join", ops::chdir("/"));
  family.plan.payload("wait", ops::chdir("/")).after(joiner);
  const std::string text = refusal([&] { edges_of(family.plan); });
  CHECK(mentions(text, "'wait'"));
  CHECK(mentions(text, "'join'"));
}

TEST_CASE("a cycle is refused, and a step in it is named", "[plan]") {
  Family family;
  Plan& plan = family.plan;
  Step& waits = plan.monitor("waits", ops::chdir("/"));
  const StepRef first = plan.payload("first", ops::chdir("/")).after(waits);
  CHECK_NOTHROW(edges_of(plan));
  waits.after(first);
  CHECK(mentions(refusal([&] { edges_of(plan); }), "run after itself"));
}

TEST_CASE("a step cannot wait for a child that it stands before", "[plan]") {
  // The monitor would wait for ever: its own next step is the one that makes the child.
  Plan plan;
  const Slot child = plan.slot("child", SlotKind::pid);
  plan.slot("child_fd", SlotKind::fd);
  Step& early = plan.monitor("early", ops::chdir("/"));
  plan.monitor("clone", ops::clone3(0, {}, Lane::payload)).into(child);
  early.after(plan.payload("inside", ops::chdir("/")));
  CHECK(mentions(refusal([&] { edges_of(plan); }), "run after itself"));
}

TEST_CASE("each call prints as its manual page writes it", "[plan]") {
  Plan plan;
  const Slot fd = plan.slot("file", SlotKind::fd);
  const auto text = [&](const Call& call) { return print(call, plan.slots()); };
  CHECK(text(ops::mkdir("/run/x", 0700)) == "mkdir(\"/run/x\", 0700)");
  CHECK(text(ops::open("/x", O_RDONLY | O_DIRECTORY)) == "open(\"/x\", O_RDONLY|O_DIRECTORY)");
  CHECK(text(ops::fchdir(fd)) == "fchdir(<file>)");
  CHECK(text(ops::symlinkat("a", {}, "b")) == "symlinkat(\"a\", AT_FDCWD, \"b\")");
  CHECK(text(ops::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV, "")) ==
        "mount(\"proc\", \"/proc\", \"proc\", MS_NOSUID|MS_NODEV, \"\")");
  CHECK(text(ops::exec({"ls", "-l"}, {"A=1", "B=2"}, "/bin")) == "execve([\"ls\", \"-l\"], 2 variables, \"/bin\")");
  CHECK(text(ops::setgroups({1, 2})) == "setgroups([1 2])");
  CHECK(text(ops::create_file("/x", "a\n\"b\"\t\x01", 0644)) == "create(\"/x\", \"a\\n\\\"b\\\"\\t\\x01\", 0644)");
  CHECK(text(ops::sethostname(std::string(70, 'h'))) == "sethostname(\"" + std::string(60, 'h') + "\"...)");
  CHECK(text(ops::clone3(CLONE_NEWPID | CLONE_NEWNS, fd, Lane::payload)) ==
        "clone3(CLONE_NEWNS|CLONE_NEWPID, INTO_CGROUP <file>)");
}

namespace {

// One call of every kind that has a constructor, in the order of the enum.
std::vector<Call> every_call(Slot s) {
  return {ops::mkdir("/d", 0755),
          ops::mkdirat(s, "d", 0755),
          ops::rmdir("/d"),
          ops::unlink("/f"),
          ops::remove_tree("/d"),
          ops::remove_tree_mapped("/d", "0 1 2\n", "0 1 2\n"),
          ops::open("/f", 0),
          ops::openat(s, "f", 0),
          ops::open_in_root(s, "f", 0),
          ops::mkdirs_in_root(s, "/d", 0755),
          ops::close(s),
          ops::write_file("/f", "x"),
          ops::write_file_at(s, "f", "x"),
          ops::create_file("/f", "x", 0644),
          ops::create_file_at(s, "f", "x", 0644),
          ops::symlinkat("t", s, "n"),
          ops::mknodat(s, "null", 020666, 1, 3),
          ops::fchownat("/f", 1, 1),
          ops::linkat(s, "/f"),
          ops::chdir("/"),
          {Op::chdir_in_root, {std::string("/")}},
          ops::fchdir(s),
          ops::chroot("/d"),
          ops::check_cwd(),
          ops::send_fd(s),
          ops::pipe(),
          ops::mount("a", "/b", "c", 0, ""),
          ops::umount2("/b", 0),
          ops::fsopen("tmpfs"),
          ops::fsconfig_string(s, "k", "v"),
          ops::fsconfig_flag(s, "ro"),
          ops::fsconfig_fd(s, "k", s),
          ops::fsconfig_create(s),
          ops::fsmount(s, 0),
          ops::move_mount(s, s, ""),
          ops::open_tree(s, "/d", 0),
          ops::mount_setattr(s, "", false, 0, 0),
          ops::pivot_root(".", "."),
          ops::mask_path(s, "/proc/keys", s),
          ops::read_only_path(s, "/proc/sys"),
          ops::clone3(0, {}, Lane::payload),
          ops::fork_lane(Lane::proxy),
          ops::unshare(CLONE_NEWUTS),
          ops::setns(s, CLONE_NEWNET),
          ops::pidfd_open(s),
          ops::pidfd_open_checked(1, 2),
          ops::setsid(),
          ops::controlling_terminal(s),
          ops::dup3(s, 1),
          ops::close_range(3, true),
          ops::prctl(1, 9),
          ops::cap_bounding_drop(21),
          ops::capset(0, 0, 0),
          ops::cap_ambient_raise(0),
          ops::setgroups({1}),
          ops::setresgid(0),
          ops::setresuid(0),
          ops::become_user(s),
          ops::prlimit(7, 1, 2),
          ops::seccomp_load(std::string(8, '\0')),
          ops::sethostname("h"),
          ops::setdomainname("h"),
          ops::resolve_user(s, "root"),
          ops::write_proc_file(s, "uid_map", "0 0 1"),
          ops::open_proc_file(s, "ns/user", 0),
          ops::run_id_mapper("/bin/newuidmap", s, "0 1 2\n"),
          ops::start_helper("/bin/helper", s, {"--ready"}),
          ops::init_fork(),
          ops::init_clone(0, "0 1 65536\n", "0 1 65536\n"),
          ops::exec({"a"}, {}, "/bin"),
          ops::wait_go(),
          ops::proxy_loop({s}, "172.29.0.2", {80}),
          ops::sleep_ms(1),
          ops::die_with_parent(),
          ops::pty_open(s),
          ops::set_window_size(s, 24, 80),
          ops::netlink_open(0),
          ops::netlink(s, {"x", "message"}),
          ops::link_index(s, "eth0"),
          ops::socket_listen(2, 1, "0.0.0.0", 80),
          ops::kill_process(s),
          ops::remove_cgroup("/g"),
          ops::device_filter(s, std::string(8, '\0')),
          ops::delete_link("l"),
          ops::release_network("/p", "/l", {"x", "teardown"}, 1),
          ops::call(0)};
}

}  // namespace

TEST_CASE("every Op has a constructor, prints with its own name, and has as many parameters as it says", "[plan]") {
  Plan plan;
  const Slot slot = plan.slot("value", SlotKind::fd);
  plan.slot("second", SlotKind::fd);
  std::set<Op> seen;
  for (const Call& call : every_call(slot)) {
    const OpInfo& row = info(call.op);
    const std::string text = print(call, plan.slots());
    INFO(text);
    CHECK(text.starts_with(std::string(row.name) + "("));
    CHECK(text.ends_with(")"));
    CHECK_FALSE(mentions(text, "<?>"));
    CHECK(call.args.size() >= row.parameters.size());
    seen.insert(call.op);
  }
  CHECK(seen.size() == static_cast<std::size_t>(Op::count));
}

TEST_CASE("the JSON of a plan names what the text shows", "[plan]") {
  Family family;
  const StepRef late = family.plan.monitor("late", ops::mkdir("/m", 0755)).why("a reason").on("the thing").undo(ops::rmdir("/m"));
  family.plan.payload("enter", ops::chdir("/")).after(late);
  family.plan.warnings.push_back("careful");
  const auto json = nlohmann::json::parse(to_json(family.plan));
  REQUIRE(json["steps"].size() == 4);
  CHECK(json["steps"][2]["step"] == "late");
  CHECK(json["steps"][2]["undo"] == "rmdir(\"/m\")");
  CHECK(json["steps"][2]["why"] == "a reason");
  CHECK(json["steps"][2]["object"] == "the thing");
  CHECK(json["steps"][3]["after"] == nlohmann::json::array({"late"}));
  CHECK(json["steps"][3]["lane"] == "payload");
  CHECK(json["slots"][1]["kind"] == "pid");
  CHECK(json["warnings"][0] == "careful");
}

TEST_CASE("the text of a plan is one line a step, with warnings below", "[plan]") {
  Plan plan;
  plan.monitor("one", ops::setsid()).why("a session of its own");
  plan.warnings.push_back("no swap");
  CHECK(mentions(print(plan), "monitor one"));
  CHECK(mentions(print(plan), "# a session of its own"));
  CHECK(mentions(print(plan), "warning: no swap\n"));
  CHECK_FALSE(mentions(print(plan, false), "#"));
}
