// The fault sweep: each step of a plan fails with each errno that its call may give, and afterwards nothing is left.
//
// The failure is injected instead of the call, so that the sweep needs no broken machine; what the kernel itself refuses
// (somebody else's object in the way) is in foreign_objects_test.cpp. The normal tier tries two errnos a step, in turn, and
// EEXIST wherever it can be; DRYDOCK_FULL=1 tries them all.
#include <errno.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "container/launches.hpp"
#include "support/patience.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

using plan::Op;

// What section 2 of the manual says each call may give, on the paths that a container's start takes.
std::vector<int> plausible(Op op) {
  switch (op) {
    case Op::mkdir:
    case Op::mkdirat:
    case Op::create_file:
    case Op::create_file_at:
    case Op::symlinkat:
    case Op::linkat:
    case Op::mknodat:
      return {EEXIST, ENOSPC, EACCES, EROFS, ENOMEM, EDQUOT};
    case Op::mkdirs_in_root:
      return {ELOOP, ENOSPC, EROFS, EACCES};
    case Op::open:
    case Op::openat:
    case Op::open_in_root:
    case Op::open_proc_file:
      return {EMFILE, ENOENT, EACCES, ENFILE};
    case Op::write_file:
    case Op::write_file_at:
    case Op::write_proc_file:
      return {EBUSY, EINVAL, ENOSPC, EIO, EPERM, EACCES};
    case Op::clone3:
    case Op::fork_lane:
    case Op::init_fork:
    case Op::init_clone:
      return {EAGAIN, ENOMEM, EPERM, ENOSPC};
    case Op::unshare:
      return {ENOSPC, EPERM, ENOMEM};
    case Op::mount:
    case Op::umount2:
    case Op::fsmount:
    case Op::move_mount:
    case Op::open_tree:
    case Op::mount_setattr:
    case Op::pivot_root:
    case Op::mask_path:
    case Op::read_only_path:
      return {EPERM, ENOMEM, EINVAL, EBUSY};
    case Op::fsopen:
    case Op::fsconfig_string:
    case Op::fsconfig_flag:
    case Op::fsconfig_fd:
    case Op::fsconfig_create:
      return {ENODEV, EPERM, EINVAL, ENOMEM};
    case Op::netlink:
      return {EEXIST, EPERM, ENOMEM, EBUSY, EOPNOTSUPP};
    case Op::netlink_open:
    case Op::pipe:
      return {EMFILE, ENFILE, ENOMEM};
    case Op::link_index:
      return {ENODEV};
    case Op::socket_listen:
      return {EADDRINUSE, EACCES, EMFILE};
    case Op::exec:
      return {ENOENT, EACCES, ENOEXEC, ENOMEM, E2BIG};
    case Op::seccomp_load:
    case Op::device_filter:
      return {EINVAL, ENOMEM, EACCES};
    case Op::capset:
    case Op::setgroups:
    case Op::setresgid:
    case Op::setresuid:
    case Op::become_user:
    case Op::cap_bounding_drop:
    case Op::cap_ambient_raise:
    case Op::prlimit:
    case Op::sethostname:
      return {EPERM, EINVAL};
    case Op::chdir:
    case Op::fchdir:
    case Op::check_cwd:
      return {ENOENT, EACCES, ENOTDIR};
    case Op::resolve_user:
      return {ENOENT, EACCES};
    case Op::start_helper:
      return {EIO, ENOENT, EAGAIN};
    case Op::die_with_parent:
      return {ESRCH};
    default:
      return {EPERM, EINVAL};
  }
}

// Two of them, other ones for the next step; EEXIST always.
std::vector<int> chosen(const plan::Step& step) {
  const std::vector<int> all = plausible(step.action.op);
  if (full_sweeps() || all.size() <= 2) return all;
  std::vector<int> some{all.front()};
  some.push_back(all[1 + step.self.index % (all.size() - 1)]);
  return some;
}

bool is_tolerated(const plan::Step& step, int code) {
  return step.optional_step || std::find(step.tolerated.begin(), step.tolerated.end(), code) != step.tolerated.end();
}

// 126 and 127 are the program's; everything else is ours: the same decision as the command line's.
bool names_what_failed(const Error& error, const plan::Step& step, const plan::Plan& plan, int code) {
  const std::string text = error.what();
  const bool object = step.target.empty() || text.find(step.target.substr(0, 40)) != std::string::npos ||
                      text.find(plan::print(step.action, plan.slots()).substr(plan::info(step.action.op).name.size() + 1, 20)) != std::string::npos;
  return error.step() == step.id && error.code() == code && error.call() == plan::info(step.action.op).name && object &&
         text.find(errno_name(code)) != std::string::npos && !error.reason().empty();
}

