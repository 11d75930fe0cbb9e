// Chapter 10: a cable and a switch. How a container is reached, and how it reaches others.
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/buffers.hpp"
#include "experiments/kinds.hpp"
#include "experiments/machine.hpp"
#include "experiments/server.hpp"
#include "shared/chapter.hpp"
#include "shared/payload.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  tell.question(
      "a container is called 172.29.0.2, an address that nobody outside its host has ever heard of. It calls a machine out "
      "there; that machine calls it. Which addresses do the two see?");
  tell.step(
      "on a host that is played: a bridge, a veth pair from it into the container, an address, a default route; execve(\"cat\")");
  Payload payload(tell, sketch_of(10, request_of_this_user()));
  const pid_t monitor = payload.launch().monitor();
  const Machine host(monitor), container(payload.pid());
  tell.show("net namespace", Sides{id_of(monitor, Kind::net), id_of(payload.pid(), Kind::net)}, differ());
  tell.show("its link", Sides{host.at([] { return has_link("drydock0") ? "drydock0" : "none"; }), container.at([] {
                                return has_link("eth0") ? "eth0" : "none";
                              })},
            are("drydock0", "eth0"));
  tell.show("address of the link",
            Sides{host.at([] { return addresses_of("drydock0"); }), container.at([] { return addresses_of("eth0"); })},
            are("172.29.0.1/16", "172.29.0.2/16"));
  tell.show("all other packets go to", Sides{host.at(gateway), container.at(gateway)}, are("none", "172.29.0.1"));
  tell.show("ping 172.29.0.1, by the container", container.at([] { return ping("172.29.0.1"); }), is("it succeeds"));
  tell.step("a machine outside, 198.51.100.7, on a cable to the host, 198.51.100.1. It knows nothing of 172.29.0.0/16");
  const World world(monitor);
  const Machine outside(world);
  must("lo", host.at(network::link_up("lo")));
  cable({.machine = host, .link = "uplink", .address = "198.51.100.1"},
        {.machine = outside, .link = "eth0", .address = "198.51.100.7"});
  const Child elsewhere = serve(outside, "0.0.0.0", 80, "outside"), web = serve(container, "0.0.0.0", 80, "web");
  tell.show("container to 198.51.100.7:80", container.at([] { return hear("198.51.100.7", 80); }),
            is("outside hears 198.51.100.1"));
  tell.show("outside to 172.29.0.2:80", outside.at([] { return hear("172.29.0.2", 80); }), contains("ENETUNREACH"));
  tell.show("outside to 198.51.100.1:8080", outside.at([] { return hear("198.51.100.1", 8080); }), is("web hears 198.51.100.7"));
  tell.show("host to 127.0.0.1:8080", host.at([] { return hear("127.0.0.1", 8080); }), is("web hears 172.29.0.1"));
  tell.show("exit status of cat", payload.end(), is(0));
  tell.result(
      "inside, a cable to a switch. Beyond the host, its address stands for all: who leaves borrows it, who comes in asks for "
      "a port.");
}

