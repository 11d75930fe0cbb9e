#include "shared/join.hpp"

#include <linux/sched.h>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/join.hpp>

namespace drydock::chapter {

using namespace plan;

Draft joining(pid_t target, std::vector<namespaces::Kind> kinds, std::vector<std::string> command) {
  Draft draft;
  Plan& made = draft.plan;
  const Slot target_fd = made.slot("target", SlotKind::fd);
  made.monitor("target", ops::pidfd_open_checked(target, static_cast<std::int64_t>(sys::start_time(target).value_or(0))))
      .into(target_fd)
      .on("the container")
      .why("a pid may be reused, a descriptor is not");
  const Slot joiner = made.slot("joiner", SlotKind::pid);
  made.slot("joiner_fd", SlotKind::fd);
  made.monitor("joiner", ops::fork_lane(Lane::joiner))
      .into(joiner)
      .on("the joiner")
      .why("a process that may be spent: it enters, and its child is the program");
  // The kernel refuses to join one's own user namespace once more.
  if (namespaces::id_of(target, namespaces::Kind::user) == namespaces::id_of(0, namespaces::Kind::user))
    std::erase(kinds, namespaces::Kind::user);
  namespaces::add_join_steps(made, Lane::joiner, target_fd, kinds);
  const Slot child = made.slot("child", SlotKind::pid);
  made.slot("child_fd", SlotKind::fd);
  made.joiner("clone", ops::clone3(CLONE_PARENT, {}, Lane::payload))
      .into(child)
      .on("the program")
      .why("only a child is in a joined pid namespace; CLONE_PARENT makes it the monitor's");
  const Slot watch = made.slot("watch", SlotKind::fd);
  made.monitor("watch", ops::pidfd_open(child))
      .into(watch)
      .on("the program")
      .why("the monitor waits for the program, not for the joiner");
  const Request request;
  made.payload("exec", ops::exec(std::move(command), request.env, request.env.front().substr(5)))
      .on("the program")
      .why("inside, it is one process more");
  draft.settings.id = sys::random_hex(64);
  draft.settings.payload = child;
  draft.settings.exec_step = "exec";
  draft.settings.flags = wire::flag_exec;
  return draft;
}

}  // namespace drydock::chapter