struct Tally {
  int pairs = 0, passed_over = 0;
};

void try_pair(Host& host, const container::Spec& spec, const plan::Step& step, const plan::Plan& plan, int code, Tally& tally) {
  const std::string inject = step.id + "=" + errno_name(code);
  const Attempt attempt = launch_on(host, spec, inject);
  ++tally.pairs;
  INFO(inject << ": " << (attempt.failure ? attempt.failure->what() : "started, exit " + std::to_string(attempt.exit_code)));
  if (is_tolerated(step, code)) {
    // As good as done; but what it did not make may be missed by a later step, which then fails for that reason.
    ++tally.passed_over;
    CHECK((attempt.started() ? attempt.exit_code == 0 : attempt.failure->step() != step.id));
  } else {
    REQUIRE(attempt.failure.has_value());
    CHECK(names_what_failed(*attempt.failure, step, plan, code));
  }
  CHECK(host.leftovers(3000) == nothing);
}

// Every step of the plan that `spec` gives on this machine.
void sweep(const std::string& what, const container::Spec& spec, int every = 1) {
  Host host;
  const std::string id = sys::random_hex(64);
  const plan::Plan plan = prepare(host, spec, id).made.plan;
  end_lease(host, id);
  REQUIRE(launch_on(host, spec).exit_code == 0);  // it works where nothing fails
  REQUIRE(host.leftovers(3000) == nothing);
  Tally tally;
  const std::uint64_t begin = sys::monotonic_ns();
  every *= repetitions(20) < 20 ? 7 : 1;
  for (const plan::Step& step : plan.steps()) {
    if (step.self.index % static_cast<unsigned>(every) != 0 && !full_sweeps()) continue;
    for (const int code : chosen(step)) try_pair(host, spec, step, plan, code, tally);
  }
  std::cout << "fault sweep, " << what << ": " << tally.pairs << " (step, errno) pairs over " << plan.steps().size() << " steps, "
            << tally.passed_over << " of them tolerated, " << (sys::monotonic_ns() - begin) / 1'000'000 << " ms" << std::endl;
}

}  // namespace

TEST_CASE("fault sweep: bridge, published port, limits, volumes", "[robustness][sweep]") {
  DRYDOCK_NEEDS_HOST();
  sweep("full container", full_container());
}

TEST_CASE("fault sweep: user namespace", "[robustness][sweep]") {
  DRYDOCK_NEEDS_HOST();
  sweep("user namespace", mapped_container(), 3);
}

TEST_CASE("fault sweep: slirp4netns and a proxy that enters", "[robustness][sweep]") {
  DRYDOCK_NEEDS_HOST();
  sweep("slirp4netns", slirp_container(), 3);
}

TEST_CASE("fault sweep: terminal", "[robustness][sweep]") {
  DRYDOCK_NEEDS_HOST();
  sweep("terminal", terminal_container(), 3);
}

TEST_CASE("fault sweep: detached, --init, another user", "[robustness][sweep]") {
  DRYDOCK_NEEDS_HOST();
  sweep("detached", detached_container(), 3);
}

TEST_CASE("the command line ends with 125, 126 or 127 and says why", "[robustness][sweep]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const struct {
    const char* inject;
    int code;
    const char* words;
  } rows[] = {{"files=ENOSPC", 125, "the disk"},          {"clone=EAGAIN", 125, "a limit on processes"}, {"net.veth=EEXIST", 125, "exists already"},
              {"root.pivot=EINVAL", 125, "pivot_root"},   {"exec=ENOENT", 127, "no such program"},       {"exec=EACCES", 126, "not executable"},
              {"exec=ENOEXEC", 126, "no program that"},   {"seccomp=EINVAL", 125, "filter"},             {"hostname=EPERM", 125, "privilege"}};
  for (const auto& row : rows) {
    const Result run = host.drydock({"run", "--rm", "--inject", row.inject, "busybox", "true"});
    INFO(row.inject << "\n" << run.seen());
    CHECK(run.code == row.code);
    CHECK(run.out.empty());
    const std::string step = std::string(row.inject).substr(0, std::string(row.inject).find('='));
    CHECK(run.err.find("step " + step) != std::string::npos);
    CHECK(run.err.find(row.words) != std::string::npos);
    CHECK(host.leftovers(3000) == nothing);
  }
}
