// A container of this chapter that runs, and the two networks it is about: its own, and that of its host.
//
// Example: Bridged web(tell, host, {.address = "172.29.0.3", .ports = {{"", 8080, 80}}});
//          const Child server = serve(web.inside(), "0.0.0.0", 80, "web");
#pragma once

#include <string>
#include <vector>

#include <drydock/kernel/sys.hpp>
#include <drydock/network/nat.hpp>

#include "machine.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::veth_bridge {

inline constexpr int short_ms = 500;  // for an answer that must not come

// Changes of the plan, for Variation::change.
// No network but lo, as `--net=none` has it: chapter 05's.
void without_network(Sketch& sketch);
// `--network host`: none of its own.
void with_the_hosts_network(Sketch& sketch);

struct Variation {
  std::string address = "172.29.0.2";
  std::vector<network::PublishedPort> ports = {};
  void (*change)(Sketch&) = nullptr;
  const Machine* network_of = nullptr;  // --network container:ID
  std::string scratch = {};             // a directory that is there as long as it is
};

class Bridged {
 public:
  // On a host that its plan plays.
  explicit Bridged(Narrator& tell, const Variation& wanted = {}) : Bridged(tell, nullptr, wanted) {}
  // On one that is there.
  Bridged(Narrator& tell, const Machine& host) : Bridged(tell, &host, {}) {}
  Bridged(Narrator& tell, const Machine& host, const Variation& wanted) : Bridged(tell, &host, wanted) {}

  Payload& payload() { return payload_; }
  const std::string& id() const { return id_; }
  // Its control groups, as /proc/PID/cgroup names them.
  std::string cgroup() const { return sys::read_file("/proc/" + std::to_string(inside_.pid()) + "/cgroup"); }
  const Machine& host() const { return host_; }
  const Machine& inside() const { return inside_; }

 private:
  Bridged(Narrator& tell, const Machine* host, const Variation& wanted);

  std::string id_;
  Payload payload_;
  Machine host_, inside_;
};

}  // namespace drydock::chapter::veth_bridge
