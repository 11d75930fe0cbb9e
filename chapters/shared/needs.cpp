#include "shared/needs.hpp"

#include <linux/sched.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include <drydock/cgroups/layout.hpp>
#include <drydock/container/host.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/nat_query.hpp>

#include "shared/child.hpp"

namespace drydock::chapter {

namespace needs {

Need root() {
  return {"root", [] { return sys::geteuid() == 0 ? std::string() : "not root; run it with sudo"; }};
}

Need namespaces() {
  return {"root or user namespaces", [] {
            if (sys::geteuid() == 0) return std::string();
            std::optional<Child> made;
            const long result = Child::start(
                CLONE_NEWUSER, [](Talk&) { return 0; }, made);
            if (!raw::failed(result)) return std::string();
            return "this user may make no user namespace (" + errno_name(raw::error_of(result)) +
                   "); run it with sudo, or see 'drydock doctor' for the setting that forbids it";
          }};
}

Need kernel(int major, int minor) {
  const std::string version = std::to_string(major) + "." + std::to_string(minor);
  return {"Linux " + version, [=] {
            return container::kernel_at_least(major, minor) ? std::string()
                                                            : "the kernel is older than " + version + "; a newer one has it";
          }};
}

Need program(const std::string& name, const std::string& package) {
  return {name, [=] {
            const char* path = std::getenv("PATH");
            const std::string directories = path != nullptr ? path : "/usr/bin:/bin";
            for (std::size_t begin = 0; begin <= directories.size();) {
              const std::size_t end = std::min(directories.find(':', begin), directories.size());
              if (::access((directories.substr(begin, end - begin) + "/" + name).c_str(), X_OK) == 0) return std::string();
              begin = end + 1;
            }
            return name + " is not installed; the package " + (package.empty() ? name : package) + " brings it";
          }};
}

namespace {

// Block input and output is the one controller that was renamed.
const cgroups::Place* find_of_other_version(const cgroups::Layout& layout, const std::string& name) {
  return layout.find(name == "io" ? "blkio" : name == "blkio" ? "io" : name);
}

Need controller_of(const std::string& name, std::optional<cgroups::Version> version) {
  const std::string which = !version ? "" : *version == cgroups::Version::v1 ? " (v1)" : " (v2)";
  return {"controller " + name + which, [=]() -> std::string {
            if (sys::geteuid() != 0) return "control groups of one's own need root; run it with sudo";
            const cgroups::Layout layout = cgroups::read_layout();
            const cgroups::Place* place = layout.find(name);
            if (place == nullptr && version) place = find_of_other_version(layout, name);
            if (place == nullptr) return "the kernel offers no controller '" + name + "'; see 'drydock doctor'";
            if (version && place->version != *version)
              return "the controller '" + name + "' is on cgroup " +
                     (*version == cgroups::Version::v1 ? "v2 here; a machine with v1 shows it"
                                                       : "v1 here; a machine with v2 shows it (./lab vm shell)");
            return {};
          }};
}

}  // namespace

Need controller(const std::string& name) {
  return controller_of(name, std::nullopt);
}
Need controller_v1(const std::string& name) {
  return controller_of(name, cgroups::Version::v1);
}
Need controller_v2(const std::string& name) {
  return controller_of(name, cgroups::Version::v2);
}

Need nf_tables() {
  return {"nf_tables", [] {
            try {
              network::nat_state(network::BridgeConfig{});
            } catch (const Error& error) {
              if (error.code() != 0) return std::string("this kernel has no nf_tables; load the module nf_tables");
            }
            return std::string();
          }};
}

Need readable(const std::string& path) {
  return {path,
          [=] { return ::access(path.c_str(), R_OK) == 0 ? std::string() : path + " cannot be read; root may be able to"; }};
}

}  // namespace needs

std::string what_is_missing(const std::vector<Need>& needs) {
  for (const Need& need : needs)
    if (std::string missing = need.missing(); !missing.empty()) return missing;
  return {};
}

}  // namespace drydock::chapter
