#include <drydock/namespaces/permission.hpp>

#include <algorithm>

#include <drydock/kernel/sys.hpp>

namespace drydock::namespaces {

namespace {

struct Row {
  const char* setting;
  const char* closes;
  const char* should;
  bool for_root;
};
constexpr Row rows[] = {{"user/max_user_namespaces", "0", "15000", true},
                        {"kernel/unprivileged_userns_clone", "0", "1", false},
                        {"kernel/apparmor_restrict_unprivileged_userns", "1", "0", false}};

}  // namespace

Settings read_settings() {
  Settings settings;
  for (const Row& row : rows)
    if (const auto text = sys::read_file_if_present(std::string("/proc/sys/") + row.setting)) settings[row.setting] = *text;
  return settings;
}

std::string Closed::name() const {
  std::string dotted = setting;
  std::replace(dotted.begin(), dotted.end(), '/', '.');
  return dotted;
}

std::optional<Closed> closed_by(unsigned euid, const Settings& settings) {
  for (const Row& row : rows) {
    const auto found = settings.find(row.setting);
    if (found == settings.end() || (euid == 0 && !row.for_root)) continue;
    if (found->second.substr(0, found->second.find('\n')) == row.closes) return Closed{row.setting, row.closes, row.should};
  }
  return std::nullopt;
}

}  // namespace drydock::namespaces
