// The pool with real links, many callers at once, and the janitor.
#include <linux/netlink.h>

#include <chrono>
#include <set>

#include <drydock/network/pool.hpp>
#include <drydock/plan/executor/shared_network.hpp>

#include "kernel/network_world.hpp"
#include "support/patience.hpp"

using namespace drydock;
using namespace drydock::network;
using namespace drydock::test;

namespace {

struct Directory {
  std::string path = "/tmp/drydock-pool-" + sys::random_hex(8);
  Directory() { sys::mkdirs(path, 0700); }
  ~Directory() { sys::remove_tree(path); }
};

// What a monitor does at its very end, in a process of its own.
Process monitor_end(const Pool& pool, const std::string& id, int linger_ms) {
  const plan::Bytes messages = teardown(pool.config(), id);
  return Process([=, path = pool.path(), ledgers = pool.ledgers()] {
    ::_exit(plan::executor::release_network(path.c_str(), ledgers.c_str(), messages.data.data(), messages.data.size(),
                                            linger_ms, plan::executor::janitor_patience_ms) < 0);
  });
}

bool bridge_there() {
  return find_link(Netlink(NETLINK_ROUTE), "drydock0").has_value();
}

std::string forwarding() {
  return sys::read_file("/proc/sys/net/ipv4/ip_forward");
}

}  // namespace

TEST_CASE("two hosts on one machine have pools of their own", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  std::string first, second;
  on_own_host([&] { first = host_key(); });
  on_own_host([&] { second = host_key(); });
  CHECK(first != second);
  CHECK(first != host_key());
}

TEST_CASE("an address is kept for as long as its link is there", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    const Ipv4 address = pool.lease("7f3a0020", veth_name("7f3a0020"));
    bring_up(pool.config());
    Container container(pool.config(), "7f3a0020", address);
    pool.end("7f3a0020");
    CHECK_FALSE(pool.idle());
    CHECK_THROWS_AS(pool.lease("other", "drydockother", address), Error);
    CHECK_FALSE(pool.release_if_idle());
    container.kill();
    CHECK(eventually([&] { return pool.idle(); }));
    CHECK(pool.lease("other", "drydockother", address) == address);
  });
}

TEST_CASE("fifty callers at once get fifty addresses", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    int answers[2];
    REQUIRE(::pipe2(answers, O_CLOEXEC) == 0);
    std::set<std::uint32_t> given;
    {
      std::vector<std::unique_ptr<Process>> callers;
      for (int i = 0; i < 50; ++i)
        callers.push_back(std::make_unique<Process>([&, i] {
          Pool own(directory.path, BridgeConfig{});
          const std::string id = "c" + std::to_string(i);
          const Ipv4 address = own.lease(id, "drydockc" + std::to_string(i));
          if (::write(answers[1], &address.value, sizeof address.value) != sizeof address.value) ::_exit(1);
        }));
      for (int i = 0; i < 50; ++i) {
        std::uint32_t value = 0;
        REQUIRE(::read(answers[0], &value, sizeof value) == sizeof value);
        given.insert(value);
      }
      CHECK(given.size() == 50);
      CHECK_FALSE(pool.idle());
    }
    ::close(answers[0]);
    ::close(answers[1]);
    CHECK(pool.idle());
    CHECK(pool.release_if_idle());
    CHECK(sys::list_directory(pool.directory()).empty());
  });
}

TEST_CASE("the last to end takes bridge, NAT and forwarding down after a while", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    CHECK(forwarding().starts_with("0"));
    const Ipv4 one = pool.lease("7f3a0021", veth_name("7f3a0021")), two = pool.lease("7f3a0022", veth_name("7f3a0022"));
    bring_up(pool.config());
    Container first(pool.config(), "7f3a0021", one), second(pool.config(), "7f3a0022", two);

    first.kill();
    const Process early = monitor_end(pool, "7f3a0021", 100);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    CHECK(bridge_there());  // the second one still runs

    second.kill();
    const Process last = monitor_end(pool, "7f3a0022", 300);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK(bridge_there());  // it lingers: the next start finds the bridge ready
    CHECK(eventually([] { return !bridge_there(); }));
    CHECK(eventually([&] { return !sys::exists(pool.path()); }));
    CHECK(forwarding().starts_with("0"));
    CHECK_FALSE(inspect_host(pool.config()).nat_ready);
  });
}

TEST_CASE("a lease during the wait keeps everything", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    pool.lease("7f3a0023", veth_name("7f3a0023"));
    bring_up(pool.config());
    const Process last = monitor_end(pool, "7f3a0023", 300);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    pool.lease("7f3a0024", veth_name("7f3a0024"));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    CHECK(bridge_there());
    CHECK_FALSE(pool.idle());
    // and the janitor has got up: the next one may sit down
    const Process next = monitor_end(pool, "7f3a0024", 50);
    CHECK(eventually([] { return !bridge_there(); }));
  });
}

TEST_CASE("what a killed janitor left is taken down by the next command", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    pool.lease("7f3a0025", veth_name("7f3a0025"));
    bring_up(pool.config());
    {
      const Process janitor = monitor_end(pool, "7f3a0025", 60'000);
      REQUIRE(eventually([&] { return pool.idle(); }));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      CHECK_FALSE(pool.release_if_idle());  // somebody waits already
      CHECK(bridge_there());
    }
    CHECK(pool.release_if_idle());
    CHECK_FALSE(bridge_there());
    CHECK(forwarding().starts_with("0"));
    CHECK_FALSE(pool.release_if_idle());
  });
}

TEST_CASE("a bridge of the same name that is not ours survives the teardown", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    pool.lease("7f3a0026", veth_name("7f3a0026"));
    Netlink(NETLINK_ROUTE).send(create_bridge("drydock0", mac_of(*Ipv4::parse("1.2.3.4"))).bytes);
    pool.end("7f3a0026");
    CHECK(pool.release_if_idle());
    CHECK(bridge_there());
  });
}

TEST_CASE("forwarding that was on before stays on", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    sys::write_file("/proc/sys/net/ipv4/ip_forward", "1");
    Pool pool(directory.path, BridgeConfig{});
    pool.lease("7f3a0027", veth_name("7f3a0027"));
    bring_up(pool.config());
    pool.end("7f3a0027");
    CHECK(pool.release_if_idle());
    CHECK(forwarding().starts_with("1"));
  });
}

TEST_CASE("a lease is a matter of microseconds", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Directory directory;
    Pool pool(directory.path, BridgeConfig{});
    std::vector<std::uint64_t> times;
    for (int i = 0; i < 200; ++i) {
      const std::string id = "c" + std::to_string(i);
      const std::uint64_t begin = sys::monotonic_ns();
      pool.lease(id, "drydock" + std::to_string(i));
      times.push_back(sys::monotonic_ns() - begin);
      if (i % 50 != 0) pool.end(id);
    }
    std::nth_element(times.begin(), times.begin() + 100, times.end());
    INFO("median " << times[100] / 1000 << " us");
    CHECK(static_cast<double>(times[100]) < 2'000'000 * slowness() * slowness());  // typical is a tenth of a millisecond; the limit allows for a busy machine
  });
}
