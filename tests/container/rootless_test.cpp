// Containers of an ordinary user: what is there, what is said to be missing, and that nothing is left.
#include <signal.h>

#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"
#include "container/processes.hpp"
#include "container/sockets.hpp"
#include "container/user.hpp"

using namespace drydock;
using namespace drydock::test;

TEST_CASE("without root: own ids, processes, name, mounts and network", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock(
      {"run", "--rm", "--hostname", "dock", "busybox", "sh", "-c",
       "id -u; echo pid $$; hostname; cat /proc/self/uid_map; ls /sys/class/net; touch /new && rm /etc/passwd && echo written"});
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK(run.out.starts_with("0\npid 1\ndock\n"));
  CHECK(has(run.out, "0      65534          1\neth0\nlo\n"));
  CHECK(has(run.out, "written"));
  CHECK(has(run.err, "without root there is no bridge"));
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: detached, exec, logs, stop, rm", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  REQUIRE(user.drydock({"run", "-d", "--network", "none", "--name", "box", "busybox", "sh", "-c", "echo hello; exec sleep 100"})
              .code == 0);
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
  const Result bind = user.drydock(
      {"run", "--rm", "--network", "none", "-v", user.home() + ":/home", "busybox", "sh", "-c", "echo seen > /home/note"});
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

namespace {

const Words web{"run", "-d", "--name", "web", "-p", "18090:80", "busybox", "httpd", "-f", "-p", "80", "-h", "/www"};

}  // namespace

