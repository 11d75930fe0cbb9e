// Somebody else's object in the way of each one that a start makes: the start fails and names it, and the object is as it was.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <memory>

#include <drydock/network/links.hpp>
#include <drydock/network/messages.hpp>

#include "container/launches.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// An object that is there before the launch. `same` looks whether it still is; `away` removes it.
struct Foreign {
  std::string what;
  int error;
  std::function<bool()> same;
  std::function<void()> away;
};

Foreign directory_at(const std::string& path) {
  sys::mkdir(path, 0711);
  const struct stat then = *sys::lstat(path);
  return {path, EEXIST,
          [=] {
            const auto now = sys::lstat(path);
            return now && now->st_ino == then.st_ino && now->st_mode == then.st_mode;
          },
          [=] { sys::rmdir(path); }};
}

Foreign file_at(const std::string& path) {
  const std::string content = "not drydock's\n";
  sys::write_all(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0640), content);
  return {path, EEXIST, [=] { return sys::read_file_if_present(path) == content; }, [=] { ::unlink(path.c_str()); }};
}

Foreign link_to(const std::string& path, const std::string& target) {
  sys::symlink(target, path);
  return {path, EEXIST, [=] { return sys::readlink(path) == target; }, [=] { ::unlink(path.c_str()); }};
}

Foreign bridge_called(const std::string& name) {
  const auto socket = std::make_shared<network::Netlink>(NETLINK_ROUTE);
  socket->send(network::create_bridge(name, network::Mac{{2, 0, 0, 0, 0, 0x77}}).bytes);
  const int index = network::find_link(*socket, name)->index;
  return {"link " + name, EEXIST,
          [=] {
            const auto link = network::find_link(*socket, name);
            return link && link->index == index && link->kind == "bridge";
          },
          [=] { socket->send(network::delete_link(name).bytes); }};
}

Foreign listener_on(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket, 1) == 0);
  return {"port " + std::to_string(port), EADDRINUSE,
          [=] {
            int listens = 0;
            socklen_t size = sizeof listens;
            return ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 1;
          },
          [=] { ::close(socket); }};
}

// Launches with the object in the way; everything else that the launch made is gone again.
void check_survives(Host& host, Prepared& prepared, const Foreign& foreign, const std::string& step) {
  const Words before = host.leftovers(0);  // the lease and the object itself
  const Attempt attempt = launch_prepared(host, prepared);
  INFO(foreign.what << ": " << (attempt.failure ? attempt.failure->what() : "it started"));
  REQUIRE(attempt.failure.has_value());
  CHECK(attempt.failure->code() == foreign.error);
  CHECK(attempt.failure->step().starts_with(step));
  CHECK_FALSE(attempt.failure->reason().empty());
  CHECK(foreign.same());
  foreign.away();
  end_lease(host, prepared.host.id);
  CHECK(host.leftovers(3000) == nothing);
}

// `make` gets what was prepared and makes the object.
void in_the_way(const std::string& step, const std::function<Foreign(Host&, const Prepared&)>& make) {
  Host host;
  Prepared prepared = prepare(host, full_container(), sys::random_hex(64));
  const Foreign foreign = make(host, prepared);
  check_survives(host, prepared, foreign, step);
}

std::string own_directory(const Host& host, const Prepared& prepared, const std::string& kind) {
  return host.data() + "/" + kind + "/" + prepared.host.id;
}

}  // namespace

TEST_CASE("a control group of the same name, in each hierarchy, survives", "[robustness][foreign]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string first = sys::random_hex(64);
  const Words groups = prepare(host, full_container(), first).made.cgroups;
  end_lease(host, first);
  REQUIRE_FALSE(groups.empty());
  for (std::size_t index = 0; index < groups.size(); ++index) {
    Prepared prepared = prepare(host, full_container(), sys::random_hex(64));
    const Foreign foreign = directory_at(prepared.made.cgroups.at(index));
    check_survives(host, prepared, foreign, "cgroup.");
  }
}

TEST_CASE("a link of the same name survives", "[robustness][foreign]") {
  DRYDOCK_NEEDS_HOST();
  in_the_way("net.veth", [](Host&, const Prepared& prepared) { return bridge_called(network::veth_name(prepared.host.id)); });
}

TEST_CASE("files of the same name survive", "[robustness][foreign]") {
  DRYDOCK_NEEDS_HOST();
  for (const std::string kind : {"upper", "work", "containers"}) {
    in_the_way("files", [&](Host& host, const Prepared& prepared) { return directory_at(own_directory(host, prepared, kind)); });
    in_the_way("files", [&](Host& host, const Prepared& prepared) { return file_at(own_directory(host, prepared, kind)); });
    // A link that leads elsewhere is not followed.
    in_the_way("files", [&](Host& host, const Prepared& prepared) { return link_to(own_directory(host, prepared, kind), host.scratch()); });
  }
}

TEST_CASE("a ledger and a name that are taken survive", "[robustness][foreign]") {
  DRYDOCK_NEEDS_HOST();
  in_the_way("ledger", [](Host&, const Prepared& prepared) { return file_at(prepared.host.ledgers + "/" + prepared.host.id); });
  in_the_way("name", [](Host&, const Prepared& prepared) {
    return link_to(prepared.host.ledgers + "/../names/swept", std::string(64, '7'));
  });
}

TEST_CASE("a port in use stays with its owner", "[robustness][foreign]") {
  DRYDOCK_NEEDS_HOST();
  in_the_way("net.listen", [](Host&, const Prepared&) { return listener_on(18099); });
}

TEST_CASE("a bridge that is not ours is named, and left alone", "[robustness][foreign]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Foreign foreign = bridge_called("drydock0");
  const Result run = host.drydock({"run", "--rm", "busybox", "true"});
  INFO(run.seen());
  CHECK(run.code == 125);
  CHECK(run.err.find("drydock0") != std::string::npos);
  CHECK(foreign.same());
  CHECK(host.leftovers(1000, {"link drydock0"}) == Words{"link drydock0"});
  foreign.away();
  CHECK(host.leftovers() == nothing);
}
