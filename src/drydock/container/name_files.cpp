#include <drydock/container/name_files.hpp>

#include <linux/mount.h>

#include <drydock/mounts/detached.hpp>
#include <drydock/network/names.hpp>
#include <drydock/network/slirp.hpp>

namespace drydock::container {

using namespace plan;

NameFiles::NameFiles(const std::string& hostname, const Spec& spec, const Host& host) {
  const bool slirp = spec.network.mode == NetworkMode::slirp;
  const std::string address = host.address && (spec.network.mode == NetworkMode::bridge || slirp) ? host.address->text() : "";
  std::vector<std::string> dns = spec.network.dns;
  if (slirp && dns.empty()) dns = {network::slirp_name_server};  // also where the host's own server listens on its loopback only
  files_ = {{"hosts", network::hosts_file(hostname, address, spec.network.hosts), "names that the container can look up", {}},
            {"resolv.conf", network::resolv_conf(host.resolv_conf, dns), "name servers", {}},
            {"hostname", network::hostname_file(hostname), "the name of the container", {}}};
}

void NameFiles::add_sources(Plan& plan, Slot place) {
  const mounts::NewMount memory{
      "tmpfs", {{"mode", "755"}, {"size", "1m"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
  const Slot files = mounts::add_new_mount(plan, Lane::payload, "names", memory,
                                           "for what the container finds in its /etc; gone with its last mount");
  // Before Linux 6.15 nothing can be bound from a mount that is attached nowhere. The root will lie over it, and go with it.
  plan.payload("names.attach", ops::move_mount(files, place, ""))
      .on("names")
      .why("in this mount namespace only: binds want a mount that is attached");
  for (File& file : files_) {
    const std::string id = "names." + file.name;
    file.mount = plan.slot(id + "_source", SlotKind::fd);
    plan.payload(id, ops::create_file_at(files, file.name, file.content, 0644)).on("/etc/" + file.name).why(file.why);
    plan.payload(id + ".source", ops::open_tree(files, file.name, OPEN_TREE_CLONE))
        .into(file.mount)
        .on("/etc/" + file.name)
        .why("a bind mount of this one file");
  }
}

void NameFiles::add_targets(Plan& plan, Slot root) const {
  for (const File& file : files_)
    mounts::add_move_onto(plan, Lane::payload, "names." + file.name, file.mount, root, "/etc/" + file.name, true);
}

}  // namespace drydock::container
