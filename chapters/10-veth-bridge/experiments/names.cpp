// Names instead of addresses: what each kind of network offers.
#include <string>

#include <drydock/container/container.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/network/names.hpp>

#include "bridged.hpp"
#include "experiments.hpp"
#include "machine.hpp"
#include "resolver.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

constexpr const char* unknown = "Name or service not known";

// A host with the default bridge docker0 and the network my-net, and a name server outside that knows one name.
struct Street {
  World world;
  Machine host{world}, outside{world}, test1{world}, test2{world}, test3{world}, web{world}, db{world};
  Child outer_names;

  Street() : outer_names(connected_names()) {
    make_bridge(host, "docker0", "172.17.0.1", 16);
    make_bridge(host, "my-net", "172.30.0.1", 16);
    make_router(host);
    plug_in("docker0", test1, "172.17.0.2");
    plug_in("docker0", test2, "172.17.0.3");
    plug_in("docker0", test3, "172.17.0.4");
    plug_in("my-net", web, "172.30.0.2");
    plug_in("my-net", db, "172.30.0.3");
    set_default_route(outside, "198.51.100.1");
  }

 private:
  Child connected_names() {
    cable({.machine = host, .link = "uplink", .address = "198.51.100.1"},
          {.machine = outside, .link = "eth0", .address = "198.51.100.7"});
    return serve_names(outside, "198.51.100.7", {{"outside.example", "198.51.100.7"}});
  }
  void plug_in(const std::string& bridge, const Machine& container, const std::string& address) {
    cable({.machine = host, .link = "v" + std::to_string(container.pid()), .bridge = bridge},
          {.machine = container, .link = "eth0", .address = address, .prefix = 16});
    set_default_route(container, bridge == "docker0" ? "172.17.0.1" : "172.30.0.1");
  }
};

}  // namespace

void names(Narrator& tell) {
  tell.step("test1, test2, test3 on the default bridge; web, db on my-net. A name server outside knows outside.example");
  const Street street;
  const std::string host_file = "nameserver 198.51.100.7\n";
  const auto find = [](const Machine& machine, const char* name, const NameFiles& files) {
    return machine.at([&] { return address_of(name, files); });
  };
  tell.step("the default bridge. /etc/hosts has the container itself, /etc/resolv.conf is the host's");
  const NameFiles plain{network::hosts_file("test1", "172.17.0.2", {}), network::resolv_conf(host_file, {})};
  tell.show("resolv.conf", plain.resolv_conf.substr(0, plain.resolv_conf.find('\n')), is("nameserver 198.51.100.7"));
  tell.show("test1 looks for test1", find(street.test1, "test1", plain), is("172.17.0.2"));
  tell.show("test1 looks for outside.example", find(street.test1, "outside.example", plain), is("198.51.100.7"));
  tell.show("test1 looks for test2", find(street.test1, "test2", plain), is(unknown));
  tell.show("test1 pings 172.17.0.3", street.test1.at([] { return ping("172.17.0.3"); }), is("it succeeds"));
  tell.step("docker run --link test1 --name test2: one line more in test2's /etc/hosts");
  const NameFiles linked{network::hosts_file("test2", "172.17.0.3", {{"test1", "172.17.0.2"}}),
                         network::resolv_conf(host_file, {})};
  tell.show("does /etc/hosts name test1?", linked.hosts.find("test1") != std::string::npos, is(true));
  tell.show("test2 looks for test1", find(street.test2, "test1", linked), is("172.17.0.2"));
  tell.show("test2 pings what it found", street.test2.at([&] { return ping(address_of("test1", linked)); }), is("it succeeds"));
  tell.show("test1 looks for test2", find(street.test1, "test2", plain), is(unknown));
  tell.show("test3, not linked, pings 172.17.0.2", street.test3.at([] { return ping("172.17.0.2"); }), is("it succeeds"));
  tell.step("my-net: in each container a name server at 127.0.0.11 that knows the names of this network, as Docker's does");
  const Names members{{"web", "172.30.0.2"}, {"db", "172.30.0.3"}};
  const Child of_web = serve_names(street.web, "127.0.0.11", members), of_db = serve_names(street.db, "127.0.0.11", members);
  const NameFiles own{network::hosts_file("web", "172.30.0.2", {}), network::resolv_conf("", {"127.0.0.11"})};
  tell.show("resolv.conf", own.resolv_conf.substr(0, own.resolv_conf.find('\n')), is("nameserver 127.0.0.11"));
  tell.show("does /etc/hosts name db?", own.hosts.find("db") != std::string::npos, is(false));
  tell.show("web looks for db", find(street.web, "db", own), is("172.30.0.3"));
  tell.show("db looks for web", find(street.db, "web", own), is("172.30.0.2"));
  tell.show("web pings what it found", street.web.at([&] { return ping(address_of("db", own)); }), is("it succeeds"));
  tell.show("test1 asks 127.0.0.11 too", find(street.test1, "db", own), is_not("172.30.0.3"));
  tell.result(
      "packets go by address on every network. A name needs a line in a file (links: one direction) or a server (networks of "
      "one's own, both).");
}

void run_exec(Narrator& tell) {
  tell.step("the notes' `docker run exec test2 ping test1`, given to drydock run. Which word is the image?");
  container::Spec spec;
  spec.image = "exec";
  spec.command = {"test2", "ping", "test1"};
  const auto refusal = [&]() -> std::string {
    try {
      container::Engine().plan(spec);
      return "there is a plan";
    } catch (const Error& error) {
      const std::string words = error.what();
      return words.substr(0, words.find(':'));
    }
  };
  tell.show("what it complains about", refusal(), is("image 'exec'"));
  tell.step("docker exec test2 ping -c 1 test1, where test2 is the container of this chapter, and 172.29.0.1 answers");
  const Bridged test2(tell);
  tell.show("one echo, in it", test2.inside().at([] { return ping("172.29.0.1"); }), is("it succeeds"));
  tell.result("run makes a container from an image, exec joins one that is there. A ping without -c never ends.");
}

}  // namespace drydock::chapter::veth_bridge
