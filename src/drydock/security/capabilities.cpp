#include <drydock/security/capabilities.hpp>

#include <linux/capability.h>
#include <sys/prctl.h>

#include <algorithm>
#include <charconv>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::security {

namespace {

namespace ops = plan::ops;

constexpr std::uint64_t bit(int capability) {
  return std::uint64_t{1} << capability;
}

constexpr std::uint64_t docker_defaults = bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FSETID) | bit(CAP_FOWNER) |
                                          bit(CAP_MKNOD) | bit(CAP_NET_RAW) | bit(CAP_SETGID) | bit(CAP_SETUID) |
                                          bit(CAP_SETFCAP) | bit(CAP_SETPCAP) | bit(CAP_NET_BIND_SERVICE) | bit(CAP_SYS_CHROOT) |
                                          bit(CAP_KILL) | bit(CAP_AUDIT_WRITE);
static_assert(docker_defaults == 0xa80425fb);

constexpr std::uint64_t everything = ~std::uint64_t{0};

bool is_all(const std::string& name) {
  return name.size() == 3 && std::equal(name.begin(), name.end(), "ALL", [](char a, char b) { return (a & ~0x20) == b; });
}

// `everything` for ALL.
std::uint64_t mask_of(const std::vector<std::string>& names, const char* flag) {
  std::uint64_t mask = 0;
  for (const std::string& name : names) {
    if (is_all(name)) return everything;
    const auto number = symbols::capability_number(name);
    if (!number)
      throw Error::refused(std::string(flag) + " " + name, "no such capability",
                           "names are as in capabilities(7), for example NET_ADMIN, or ALL");
    mask |= bit(*number);
  }
  return mask;
}

// The names but ALL: "--cap-add ALL --cap-drop MKNOD" and "--cap-drop ALL --cap-add KILL" mean what they say.
std::vector<std::string> single(const std::vector<std::string>& names) {
  std::vector<std::string> rest;
  std::copy_if(names.begin(), names.end(), std::back_inserter(rest), [](const std::string& name) { return !is_all(name); });
  return rest;
}

std::uint64_t wanted(const CapabilityRequest& request) {
  const std::uint64_t added = mask_of(single(request.add), "--cap-add"), dropped = mask_of(single(request.drop), "--cap-drop");
  if (request.privileged) return everything;
  if (mask_of(request.add, "--cap-add") == everything) return everything & ~dropped;
  if (mask_of(request.drop, "--cap-drop") == everything) return added;
  return (default_capabilities(request.devices_guarded) & ~dropped) | added;
}

}  // namespace

std::uint64_t default_capabilities(bool devices_guarded) {
  return devices_guarded ? docker_defaults : docker_defaults & ~bit(CAP_MKNOD);
}

CapabilityChoice choose_capabilities(const CapabilityRequest& request, std::uint64_t available) {
  CapabilityChoice choice;
  choice.mask = wanted(request) & available;
  for (const std::string& name : single(request.add)) {
    const int number = *symbols::capability_number(name);
    if ((available & bit(number)) == 0)
      choice.warnings.push_back("--cap-add " + name + " has no effect: the caller does not have " + symbols::capability(number) +
                                " itself, and nobody can hand on what they lack");
  }
  if (request.privileged && !request.drop.empty())
    choice.warnings.push_back("--cap-drop has no effect: --privileged gives every capability");
  return choice;
}

std::uint64_t mask_in_status(std::string_view status, std::string_view field) {
  const std::string key = "\n" + std::string(field) + ":\t";
  const auto at = status.find(key);
  std::uint64_t mask = 0;
  if (at != std::string_view::npos) std::from_chars(status.data() + at + key.size(), status.data() + status.size(), mask, 16);
  return mask;
}

std::uint64_t available_capabilities() {
  const std::string status = sys::read_file_if_present("/proc/self/status").value_or("");
  return mask_in_status(status, "CapPrm") & mask_in_status(status, "CapBnd");
}

std::uint64_t all_capabilities() {
  const std::string text = sys::read_file_if_present("/proc/sys/kernel/cap_last_cap").value_or("");
  int last = symbols::last_capability();
  std::from_chars(text.data(), text.data() + text.size(), last);
  return last >= 63 ? everything : bit(last + 1) - 1;
}

std::string capability_text(std::uint64_t mask) {
  std::string text;
  for (int number = 0; number < 64; ++number)
    if ((mask & bit(number)) != 0) text += (text.empty() ? "" : ",") + symbols::capability(number);
  return text.empty() ? "none" : text;
}

std::vector<plan::StepRef> add_bounding_steps(plan::Plan& plan, plan::Lane lane, std::uint64_t mask, std::uint64_t available) {
  std::vector<plan::StepRef> steps;
  for (int number = 0; number < 64; ++number)
    if ((available & ~mask & bit(number)) != 0)
      steps.push_back(plan.add(lane, "bounding." + symbols::capability(number), ops::cap_bounding_drop(number))
                          .why("no program inside can bring it back"));
  return steps;
}

plan::StepRef add_capset_step(plan::Plan& plan, plan::Lane lane, std::uint64_t mask, bool is_root) {
  const auto kept = static_cast<std::int64_t>(is_root ? mask : 0);
  return plan.add(lane, "capset", ops::capset(kept, kept, 0))
      .why(is_root ? "keeps " + capability_text(mask) + "; nothing is inheritable (CVE-2022-29162)"
                   : "a user other than root keeps none");
}

plan::StepRef add_no_new_privileges_step(plan::Plan& plan, plan::Lane lane) {
  return plan.add(lane, "no_new_privs", ops::prctl(PR_SET_NO_NEW_PRIVS, 1))
      .why("no exec gives more than the process has: setuid programs do not work");
}

}  // namespace drydock::security
