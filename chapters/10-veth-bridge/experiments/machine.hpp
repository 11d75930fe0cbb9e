// Machines that are played: network namespaces with cables between them. A host, its containers, its neighbours.
//
// Example: World world;
//          Machine host(world), web(world);
//          make_bridge(host, "docker0", "172.17.0.1", 16);
//          cable({.machine = host, .link = "veth0", .bridge = "docker0"}, {.machine = web, .link = "eth0"});
//          host.at([] { return ports_of("docker0"); }) == "veth0"
// Source: network_namespaces(7), veth(4).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include <drydock/network/messages.hpp>

#include "shared/child.hpp"
#include "shared/values.hpp"

namespace drydock::chapter::veth_bridge {

// Who owns the networks of an experiment: root does, and for others one user namespace for all of them, in which they keep their
// number. Only the owner of both ends may lay a cable.
class World {
 public:
  World();
  explicit World(pid_t member);  // the owner of that process's network, which the caller made
  void enter() const;            // the calling process

 private:
  std::optional<Child> owner_;
  Fd user_;
};

class Machine {
 public:
  explicit Machine(const World& world);  // a new one: lo is up, nothing is passed on
  explicit Machine(pid_t pid);           // the network of that process: of a container, of a host that a plan plays

  pid_t pid() const { return pid_; }
  // Acts there, and says what came of it in words: an Outcome, a bool, a number, a text.
  template <typename Act>
  std::string at(Act act) const {
    return network_.visit([&] { return text(act()); });
  }
  // The same with one message.
  std::string at(const network::Message& message) const;
  // A process there.
  Child process(const Body& body) const;

 private:
  std::optional<Child> holder_;
  pid_t pid_;
  Held network_;
};

struct End {
  const Machine& machine;
  std::string link;
  std::string address = {};  // none: it gets none
  int prefix = 24;
  std::string bridge = {};  // that it becomes a port of
};
// Both ends are up, and the cable has a carrier. Throws Error when the kernel refuses.
void cable(const End& one, const End& other);
// A bridge that is up and has this address; with an empty one it is nothing but a switch.
void make_bridge(const Machine& machine, const std::string& name, const std::string& address = {}, int prefix = 24);
void set_default_route(const Machine& machine, const std::string& gateway);
// Lets it pass packets on.
void make_router(const Machine& machine);
// Throws Error when `outcome`, in the words of Machine::at, is no success.
void must(const std::string& what, const std::string& outcome);

// The calling process gets a list of mounts of its own, with a new file system of this type at `directory`.
void mount_for_itself(const std::string& type, const std::string& directory);

}  // namespace drydock::chapter::veth_bridge
