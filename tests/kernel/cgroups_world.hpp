// Groups for tests: made by the very steps that a launch plan holds, joined by real processes, always removed.
//
// Example: TestGroup group(limits);
//          const pid_t child = group.start([] { burn(); });
//          CHECK(group->usage().cpu_ns > 0);
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include <drydock/cgroups/group.hpp>
#include <drydock/cgroups/host.hpp>
#include <drydock/cgroups/steps.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/ops.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"
#include "support/needs.hpp"

namespace drydock::test {

class TestGroup {
 public:
  explicit TestGroup(const cgroups::Limits& limits = {}, cgroups::GroupOptions options = {},
                     cgroups::Layout layout = cgroups::read_layout())
      : layout_(std::move(layout)), host_(cgroups::read_host(layout_, limits)) {
    cgroups::validate(limits, host_);
    const auto writes = cgroups::limit_writes(layout_, limits, host_);
    warnings = writes.warnings;
    plan::Plan plan;
    const std::string id = "test-" + sys::random_hex(16);
    directories_ = cgroups::add_group_steps(plan, layout_, id, writes, options).directories;
    group_.emplace(layout_, directories_);
    try {
      for (const plan::Step& step : plan.steps()) play(step);
    } catch (...) {
      group_->remove();
      throw;
    }
  }
  TestGroup(const TestGroup&) = delete;
  TestGroup& operator=(const TestGroup&) = delete;
  ~TestGroup() {
    try {
      if (group_->exists()) group_->kill();
      for (const pid_t child : children_) ::waitpid(child, nullptr, 0);
      group_->wait_empty(2000);
      group_->remove();
    } catch (const Error& error) {
      std::cerr << "test group: " << error.what() << '\n';
    }
  }

  cgroups::Group* operator->() { return &*group_; }
  cgroups::Group& operator*() { return *group_; }
  const cgroups::Layout& layout() const { return layout_; }
  const cgroups::Host& host() const { return host_; }
  const std::vector<std::string>& directories() const { return directories_; }
  std::string directory(const std::string& controller) const {
    for (const std::string& directory : directories_)
      if (const auto* place = layout_.find(controller); place != nullptr && directory.starts_with(place->mount + "/"))
        return directory;
    return "";
  }

  // A member that runs `body` and exits with what it returns.
  pid_t start(const std::function<int()>& body) {
    const pid_t child = forked();
    if (child == 0) {
      try {
        join();
        ::_exit(body());
      } catch (...) {
        ::_exit(99);
      }
    }
    children_.push_back(child);
    return child;
  }
  // Its wait status.
  int wait(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    std::erase(children_, child);
    return status;
  }

  std::vector<std::string> warnings;

 private:
  void play(const plan::Step& step) {
    const auto text = [&](std::size_t index) { return std::get<std::string>(step.action.args[index]); };
    if (step.action.op == plan::Op::mkdir) sys::mkdir(text(0), 0755);
    if (step.action.op == plan::Op::write_file) sys::write_file(text(0), text(1));
    if (step.action.op == plan::Op::device_filter) {
      const std::string& program = std::get<plan::Bytes>(step.action.args[1]).data;
      const Fd home = sys::open(cgroups::member_directory(layout_, directories_.back()), O_RDONLY | O_DIRECTORY);
      if (const long result = plan::executor::attach_device_filter(home.get(), program.data(), program.size()); result != 0)
        throw Error::from_errno("bpf", "device filter", static_cast<int>(-result));
    }
  }
  void join() {
    for (const std::string& directory : directories_) {
      const bool v2 = !layout_.cgroup2.empty() && directory.starts_with(layout_.cgroup2 + "/");
      sys::write_file(cgroups::member_directory(layout_, directory) + (v2 ? "/cgroup.procs" : "/tasks"), "0");
    }
  }

  cgroups::Layout layout_;
  cgroups::Host host_;
  std::vector<std::string> directories_;
  std::optional<cgroups::Group> group_;
  std::vector<pid_t> children_;
};

inline bool can_limit(const char* controller) {
  return sys::geteuid() == 0 && cgroups::read_layout().find(controller) != nullptr;
}

}  // namespace drydock::test
