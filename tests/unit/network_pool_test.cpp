// The pool's logic, in a directory of its own. Links play no part here: names are drawn at random, so none of them exists.
#include <drydock/network/pool.hpp>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/shared_network.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"

using namespace drydock;
using namespace drydock::network;

namespace {

struct Directory {
  std::string path = "/tmp/drydock-pool-" + sys::random_hex(8);
  Directory() { sys::mkdirs(path + "/ledgers", 0700); }
  ~Directory() { sys::remove_tree(path); }
};

Pool pool_in(const Directory& directory, const char* subnet = "172.29.0.0/16") {
  BridgeConfig config;
  config.subnet = Subnet::parse(subnet);
  return Pool(Pool::HostDirectory{directory.path}, config);
}

std::string link() {
  return "drydock" + sys::random_hex(8);
}

// Leases in a process that ends at once, as a command that was killed.
void lease_and_die(Pool& pool, const std::string& id) {
  const pid_t child = test::forked();
  if (child == 0) {
    try {
      pool.lease(id, link());
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

std::string refusal(Pool& pool, const std::string& id, const char* wanted) {
  try {
    pool.lease(id, link(), Ipv4::parse(wanted));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("addresses are given in turn, beginning behind the gateway", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  CHECK(pool.idle());
  CHECK(pool.lease("a", link()).text() == "172.29.0.2");
  CHECK(pool.lease("b", link()).text() == "172.29.0.3");
  CHECK_FALSE(pool.idle());
}

TEST_CASE("an ended lease without a link is free, but not the next to be given", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  pool.lease("a", link());
  pool.end("a");
  pool.end("unknown");
  CHECK(pool.idle());
  CHECK(pool.lease("b", link()).text() == "172.29.0.3");
  CHECK(pool.lease("c", link(), Ipv4::parse("172.29.0.2")).text() == "172.29.0.2");
}

TEST_CASE("the lease of a dead process is free", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  lease_and_die(pool, "dead");
  CHECK(pool.idle());
}

TEST_CASE("a ledger keeps the address of a container whose starter has gone", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  sys::replace_file(directory.path + "/ledgers/kept", "");
  lease_and_die(pool, "kept");
  CHECK_FALSE(pool.idle());
  CHECK(refusal(pool, "other", "172.29.0.2").find("container kept has it") != std::string::npos);
  pool.end("kept");  // it has exited; its ledger stays until it is removed
  CHECK(pool.idle());
}

TEST_CASE("wanted addresses are checked", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  CHECK(refusal(pool, "a", "10.0.0.1").find("not in the subnet 172.29.0.0/16") != std::string::npos);
  for (const char* reserved : {"172.29.0.0", "172.29.0.1", "172.29.255.255"})
    CHECK(refusal(pool, "a", reserved).find("belongs to the network itself") != std::string::npos);
  CHECK(refusal(pool, "a", "172.29.7.7").empty());
  CHECK(refusal(pool, "b", "172.29.7.7").find("container a has it") != std::string::npos);
}

TEST_CASE("a small pool is used up to its last address and then refuses", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory, "10.9.8.0/29");
  std::set<std::string> given;
  for (int i = 0; i < 5; ++i) given.insert(pool.lease("c" + std::to_string(i), link()).text());
  CHECK(given == std::set<std::string>{"10.9.8.2", "10.9.8.3", "10.9.8.4", "10.9.8.5", "10.9.8.6"});
  try {
    pool.lease("one too many", link());
    FAIL("six addresses out of five");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("all of its 5 addresses are in use") != std::string::npos);
  }
  pool.end("c3");
  CHECK(pool.lease("again", link()).text() == "10.9.8.5");
}

TEST_CASE("the file does not grow with the number of starts", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  for (int i = 0; i < 200; ++i) {
    const std::string id = "c" + std::to_string(i);
    pool.lease(id, link());
    pool.end(id);
  }
  CHECK(sys::lstat(pool.path())->st_size <= 128 * 8);
}

TEST_CASE("another subnet is refused while containers run, and not confused with ours", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  pool.lease("a", link());
  Pool other = pool_in(directory, "10.9.8.0/24");
  CHECK(refusal(other, "b", "10.9.8.7").find("still run on this host") != std::string::npos);
}

TEST_CASE("ids and names that do not fit are refused, not cut", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  CHECK_THROWS_AS(pool.lease(std::string(72, 'x'), link()), Error);
  CHECK_THROWS_AS(pool.lease("a", "a-name-of-sixteen"), Error);
  CHECK(pool.idle());
}

TEST_CASE("a file that is no pool is begun anew", "[network]") {
  const Directory directory;
  Pool pool = pool_in(directory);
  sys::replace_file(pool.path(), "not a pool");
  CHECK(pool.idle());
  CHECK(pool.lease("a", link()).text() == "172.29.0.2");
}

TEST_CASE("a process lives by pid and start time, and a zombie does not", "[network]") {
  using plan::executor::process_lives;
  const auto start = sys::start_time(sys::getpid());
  REQUIRE(start);
  CHECK(process_lives(sys::getpid(), *start));
  CHECK_FALSE(process_lives(sys::getpid(), *start + 1));
  const pid_t child = test::forked();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto child_start = sys::start_time(child);
  REQUIRE(child_start);
  CHECK(process_lives(child, *child_start));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(process_lives(child, *child_start));
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("the key of a host is stable", "[network]") {
  CHECK(host_key() == host_key());
  CHECK(host_key().starts_with("net-"));
}
