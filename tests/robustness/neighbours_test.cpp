// Many containers at once on one host, and two hosts on one machine.
#include <sched.h>

#include <set>
#include <stdexcept>

#include <drydock/network/links.hpp>
#include <drydock/network/messages.hpp>

#include "container/launches.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// A second host beside the first for as long as it is in scope: only the network namespace differs.
class Elsewhere {
 public:
  Elsewhere() : before_(sys::open("/proc/self/ns/net", 0)) {
    if (::unshare(CLONE_NEWNET) != 0) throw std::runtime_error("unshare(CLONE_NEWNET)");
    network::Netlink(NETLINK_ROUTE).send(network::link_up("lo").bytes);
  }
  ~Elsewhere() { (void)::setns(before_.get(), CLONE_NEWNET); }
  Elsewhere(const Elsewhere&) = delete;

 private:
  Fd before_;
};

}  // namespace

TEST_CASE("fifty containers started at once: all addresses differ, all go", "[robustness][neighbours]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  constexpr int count = 50;
  std::vector<Program> starts;
  for (int index = 0; index < count; ++index)
    starts.push_back(host.start({"run", "-d", "--rm", "--name", "many" + std::to_string(index), "busybox", "sleep", "1000"}));
  for (Program& start : starts) {
    const Result result = start.wait();
    INFO(result.seen());
    CHECK(result.code == 0);
  }
  std::set<std::string> addresses;
  for (const container::Record& record : host.engine().list(false)) addresses.insert(record.address);
  CHECK(addresses.size() == count);
  CHECK_FALSE(addresses.contains(""));
  Words all{"rm", "-f"};
  for (int index = 0; index < count; ++index) all.push_back("many" + std::to_string(index));
  CHECK(host.drydock(all).code == 0);
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("fifty foreground runs at once end with their own status", "[robustness][neighbours]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  std::vector<Program> starts;
  for (int index = 0; index < 50; ++index)
    starts.push_back(host.start({"run", "--rm", "busybox", "sh", "-c", "exit " + std::to_string(index)}));
  for (int index = 0; index < 50; ++index) {
    const Result result = starts[static_cast<std::size_t>(index)].wait();
    INFO(result.seen());
    CHECK(result.code == index);
  }
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("of two containers that want one name, one gets it", "[robustness][neighbours]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (int round = 0; round < 10; ++round) {
    Program one = host.start({"run", "-d", "--name", "wanted", "busybox", "sleep", "1000"});
    Program other = host.start({"run", "-d", "--name", "wanted", "busybox", "sleep", "1000"});
    const Result first = one.wait(), second = other.wait();
    INFO(first.seen() << second.seen());
    CHECK(((first.code == 0 && second.code == 125) || (first.code == 125 && second.code == 0)));
    CHECK((first.err + second.err).find("wanted") != std::string::npos);
    CHECK(host.drydock({"rm", "-f", "wanted"}).code == 0);
  }
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("two hosts on one machine share neither pool nor ledgers, but the image store", "[robustness][neighbours]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(host.drydock({"run", "-d", "--name", "here", "busybox", "sleep", "1000"}).code == 0);
  {
    // Same /run and same images, another network namespace.
    const Elsewhere elsewhere;
    const Result run = host.drydock({"run", "-d", "--name", "here", "busybox", "sleep", "1000"});
    INFO(run.seen());
    CHECK(run.code == 0);
    CHECK(host.record("here").address == "172.29.0.2");
    CHECK(host.engine().list(true).size() == 1);
    CHECK(host.drydock({"reset", "--all"}).code == 0);
    CHECK(host.engine().list(true).empty());
    CHECK(eventually([&] { return network::links().size() == 1; }));
    const Result remove = host.drydock({"image", "rm", "busybox"});  // the store is the machine's
    INFO(remove.seen());
    CHECK(remove.code != 0);
    CHECK(remove.err.find("container here uses it") != std::string::npos);
  }
  CHECK(host.record("here").address == "172.29.0.2");
  CHECK(host.drydock({"exec", "here", "true"}).code == 0);
  CHECK(host.drydock({"rm", "-f", "here"}).code == 0);
  CHECK(host.leftovers(3000) == nothing);
}
