// Containers of an ordinary user: what is there, what is said to be missing, and that nothing is left.
#include <signal.h>

#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"
#include "container/processes.hpp"
#include "container/user.hpp"

using namespace drydock;
using namespace drydock::test;

TEST_CASE("without root: own ids, processes, name, mounts and network", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock({"run", "--rm", "--hostname", "dock", "busybox", "sh", "-c",
                                   "id -u; echo pid $$; hostname; cat /proc/self/uid_map; ls /sys/class/net; touch /new && rm /etc/passwd && echo written"});
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK(run.out.starts_with("0\npid 1\ndock\n"));
  CHECK(has(run.out, "0      65534          1\nlo\n"));
  CHECK(has(run.out, "written"));
  CHECK(has(run.err, "without root there is no bridge"));
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: detached, exec, logs, stop, rm", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  REQUIRE(user.drydock({"run", "-d", "--network", "none", "--name", "box", "busybox", "sh", "-c", "echo hello; exec sleep 100"}).code == 0);
  CHECK(has(user.drydock({"ps"}).out, "box"));
  CHECK(user.drydock({"exec", "box", "sh", "-c", "test $(id -u) = 0 && exit 9"}).code == 9);
  CHECK(eventually([&] { return user.drydock({"logs", "box"}).out == "hello\n"; }));
  CHECK(user.drydock({"stop", "-t", "0", "box"}).code == 0);
  CHECK(user.drydock({"rm", "box"}).code == 0);
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a directory of one's own, the host's network, a read-only root", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result bind = user.drydock({"run", "--rm", "--network", "none", "-v", user.home() + ":/home", "busybox", "sh", "-c", "echo seen > /home/note"});
  INFO(bind.seen());
  CHECK(bind.code == 0);
  CHECK(sys::read_file(user.home() + "/note") == "seen\n");
  const auto owner = sys::lstat(user.home() + "/note");
  CHECK((owner && owner->st_uid == User::id));
  const Result shared = user.drydock({"run", "--rm", "--network", "host", "busybox", "readlink", "/proc/self/ns/net"});
  INFO(shared.seen());
  CHECK(shared.out == sys::readlink("/proc/self/ns/net") + "\n");
  CHECK(user.drydock({"run", "--rm", "--network", "none", "--read-only", "busybox", "touch", "/new"}).code == 1);
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a killed caller and a killed monitor leave nothing", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Words words{"run", "--rm", "--network", "none", "busybox", "sleep", "100"};
  for (const bool monitor : {false, true}) {
    Program run = user.start(words);
    REQUIRE(eventually([&] { return has(user.drydock({"ps"}).out, "sleep"); }));
    if (monitor)
      for (const pid_t child : children_of(run.pid())) ::kill(child, SIGKILL);
    run.signal(SIGKILL);
    run.wait();
    if (monitor) CHECK(user.drydock({"reset"}).code == 0);
    INFO((monitor ? "monitor" : "caller"));
    CHECK(eventually([&] { return user.left().empty(); }, 1000));
    CHECK(host.leftovers() == nothing);
  }
}
