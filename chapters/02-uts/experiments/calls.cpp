// The calls: clone3, unshare and setns act; readlink and ioctl_ns(2) only tell.
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>
#include <drydock/plan/plan.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/join.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::uts {

using namespaces::id_of;
using namespaces::Kind;

namespace {

std::uint64_t uts_of_self() {
  return id_of(0, Kind::uts);
}

}  // namespace

void three_calls(Narrator& tell) {
  const std::uint64_t host = uts_of_self();
  tell.step("clone3(CLONE_NEWUTS): the child is born in a new one");
  Child born(for_this_user(CLONE_NEWUTS), [](Talk& chapter) { return chapter.line().empty() ? 0 : 1; });
  tell.show("uts namespace", Sides{host, id_of(born.pid(), Kind::uts)}, differ());
  tell.step("unshare(CLONE_NEWUTS): the caller itself moves into a new one");
  Child moves(for_this_user(0), [](Talk& chapter) {
    chapter.say(text(Outcome{raw::call(SYS_unshare, CLONE_NEWUTS)}));
    chapter.line();
    return 0;
  });
  tell.show("unshare", moves.talk().line(), is("it succeeds"));
  tell.show("uts namespace", Sides{host, id_of(moves.pid(), Kind::uts)}, differ());
  tell.step("setns: the caller moves into one that exists, by a descriptor of its file or by a pidfd");
  const Held held(born.pid(), Kind::uts);
  const Fd& file = held.file();
  Child joins(0, [&](Talk& chapter) {
    chapter.say(text(Outcome{held.enter()}));
    chapter.line();
    return 0;
  });
  tell.show("setns by a file", joins.talk().line(), is("it succeeds"));
  tell.show("is it where the first child is?", id_of(joins.pid(), Kind::uts) == id_of(born.pid(), Kind::uts), is(true));
  tell.show("where setns by a pidfd leads",
            visit(born.pid(), {Kind::user, Kind::uts}, [] { return std::to_string(uts_of_self()); }),
            is(std::to_string(id_of(born.pid(), Kind::uts))));
  tell.step("ioctl_ns(2) tells what a descriptor of a namespace is, and to which user namespace it belongs");
  tell.show("NS_GET_NSTYPE", raw::call(SYS_ioctl, file.get(), NS_GET_NSTYPE) == CLONE_NEWUTS ? "CLONE_NEWUTS" : "something else",
            is("CLONE_NEWUTS"));
  const Fd owner(static_cast<int>(raw::call(SYS_ioctl, file.get(), NS_GET_USERNS)));
  tell.show("NS_GET_USERNS: its owner?", static_cast<std::uint64_t>(sys::fstat(owner).st_ino) == id_of(born.pid(), Kind::user),
            is(true));
  tell.result("three calls act: clone3, unshare, setns. /proc/PID/ns is no call, but where their arguments are found.");
}

void join(Narrator& tell) {
  tell.step("a container, and the plan of one more program in it");
  Payload payload(tell, sketch_of(2, request_of_this_user()));
  Draft draft = joining(payload.pid(), {Kind::user, Kind::uts}, {"sh", "-c", "hostname; read wait"});
  tell.show("its second step", plan::print(draft.plan.find("joiner.join.setns").action, draft.plan.slots()),
            contains("CLONE_NEWUTS"));
  tell.show("<target> is opened by", std::string(plan::info(draft.plan.find("target").action.op).name), contains("pidfd_open"));
  Payload guest(tell, std::move(draft));
  tell.show("hostname, says the new program", guest.talk().line(), is("lab02"));
  tell.show("is it in the container's namespace?", id_of(payload.pid(), Kind::uts) == id_of(guest.pid(), Kind::uts), is(true));
  tell.show("hostname of the host", hostname(), is_not("lab02"));
  tell.result("exec is open and setns. `drydock exec --explain` shows the same steps for all namespaces at once.");
}

}  // namespace drydock::chapter::uts
