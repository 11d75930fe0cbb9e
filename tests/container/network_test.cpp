// Acceptance item 4: containers reach each other, the host reaches published ports, and each network mode shares what it says.

#include <drydock/kernel/sys.hpp>
#include <drydock/network/subnet.hpp>

#include "container/look.hpp"
#include "container/sockets.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

std::string gateway() {
  return network::BridgeConfig{}.subnet.address(1).text();
}

}  // namespace

TEST_CASE("two containers on the bridge reach each other by address", "[container][network][N0-061]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto server = detached(host, "server", serve);
  REQUIRE(answers(server.address, 80));  // the host stands on the bridge too
  const Result client = in_container(host, "ping -c 1 -W 2 " + server.address + " >&2; wget -q -O - http://" + server.address + "/");
  INFO(client.seen());
  CHECK(has(client.out, greeting));
  CHECK(has(client.err, "1 packets received"));
  CHECK(namespace_of(server.pid, "net") != namespace_of(0, "net"));
  CHECK(host.drydock({"rm", "-f", "server"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a published port answers on loopback, v4 and v6, and on the bridge address", "[container][network][N0-059][N3-022]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto web = detached(host, "web", serve, {"-p", "18080:80"});
  CHECK(answers("127.0.0.1", 18080));
  CHECK(answers("::1", 18080));
  CHECK(answers(gateway(), 18080));
  CHECK(answers(web.address, 80));
  const Result neighbour = in_container(host, "wget -q -O - http://" + gateway() + ":18080/");
  INFO(neighbour.seen());
  CHECK(has(neighbour.out, greeting));
  CHECK(host.drydock({"rm", "-f", "web"}).code == 0);
  CHECK(fetch("127.0.0.1", 18080).empty());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a published UDP port answers on loopback, v4 and v6, and on the bridge address", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto names = detached(host, "names", "exec sleep 1000", {"-p", "15353:53/udp"});
  {
    const Fd server = datagram_server(names.pid, 53);
    REQUIRE(server);
    CHECK(datagrams_pass("127.0.0.1", 15353, server));
    CHECK(datagrams_pass("127.9.9.9", 15353, server));
    CHECK(datagrams_pass("::1", 15353, server));
    CHECK(datagrams_pass(gateway(), 15353, server));
  }
  const Result taken = host.drydock({"run", "--rm", "-p", "15353:53/udp", "busybox", "true"});
  CHECK(taken.code == 125);
  CHECK(has(taken.err, "another program listens on that port"));
  CHECK(host.drydock({"run", "--rm", "-p", "15353:80", "busybox", "true"}).code == 0);  // TCP is another port
  CHECK(host.drydock({"rm", "-f", "names"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a port published on one address answers there only, and its number may be left to us", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "web", serve, {"-p", "127.0.0.1:18081:80", "-p", "80"});
  CHECK(answers("127.0.0.1", 18081));
  CHECK(fetch("::1", 18081).empty());
  CHECK(fetch(gateway(), 18081).empty());
  const auto ports = host.record("web").spec.network.ports;
  REQUIRE(ports.size() == 2);
  REQUIRE(ports[1].host_port != 0);
  CHECK(answers("127.0.0.1", ports[1].host_port));
  CHECK(host.drydock({"rm", "-f", "web"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a service on the host's loopback is out of a container's reach", "[container][network][CVE-2020-8558]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Fd secret = listener("127.0.0.1", 18082);
  REQUIRE(secret);
  detached(host, "web", serve, {"-p", "18083:80"});  // with the rules for published ports in place
  REQUIRE(answers("127.0.0.1", 18083));
  const Result spy = in_container(host,
                                  "ip route add 127.0.0.2/32 via " + gateway() + " 2>/dev/null; for a in " + gateway() +
                                      " 127.0.0.1 127.0.0.2; do nc -w 1 $a 18082 < /dev/null && echo reached $a; done; nc -w 1 " + gateway() +
                                      " 18083 < /dev/null && echo published",
                                  {"--cap-add", "NET_ADMIN"});
  INFO(spy.seen());
  CHECK(spy.out == "published\n");
  CHECK(host.drydock({"rm", "-f", "web"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a port that is in use is refused, whoever uses it", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  {
    const Fd taken = listener("0.0.0.0", 18084);
    REQUIRE(taken);
    const Result run = in_container(host, "echo runs", {"-p", "18084:80"});
    INFO(run.seen());
    CHECK(one_message(run, 125));
    CHECK(has(run.err, "18084"));
    CHECK(has(run.err, "another program listens on that port"));
    CHECK(has(run.err, "-p"));
  }
  detached(host, "web", serve, {"-p", "18084:80"});
  const Result second = in_container(host, "echo runs", {"-p", "18084:80"});
  INFO(second.seen());
  CHECK(one_message(second, 125));
  CHECK(answers("127.0.0.1", 18084));  // the first one is untouched
  CHECK(host.drydock({"rm", "-f", "web"}).code == 0);
  CHECK(in_container(host, "echo runs", {"-p", "18084:80"}).out == "runs\n");  // free again at once
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--network none has lo and nothing else", "[container][network][N2-050]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "ls /sys/class/net; ping -c 1 -W 1 127.0.0.1 > /dev/null && echo lo is up; ip route; wc -l < /proc/net/route",
                                  {"--network", "none"});
  INFO(run.seen());
  CHECK(run.out == "lo\nlo is up\n1\n");  // of the routes only the heading
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--network host shares the host's, which a port conflict shows", "[container][network][N2-051]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Fd taken = listener("0.0.0.0", 18085);
  REQUIRE(taken);
  const Result run = in_container(host, "readlink /proc/self/ns/net; httpd -f -p 18085", {"--network", "host"});
  INFO(run.seen());
  CHECK(run.out == namespace_of(0, "net") + "\n");
  CHECK(has(run.err, "Address already in use"));
  CHECK(run.code != 0);
  const auto box = detached(host, "box", "exec sleep 100", {"--network", "host"});
  for (const char* kind : {"mnt", "pid", "uts", "ipc", "cgroup"}) {
    INFO(kind);
    CHECK(namespace_of(box.pid, kind) != namespace_of(0, kind));
  }
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--network container:NAME shares the network and nothing else", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto server = detached(host, "server", serve);
  const auto guest = detached(host, "guest", "exec sleep 100", {"--network", "container:server"});
  CHECK(namespace_of(guest.pid, "net") == namespace_of(server.pid, "net"));
  for (const char* kind : {"mnt", "pid", "uts", "ipc", "cgroup"}) {
    INFO(kind);
    CHECK(namespace_of(guest.pid, kind) != namespace_of(server.pid, kind));
    CHECK(namespace_of(guest.pid, kind) != namespace_of(0, kind));
  }
  CHECK(guest.address.empty());
  const Result client = in_container(host, "wget -q -O - http://127.0.0.1/", {"--network", "container:" + server.id.substr(0, 12)});
  INFO(client.seen());
  CHECK(has(client.out, greeting));
  // The owner's end leaves the guest what it holds; nobody new can come in.
  CHECK(host.drydock({"rm", "-f", "server"}).code == 0);
  CHECK(host.drydock({"exec", "guest", "ip", "link", "show", "lo"}).code == 0);
  const Result late = in_container(host, "true", {"--network", "container:server"});
  CHECK(one_message(late, 125));
  CHECK(has(late.err, "'server'"));
  CHECK(host.drydock({"rm", "-f", "guest"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--network container: of one that has ended is refused", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "ended", "true");
  CHECK(host.drydock({"wait", "ended"}).code == 0);
  const Result run = in_container(host, "true", {"--network", "container:ended"});
  INFO(run.seen());
  CHECK(one_message(run, 125));
  CHECK(has(run.err, "container 'ended': it is not running"));
  CHECK(host.drydock({"rm", "ended"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--ip gives that very address, once", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string wanted = network::BridgeConfig{}.subnet.address(77).text();
  const auto box = detached(host, "box", "exec sleep 100", {"--ip", wanted});
  CHECK(box.address == wanted);
  CHECK(has(host.drydock({"exec", "box", "ip", "-4", "addr", "show", "eth0"}).out, "inet " + wanted + "/"));
  for (const auto& [address, word] : {std::pair{wanted, "has it"}, std::pair{gateway(), "it belongs to the network itself"}, std::pair{std::string("10.9.9.9"), "it is not in the subnet"}}) {
    const Result run = in_container(host, "true", {"--ip", address});
    INFO(run.seen());
    CHECK(one_message(run, 125));
    CHECK(has(run.err, word));
  }
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(in_container(host, "hostname -i", {"--ip", wanted}).out == wanted + "\n");  // free again
  CHECK(host.leftovers() == nothing);
}

// The command line does not wait for the monitor, which may have the bridge to look after.
TEST_CASE("what a container had is free when its command line returns", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (int round = 0; round < 8; ++round) {
    const Result run = host.drydock({"run", "--rm", "--name", "again", "-p", "18094:80", "-p", "127.0.0.1:18095:80", "--ip", "172.29.0.77", "busybox", "true"});
    INFO("round " << round << ": " << run.seen());
    REQUIRE(run.code == 0);
  }
  CHECK(host.leftovers() == nothing);
}

// A guest holds the link, so the process that looks after the bridge stays: nobody who asks for the container waits for that one.
TEST_CASE("a container that has ended is removed at once, whoever looks after the bridge", "[container][network]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Program front = host.start({"run", "--name", "server", "busybox", "sleep", "100"});
  REQUIRE(eventually([&] { return host.drydock({"ps"}).out.find("server") != std::string::npos; }, 5000));
  REQUIRE(host.drydock({"run", "-d", "--name", "guest", "--network", "container:server", "busybox", "sleep", "100"}).code == 0);
  const std::uint64_t begin = sys::monotonic_ns();
  REQUIRE(host.drydock({"kill", "server"}).code == 0);
  CHECK(front.wait().code == 137);
  CHECK(host.drydock({"rm", "server"}).code == 0);
  CHECK(sys::monotonic_ns() - begin < 15'000'000'000);  // of the 30 s for which the bridge is looked after
  CHECK(host.drydock({"rm", "-f", "guest"}).code == 0);
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("names: /etc/hosts, /etc/hostname, /etc/resolv.conf, --dns, --add-host", "[container][network][N1-112]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "cat /etc/hostname; echo ==; cat /etc/resolv.conf; echo ==; cat /etc/hosts; echo ==; ping -c 1 -W 2 quay | head -n 1",
                                  {"--hostname", "pier", "--dns", "192.0.2.53", "--dns", "2001:db8::53", "--add-host", "quay:127.0.0.9", "--add-host", "six:2001:db8::6"});
  INFO(run.seen());
  CHECK(run.out.starts_with("pier\n==\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n"));
  CHECK(has(run.out, "127.0.0.1\tlocalhost\n"));
  CHECK(has(run.out, "127.0.0.9\tquay\n"));
  CHECK(has(run.out, "2001:db8::6\tsix\n"));
  CHECK(has(run.out, "\tpier\n==\n"));  // its own address
  CHECK(has(run.out, "PING quay (127.0.0.9)"));
  // A program may write them; the image and the next container do not see it.
  CHECK(in_container(host, "echo 127.0.0.8 mine >> /etc/hosts && grep -c mine /etc/hosts").out == "1\n");
  CHECK(in_container(host, "grep -c mine /etc/hosts").out == "0\n");
  CHECK(host.leftovers() == nothing);
}
