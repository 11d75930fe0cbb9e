// When the objects of an IPC namespace go, and what limits them.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <optional>
#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "objects.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::ipc {

using namespaces::Kind;

void outlives(Narrator& tell) {
  tell.step("a process makes a queue with a message and a segment, and ends");
  Child host(for_this_user(CLONE_NEWIPC), [](Talk& chapter) {
    Child maker(0, [](Talk& talk) {
      const long queue = make(Table::queue, any_key()).result, memory = make(Table::memory, any_key()).result;
      send(queue, "still here");
      store(memory, "still there");
      talk.say(std::to_string(queue));
      talk.say(std::to_string(memory));
      return 0;
    });
    const long queue = std::stol(maker.talk().line()), memory = std::stol(maker.talk().line());
    const pid_t pid = maker.pid();
    maker.wait();
    chapter.say(text(is_alive(pid)));
    chapter.say(receive(queue));
    chapter.say(load(memory));
    destroy(Table::queue, queue);
    destroy(Table::memory, memory);
    chapter.say(std::to_string(count(Table::queue) + count(Table::memory)));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("is the process still there?", line(), is("no"));
  tell.show("the queue holds", line(), is("still here"));
  tell.show("the segment holds", line(), is("still there"));
  tell.step("as `ipcrm`: IPC_RMID of both");
  tell.show("objects that are left", line(), is("0"));
  tell.result(
      "no process owns them and no descriptor counts them: they stay until somebody removes them, or the namespace goes.");
}

void lifetime(Narrator& tell) {
  tell.step("in a user namespace of its own, where the count of IPC namespaces is limited to one: a process with a queue");
  Child stage(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, [](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "proc", "/proc", "proc", 0, nullptr);
    sys::write_file("/proc/sys/user/max_ipc_namespaces", "1");
    const auto next = [&] {
      std::optional<Child> made;
      const long result = Child::start(
          CLONE_NEWIPC,
          [](Talk& talk) {
            talk.say(std::to_string(count(Table::queue)));
            return 0;
          },
          made);
      return raw::failed(result) ? text(Outcome{result}) : "queues: " + made->talk().line();
    };
    Child owner(CLONE_NEWIPC, [](Talk& talk) {
      make(Table::queue, any_key());
      talk.say("ready");
      talk.line();
      return 0;
    });
    owner.talk().line();
    std::optional<Held> held(std::in_place, owner.pid(), Kind::ipc);
    chapter.say(next());
    owner.talk().close();
    owner.wait();
    chapter.say(held->visit([] { return std::to_string(count(Table::queue)); }));
    chapter.say(next());
    held.reset();
    std::string last;
    eventually([&] { return (last = next()).starts_with("queues"); });
    chapter.say(last);
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("another namespace, meanwhile", line(), contains("ENOSPC"));
  tell.step("the process ends; a descriptor of its namespace is open");
  tell.show("queues, says one that joins", line(), is("1"));
  tell.show("another namespace", line(), contains("ENOSPC"));
  tell.step("the descriptor is closed");
  tell.show("another namespace", line(), is("queues: 0"));
  tell.result("with the namespace its objects go, whoever forgot to remove them. A container leaves no queue behind.");
}

void limits(Narrator& tell) {
  constexpr const char* file = "/proc/sys/kernel/msgmni";
  tell.step("kernel.msgmni, how many queues there may be: a process in a new IPC namespace sets it to 1");
  const std::string before = sys::read_file(file);
  Child inside(CLONE_NEWIPC, [=](Talk& talk) {
    sys::write_file(file, "1");
    talk.say(text(make(Table::queue, any_key())));
    talk.say(text(make(Table::queue, any_key())));
    talk.line();
    return 0;
  });
  tell.show("the first queue", inside.talk().line(), is("it succeeds"));
  tell.show("the second", inside.talk().line(), contains("ENOSPC"));
  tell.show("has the host's value changed?", sys::read_file(file) != before, is(false));
  tell.result("the settings kernel.msg*, kernel.sem and kernel.shm* belong to the namespace, and so do those of fs.mqueue.");
}

void flags(Narrator& tell) {
  const auto start = [](std::uint64_t flags) {
    std::optional<Child> made;
    return Outcome{Child::start(
        for_this_user(flags), [](Talk&) { return 0; }, made)};
  };
  tell.step("clone3 with CLONE_SYSVSEM: parent and child share the list of what their semaphores owe them (SEM_UNDO)");
  tell.show("CLONE_SYSVSEM", start(CLONE_SYSVSEM), succeeds());
  tell.show("CLONE_NEWIPC", start(CLONE_NEWIPC), succeeds());
  tell.show("both", start(CLONE_SYSVSEM | CLONE_NEWIPC), fails_with(EINVAL));
  tell.result("a list of semaphores that are in another namespace would mean nothing.");
}

}  // namespace drydock::chapter::ipc