const std::vector<Experiment> experiments = {
    {"by-hand",
     "The notes give a container its network by hand. What is wrong with it, and what is missing?",
     {"N0-121", "N0-124", "N0-125", "N0-126", "N0-127", "N0-128", "N0-129", "N0-130", "N0-131", "N0-132", "E-114", "U-17"},
     {needs::namespaces(), needs::nf_tables()},
     by_hand},
    {"default-bridge",
     "What does a container of the default network consist of, on both sides?",
     {"N0-084", "N0-107", "N0-112", "N0-113", "N0-114", "N0-116", "N1-087", "E-110"},
     {needs::namespaces(), needs::nf_tables()},
     default_bridge},
    {"connected-route",
     "The host gains a route when there is a bridge. Who adds it, and when does it work?",
     {"N1-089", "N1-090", "E-123", "U-16"},
     {needs::namespaces()},
     connected_route},
    {"made-when", "When is the bridge made?", {"N2-052", "E-128"}, {needs::namespaces(), needs::nf_tables()}, made_when},
    {"second-bridge",
     "Two bridges on one host. Who reaches whom?",
     {"N1-092", "N1-093", "N1-099", "N3-053", "N3-055", "N3-058"},
     {needs::namespaces(), needs::nf_tables()},
     second_bridge},
    {"live",
     "Must a container stop before its network can be changed?",
     {"N1-095", "N1-096", "N1-100", "N1-101", "E-124"},
     {needs::namespaces(), needs::nf_tables()},
     live},
    {"leaving",
     "What must the host do so that a container reaches the outside?",
     {"N1-102", "N1-103", "E-120"},
     {needs::namespaces(), needs::nf_tables()},
     leaving},
    {"open-router",
     "iptables -P FORWARD ACCEPT: what does it open?",
     {"N1-104", "E-121"},
     {needs::namespaces(), needs::nf_tables()},
     open_router},
    {"published",
     "A port is published. Who reaches it, and by which address is the caller seen?",
     {"N0-057", "N0-058", "N0-059"},
     {needs::namespaces(), needs::nf_tables()},
     published},
    {"hairpin",
     "A container calls its own published port. Does the answer arrive?",
     {},
     {needs::namespaces(), needs::nf_tables()},
     hairpin},
    {"same-buffer",
     "What goes through a veth pair: a copy of the packet?",
     {"N0-109", "E-111"},
     {needs::namespaces(), trace_points()},
     same_buffer},
    {"kernel-forwards",
     "Who passes the packets on: drivers of Docker, the runtime, or the kernel?",
     {"N3-051", "E-127"},
     {needs::namespaces(), needs::nf_tables()},
     kernel_forwards},
    {"modes",
     "--network has four values, say the notes. What does a container have with each?",
     {"N0-115", "N0-116", "N0-120", "N1-091", "N2-049", "N3-060", "E-119"},
     {needs::namespaces(), needs::nf_tables()},
     modes},
    {"container-id",
     "Two containers share a network. What else?",
     {"N0-119"},
     {needs::controller("pids"), needs::nf_tables()},
     shared},
    {"host-mode",
     "--network host: what of the host lies open to a container?",
     {"N0-117", "N1-113", "E-117", "U-15"},
     {needs::namespaces(), needs::nf_tables()},
     host_mode},
    {"endpoints",
     "What is an endpoint, and has every container one?",
     {"N3-052", "E-127"},
     {needs::namespaces(), needs::nf_tables(), link_kind("macvlan")},
     endpoints},
    {"inspect",
     "Where would one read off what docker network inspect shows?",
     {"N1-094"},
     {needs::namespaces(), needs::nf_tables()},
     inspected},
    {"names",
     "Which containers find each other by name?",
     {"N0-062", "N1-097", "N1-098", "N3-054", "E-125", "E-126", "U-37"},
     {needs::namespaces()},
     names},
    {"run-exec", "docker run exec: what happens?", {"N0-062", "E-083"}, {needs::namespaces(), needs::nf_tables()}, run_exec},
    {"macvlan",
     "A container with a MAC of its own on the LAN. Who reaches it?",
     {"N1-115", "E-131", "U-15"},
     {needs::namespaces(), link_kind("macvlan")},
     macvlan},
    {"vxlan",
     "Two containers on two hosts are on one bridge. What passes between the hosts?",
     {"U-15"},
     {needs::namespaces(), link_kind("vxlan")},
     vxlan},
    {"symlink",
     "The notes make a symbolic link to /proc/PID/ns/net. What does it do, and what remains of it?",
     {"N0-123", "N0-133", "E-112", "U-17"},
     {needs::namespaces()},
     symlink},
    {"old-tools",
     "ifconfig and brctl: what do they not show?",
     {"N0-126", "N2-053", "E-116", "E-132"},
     {needs::namespaces()},
     old_tools},
    {"by-guess",
     "An address is chosen by hand. Who else may get it?",
     {"N0-131", "E-115"},
     {needs::namespaces(), needs::nf_tables()},
     by_guess},
    {"wide-subnet",
     "A network of 192.168.0.0/16: what does the host lose by it?",
     {"N3-059", "E-129"},
     {needs::namespaces(), needs::nf_tables()},
     wide_subnet},
    {"daemon-json",
     "The notes configure the default bridge in daemon.json. What does the kernel say to these values?",
     {"N1-105", "N1-106", "N1-107", "N1-108", "N1-109", "N1-110", "N1-111", "E-122"},
     {needs::namespaces(), needs::nf_tables(), needs::readable("/proc/sys/net/ipv6/conf/all/disable_ipv6")},
     daemon_json},
};

}  // namespace drydock::chapter::veth_bridge

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main(
      {.number = 10,
       .name = "veth-bridge",
       .idea = "a cable to a switch inside the host, and one address that stands for all",
       .story = veth_bridge::story,
       .needs = {needs::namespaces(), needs::nf_tables()},
       .experiments = veth_bridge::experiments,
       .not_shown = {{"N1-086", "three headings without a sentence below them"},
                     {"N3-050",
                      "the lowest layer of a picture: infrastructure and the kernel's stack. kernel-forwards shows what the "
                      "layers above leave to it"}}},
      argc, argv);
}