TEST_CASE("without root: slirp4netns gives a way out, published ports a way in", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock(web);
  INFO(run.seen());
  REQUIRE(run.code == 0);
  CHECK(answers("127.0.0.1", 18090));
  CHECK(answers("::1", 18090));
  CHECK(has(user.drydock({"inspect", "web"}).out, "\"10.0.2.100\""));
  CHECK(has(user.drydock({"exec", "web", "ip", "-4", "addr", "show", "eth0"}).out, "inet 10.0.2.100/"));
  CHECK(has(user.drydock({"exec", "web", "cat", "/etc/hosts"}).out, "10.0.2.100\t"));
  // Out through slirp4netns and back in through the port: the host's own address is one of many. Its loopback is nobody's.
  REQUIRE(Program({"/sbin/ip", "address", "add", "192.0.2.9/32", "dev", "lo"}, {}, {}).wait().code == 0);
  const Result out = user.drydock({"exec", "web", "sh", "-c",
                                   "wget -q -O - http://192.0.2.9:18090/; for a in 192.0.2.9 10.0.2.2; do nc -w 2 $a 18090 "
                                   "</dev/null && echo reached $a; done; true"});
  INFO(out.seen());
  CHECK(has(out.out, greeting));
  CHECK(out.out.ends_with("reached 192.0.2.9\n"));
  const Result second = user.drydock({"run", "--rm", "-p", "18090:80", "busybox", "true"});
  CHECK(second.code == 125);
  CHECK(has(second.err, "another program listens on that port"));
  CHECK(user.drydock({"rm", "-f", "web"}).code == 0);
  CHECK(fetch("127.0.0.1", 18090).empty());
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a published UDP port is a way in too", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock({"run", "-d", "--name", "names", "-p", "15353:53/udp", "busybox", "sleep", "1000"});
  INFO(run.seen());
  REQUIRE(run.code == 0);
  {
    const std::string record = user.drydock({"inspect", "names"}).out;
    const Fd server = datagram_server(std::stoi(record.substr(record.find("\"pid\": ") + 7)), 53);
    REQUIRE(server);
    CHECK(datagrams_pass("127.0.0.1", 15353, server));
    CHECK(datagrams_pass("::1", 15353, server));
  }
  CHECK(user.drydock({"rm", "-f", "names"}).code == 0);
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a port on an IPv6 address is published there and nowhere else", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock(
      {"run", "-d", "--name", "six", "-p", "[::1]:18096:80", "busybox", "httpd", "-f", "-p", "80", "-h", "/www"});
  INFO(run.seen());
  REQUIRE(run.code == 0);
  CHECK(answers("::1", 18096));
  CHECK(fetch("127.0.0.1", 18096).empty());
  CHECK(user.drydock({"rm", "-f", "six"}).code == 0);
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: the carrier of packets is a step of the plan, and --trace saw it", "[container][rootless][plan]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result plan = user.drydock({"run", "--plan", "--network", "slirp4netns", "-p", "80:80", "busybox", "true"});
  INFO(plan.seen());
  CHECK(has(plan.out, "start_helper(\"/usr/bin/slirp4netns\", <child>"));
  CHECK(has(plan.out, "setns(<child_fd>, CLONE_NEWNET)"));
  const std::string trace = user.home() + "/trace";
  REQUIRE(user.drydock({"run", "--rm", "--trace", trace, "busybox", "true"}).code == 0);
  CHECK(has(sys::read_file(trace), "\"net.slirp\""));
  // As root it is a choice.
  const Result root = host.drydock({"run", "--rm", "--network", "slirp4netns", "busybox", "ip", "-4", "addr", "show", "eth0"});
  INFO(root.seen());
  CHECK(has(root.out, "inet 10.0.2.100/"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a helper that ends before it is ready is the reason, in its own words", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Words words{"run", "--rm", "--network", "slirp4netns", "busybox", "true"};
  host.cover("/dev/net/tun", "/dev/null");
  const Result broken = host.drydock(words);
  INFO(broken.seen());
  CHECK(one_message(broken, 125));
  CHECK(has(broken.err, "step net.slirp: start_helper"));
  CHECK(has(broken.err, "slirp4netns says: "));
  host.cover("/usr/bin/slirp4netns", "/dev/null");
  const Result absent = host.drydock(words);
  INFO(absent.seen());
  CHECK(one_message(absent, 125));
  CHECK(has(absent.err, "sudo apt-get install slirp4netns"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: what slirp4netns cannot do, and what its absence costs, is said with the remedy",
          "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Words tail{"busybox", "ls", "/sys/class/net"};
  const auto refused = [&](const Words& options, const std::string& word) {
    Words words{"run", "--rm"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), tail.begin(), tail.end());
    const Result run = user.drydock(words);
    INFO(run.seen());
    CHECK(one_message(run, 125));
    CHECK(has(run.err, word));
  };
  refused({"--ip", "172.29.0.9"}, "the bridge needs root");
  host.cover("/usr/bin/slirp4netns", "/dev/null");
  refused({"-p", "18091:80"}, "sudo apt-get install slirp4netns");
  refused({"--network", "slirp4netns"}, "sudo apt-get install slirp4netns");
  const Result alone = user.drydock({"run", "--rm", "busybox", "ls", "/sys/class/net"});
  INFO(alone.seen());
  CHECK(alone.out == "lo\n");
  CHECK(has(alone.err, "sudo apt-get install slirp4netns"));
  CHECK(user.left() == nothing);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: files of other ids in a container are removed with it", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  user.grant_ids();
  const std::string script =
      "mkdir -m 700 /theirs && touch /theirs/one && chown -R 33:33 /theirs && cat /proc/self/uid_map; ls -ln / | grep theirs";
  const Result once = user.drydock({"run", "--rm", "busybox", "sh", "-c", script});
  INFO(once.seen());
  CHECK(once.code == 0);
  CHECK(has(once.out, "1     300000      65536"));
  CHECK(has(once.out, " 33 "));
  CHECK(user.left() == nothing);
  const auto keep = [&] {
    REQUIRE(user.drydock({"run", "-d", "--name", "box", "busybox", "sh", "-c", script + "; exec sleep 100"}).code == 0);
  };
  keep();
  CHECK(eventually([&] { return has(user.drydock({"logs", "box"}).out, "theirs"); }));
  CHECK(user.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(user.left() == nothing);
  keep();
  CHECK(eventually([&] { return has(user.drydock({"logs", "box"}).out, "theirs"); }));
  for (const auto& [pid, name] : descendants())
    if (name == "drydock-monitor") ::kill(pid, SIGKILL);
  CHECK(user.drydock({"reset", "--all"}).code == 0);
  CHECK(eventually([&] { return user.left().empty(); }, 1000));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("without root: a killed caller and a killed monitor leave nothing", "[container][rootless]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Words words{"run", "--rm", "-p", "18092:80", "busybox", "sleep", "100"};  // with helper and proxy
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
