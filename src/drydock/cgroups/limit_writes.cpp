// limit_writes(): from the knob table to the writes for one layout, and the sentences about what will not work.
#include <algorithm>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/kernel/remedies.hpp>

namespace drydock::cgroups {

namespace {

bool met(Need need, Version version, const Host& host) {
  switch (need) {
    case Need::nothing:
      return true;
    case Need::swap_accounting:
      return host.swap_accounting;
    case Need::cpu_bandwidth:
      return host.cpu_bandwidth;
    case Need::bfq:
      return host.bfq;
    case Need::plain_weight:
      return !host.bfq && (version == Version::v1 ? host.cfq : host.io_cost);
  }
  return false;
}

std::string unmet(Need need, Version version, const Host& host) {
  switch (need) {
    case Need::swap_accounting:
      return "the kernel does not account swap (boot it with swapaccount=1)";
    case Need::cpu_bandwidth:
      return "the kernel has no CPU bandwidth control (CONFIG_CFS_BANDWIDTH)";
    case Need::bfq:
    case Need::plain_weight:
      return version == Version::v1
                 ? std::string("the kernel has no BFQ scheduler (CONFIG_BFQ_GROUP_IOSCHED), and CFQ is gone since Linux 5.0")
                 : "no disk is scheduled by BFQ (" + remedies::bfq(host.disk_example) + ") and io.cost is not switched on";
    case Need::nothing:
      break;
  }
  return "";
}

void warn_once(LimitWrites& result, const std::string& flag, const std::string& reason) {
  std::string sentence = flag + " has no effect: " + reason;
  if (std::find(result.warnings.begin(), result.warnings.end(), sentence) == result.warnings.end())
    result.warnings.push_back(std::move(sentence));
}

std::string without(const Layout& layout, std::string_view controller) {
  const std::string remedy = layout.remedy_for(controller);
  return layout.why_missing(controller) + (remedy.empty() ? "" : " (" + remedy + ")");
}

// The other row of the same limit may be the one that this machine has (BFQ or plain weight).
bool other_row_serves(const Knob& knob, Version version, const Host& host) {
  const auto rows = knob_table();
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Knob& row) { return &row != &knob && row.name == knob.name && met(row.need, version, host); });
}

void add_knob(LimitWrites& result, const Knob& knob, const Layout& layout, const Limits& limits, const Host& host) {
  const bool asked = !knob.v1(limits, host).empty() || !knob.v2(limits, host).empty();
  if (!asked) return;
  const Place* place = layout.find(knob.v1_controller);
  if (place == nullptr) place = layout.find(knob.v2_controller);
  const std::string flag(knob.flag);
  // Memory alone implies a sum with swap: that is nobody's wish, so nothing is said where it cannot be.
  const bool implied = knob.need == Need::swap_accounting && !limits.memory_swap;
  if (place == nullptr && implied) return;
  if (place == nullptr) return warn_once(result, flag, without(layout, layout.shape == Shape::v2 ? knob.v2_controller : knob.v1_controller));
  const bool v1 = place->version == Version::v1;
  const auto values = v1 ? knob.v1(limits, host) : knob.v2(limits, host);
  if (values.empty()) return;
  if (!met(knob.need, place->version, host)) {
    if (!implied && !other_row_serves(knob, place->version, host)) warn_once(result, flag, unmet(knob.need, place->version, host));
    return;
  }
  for (const std::string& value : values)
    result.writes.push_back(
        {place->controller, place->version, place->mount, std::string(v1 ? knob.v1_file : knob.v2_file), value, &knob});
}

void warn_about_effect(LimitWrites& result, const Layout& layout, const Limits& limits, const Host& host) {
  const auto written = [&](std::string_view flag) {
    return std::any_of(result.writes.begin(), result.writes.end(), [&](const Write& w) { return w.knob->flag == flag; });
  };
  if (limits.memory_swap.value_or(0) != 0 && !host.swap && written("--memory-swap"))
    warn_once(result, "--memory-swap", std::string("this machine has no swap space (") + remedies::swap_space + ")");
  if (written("--blkio-weight") && host.bfq && !host.bfq_active) {
    warn_once(result, "--blkio-weight", "no disk is scheduled by BFQ (" + remedies::bfq(host.disk_example) + ")");
  }
  const Place* blkio = layout.find("blkio");
  if (blkio != nullptr && blkio->version == Version::v1)
    for (const auto* flag : {"--device-write-bps", "--device-write-iops"})
      if (written(flag))
        result.warnings.push_back(std::string(flag) +
                                  " limits direct and synchronous writes only: on cgroup v1 buffered writes are "
                                  "done later by the kernel, outside the group");
}

}  // namespace

LimitWrites limit_writes(const Layout& layout, const Limits& limits, const Host& host) {
  LimitWrites result;
  for (const Knob& knob : knob_table()) add_knob(result, knob, layout, limits, host);
  warn_about_effect(result, layout, limits, host);
  return result;
}

}  // namespace drydock::cgroups
