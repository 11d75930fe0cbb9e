#include <drydock/network/slirp.hpp>

#include <unistd.h>

#include <drydock/kernel/remedies.hpp>

namespace drydock::network {

using namespace plan;

namespace {

constexpr const char* tun_device = "/dev/net/tun";

}  // namespace

SlirpNeeds look_for_slirp() {
  return {::access(slirp_program, X_OK) == 0, ::access(tun_device, F_OK) == 0, ::access(tun_device, R_OK | W_OK) == 0};
}

std::optional<SlirpLack> lack_of(const SlirpNeeds& needs) {
  if (!needs.program) return SlirpLack{"slirp4netns is not there", remedies::slirp};
  if (!needs.tun) return SlirpLack{"/dev/net/tun is not there", remedies::tun_module};
  if (!needs.tun_opens) return SlirpLack{"/dev/net/tun is closed to this user", remedies::open_tun};
  return std::nullopt;
}

StepRef add_slirp_step(Plan& plan, Slot child, StepRef mapped) {
  const Slot pid = plan.slot("slirp", SlotKind::pid);
  const Slot pidfd = plan.slot("slirp_fd", SlotKind::fd);  // start_helper fills the slot that follows its own
  Step& step =
      plan.monitor("net.slirp", ops::start_helper(slirp_program, child,
                                                  {slirp_link, "--configure", "--disable-host-loopback", "--enable-sandbox",
                                                   "--enable-seccomp", "--ready-fd=" + std::to_string(helper_ready_fd),
                                                   "--exit-fd=" + std::to_string(helper_exit_fd)}))
          .into(pid)
          .on("slirp4netns")
          .undo(ops::kill_process(pidfd))
          .why("an ordinary user may own no link of the host: packets of the container become sockets of a process");
  if (mapped.index != StepRef{}.index) step.after(mapped);
  return step;
}

}  // namespace drydock::network
