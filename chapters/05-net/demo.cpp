// Chapter 05: a network of one's own, which is empty.
#include <linux/sched.h>

#include <drydock/namespaces/kinds.hpp>
#include <drydock/network/ports.hpp>

#include "experiments.hpp"
#include "experiments/stage.hpp"
#include "shared/chapter.hpp"
#include "shared/child.hpp"
#include "shared/payload.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::net {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  tell.question("a process gets a network namespace of its own. Can it send a packet to 127.0.0.1, to itself?");
  tell.step("clone3(CLONE_NEWNET), and nothing else");
  Child bare(for_this_user(CLONE_NEWNET), agent);
  tell.show("net namespace", Sides{id_of(0, Kind::net), id_of(bare.pid(), Kind::net)}, differ());
  tell.show("its links", ask(bare, "links"), is("lo"));
  tell.show("state of lo", ask(bare, "state lo"), is("down"));
  tell.show("ping 127.0.0.1", ask(bare, "ping 127.0.0.1"), contains("ENETUNREACH"));
  tell.step("the container of this chapter: the same, then lo is set up, and execve(\"cat\")");
  Payload payload(tell, sketch_of(5, request_of_this_user()));
  const auto inside = [&](const std::function<std::string()>& look) {
    return visit(payload.pid(), {Kind::user, Kind::net}, look);
  };
  tell.show("state of lo", inside([] { return state_of("lo"); }), is("up"));
  tell.show("ping 127.0.0.1", inside([] { return text(ping("127.0.0.1")); }), is("it succeeds"));
  tell.show("ping 192.0.2.1", inside([] { return text(ping("192.0.2.1")); }), contains("ENETUNREACH"));
  tell.step("a port that a listener on the host has, in both");
  Fd listener;
  const int port = network::free_port("127.0.0.1", false);
  listen_on("127.0.0.1", port, listener);
  const auto bind = [=] {
    Fd mine;
    return text(listen_on("127.0.0.1", port, mine));
  };
  const std::string again = bind();
  tell.show("bind, on the host once more", again, contains("EADDRINUSE"));
  tell.show("bind, in the container", inside(bind), is("it succeeds"));
  tell.show("exit status of cat", payload.end(), is(0));
  tell.result("a whole stack of its own: links, addresses, routes, ports, rules. It begins with nothing, not even with itself.");
}

const std::vector<Experiment> experiments = {
    {"empty",
     "What is in a network namespace when it is new?",
     {"N1-119", "N1-146", "N1-194", "U-04"},
     {needs::namespaces()},
     empty},
    {"loopback", "What must be done before a program can talk to itself?", {"N1-121", "U-04"}, {needs::namespaces()}, loopback},
    {"same-port",
     "May two processes listen on port 80?",
     {"N0-083", "N1-146", "E-100", "U-04"},
     {needs::namespaces()},
     same_port},
    {"abstract", "Two kinds of Unix sockets: which belongs to the network?", {"U-04"}, {needs::namespaces()}, abstract_names},
    {"named",
     "What does `ip netns` do?",
     {"N0-134", "N1-116", "N1-117", "N1-118", "N1-119", "N1-120"},
     {needs::namespaces()},
     named},
    {"cable",
     "The notes lay a cable between two namespaces and stop. What is missing until ping works?",
     {"N1-121", "N1-122", "N1-123", "N1-124", "N1-125", "U-02"},
     {needs::namespaces()},
     cable},
    {"deletion",
     "A namespace is deleted. When are its links gone?",
     {"N1-117", "E-113", "U-02"},
     {needs::namespaces()},
     deletion},
    {"subnets",
     "Which addresses can be reached, and what does a default route add?",
     {"N0-108", "U-02"},
     {needs::namespaces()},
     subnets},
    {"moving", "What does a link lose on its way to another namespace?", {"N1-123"}, {needs::namespaces()}, moving},
    {"sysfs", "Which links does /sys/class/net show in a new network namespace?", {"N1-146"}, {needs::namespaces()}, sysfs},
    {"own-tables",
     "Do firewall rules and ip_forward hold for all namespaces?",
     {"N0-083", "U-04"},
     {needs::namespaces(), needs::nf_tables()},
     own_tables},
    {"old-socket",
     "A process changes its network namespace. What do its open sockets see?",
     {"N1-120"},
     {needs::namespaces()},
     old_socket},
    {"ip-netns",
     "Do iproute2 and hand-made namespaces know each other?",
     {"N0-134", "N1-116", "N1-117", "N1-118", "N1-120"},
     {needs::root(), needs::program("ip", "iproute2")},
     ip_netns},
};

}  // namespace drydock::chapter::net

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main({.number = 5,
                                 .name = "net",
                                 .idea = "a network of one's own: empty, lo down, and every port free",
                                 .story = net::story,
                                 .needs = {needs::namespaces()},
                                 .experiments = net::experiments,
                                 .not_shown = {{"N0-092", "it points to an article; there is nothing to observe"}}},
                                argc, argv);
}
