#include <drydock/namespaces/join.hpp>

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::namespaces {

namespace ops = plan::ops;

std::uint64_t flags_of(const std::vector<Kind>& kinds) {
  std::uint64_t flags = 0;
  for (const Kind kind : kinds) flags |= info(kind).flag;
  return flags;
}

plan::StepRef add_join_steps(plan::Plan& plan, plan::Lane lane, plan::Slot pidfd, const std::vector<Kind>& kinds) {
  const std::string prefix = std::string(plan::lane_name(lane)) + ".join";
  plan.add(lane, prefix + ".hide", ops::prctl(PR_SET_DUMPABLE, 0))
      .why("nobody inside may open this process while it joins (CVE-2016-9962)");
  return plan.add(lane, prefix + ".setns", ops::setns(pidfd, static_cast<std::int64_t>(flags_of(kinds))))
      .why("all of them or none, by a descriptor that cannot mean another process")
      .on("namespaces of the container");
}

std::vector<plan::StepRef> add_pin_steps(plan::Plan& plan, plan::Lane lane, const std::string& source,
                                         const std::string& target) {
  std::vector<plan::StepRef> steps;
  steps.push_back(plan.add(lane, "pin.file " + target, ops::create_file(target, "", 0444))
                      .why("a file to mount on")
                      .on(target)
                      .undo(ops::unlink(target)));
  steps.push_back(plan.add(lane, "pin " + target, ops::mount(source, target, "", MS_BIND, ""))
                      .why("a namespace lives as long as a process, a descriptor or a mount holds it")
                      .on(target)
                      .undo(ops::umount2(target, MNT_DETACH)));
  return steps;
}

bool unpin(const std::string& target) {
  const long result = raw::call(SYS_umount2, target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  const int code = raw::error_of(result);
  if (code != 0 && code != EINVAL && code != ENOENT)
    throw Error::from_errno("umount2", "\"" + target + "\", " + symbols::umount_flags(MNT_DETACH | UMOUNT_NOFOLLOW), code);
  sys::unlink_if_present(target);
  return code == 0;
}

}  // namespace drydock::namespaces
