// Limits, network and published ports of an ordinary user, where systemd hands over a part of the control group tree.
#include <drydock/cgroups/delegation.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/processes.hpp"
#include "container/sockets.hpp"
#include "systemd/login.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

std::string file(const container::Record& record, const std::string& name) {
  REQUIRE(record.cgroups.size() == 1);
  std::string text = sys::read_file(record.cgroups[0] + "/" + name);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

bool runs(const std::string& name) {
  for (const auto& [pid, one] : descendants())
    if (one == name) return true;
  return Login::as_root("for f in /proc/[0-9]*/comm; do read -r c <$f; echo $c; done 2>/dev/null").out.find(name + "\n") !=
         std::string::npos;
}

}  // namespace

TEST_CASE("an ordinary user has limits, a network and a published port", "[systemd]") {
  DRYDOCK_NEEDS_LOGIN();
  Login login;
  const Result run = login.in_scope(
      {"run", "-d",  "--name", "web",      "-m",      "48m",   "--pids-limit", "20", "--cpus", "0.5", "--cpuset-cpus", "0",
       "-c",  "512", "-p",     "18095:80", "busybox", "httpd", "-f",           "-p", "80",     "-h",  "/www"});
  INFO(run.seen());
  REQUIRE(run.code == 0);
  CHECK_FALSE(has(run.err, "no effect"));
  const container::Record record = login.record("web");
  CHECK(file(record, "memory.max") == std::to_string(48 << 20));
  CHECK(file(record, "pids.max") == "20");
  CHECK(file(record, "cpu.max") == "50000 100000");
  CHECK(file(record, "cpuset.cpus") == "0");
  CHECK(file(record, "payload/cgroup.procs") == std::to_string(record.pid));
  CHECK(answers("127.0.0.1", 18095));
  CHECK(answers("::1", 18095));
  CHECK(runs("slirp4netns"));
  const Result inside = login.in_scope({"exec", "web", "sh", "-c", "ip -4 addr show eth0; id -u; cat /proc/self/uid_map"});
  INFO(inside.seen());
  CHECK(has(inside.out, "inet 10.0.2.100/"));
  CHECK(has(inside.out, "     100000      65536"));  // the account's own range
  const Result beside = login.outside({"exec", "web", "true"});
  INFO(beside.seen());
  CHECK(one_message(beside, 125));
  CHECK(has(beside.err, cgroups::remedy_no_delegation));
  CHECK(login.outside({"rm", "-f", "web"}).code == 0);
  CHECK(fetch("127.0.0.1", 18095).empty());
  CHECK(eventually([] { return !runs("slirp4netns"); }));
  CHECK(login.left() == nothing);
}

TEST_CASE("an ordinary user's memory limit kills, the process limit holds", "[systemd]") {
  DRYDOCK_NEEDS_LOGIN();
  Login login;
  const Result memory = login.in_scope({"run", "--rm", "-m", "24m", "--memory-swap", "24m", "busybox", "sh", "-c",
                                        "head -c 100m /dev/zero | tail -n 1 >/dev/null"});
  INFO(memory.seen());
  CHECK(memory.code == 137);
  const Result tasks = login.in_scope(
      {"run", "--rm", "--pids-limit", "6", "busybox", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; echo all"});
  INFO(tasks.seen());
  CHECK(has(tasks.err, "fork"));
  CHECK(login.left() == nothing);
}

TEST_CASE("a user beside the delegated part is told the command that gives limits, and it does", "[systemd]") {
  DRYDOCK_NEEDS_LOGIN();
  Login login;
  const Words words{"run", "--rm", "-m", "64m", "busybox", "true"};
  const Result run = login.outside(words);
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK(has(run.err, "--memory has no effect"));
  REQUIRE(has(run.err, cgroups::remedy_no_delegation));
  CHECK(has(login.outside({"doctor"}).out, cgroups::remedy_no_delegation));
  std::string script = std::string(cgroups::remedy_no_delegation).substr(0, std::string(cgroups::remedy_no_delegation).find(','));
  std::string command;
  for (const std::string& word : login.drydock(words)) command += word + " ";
  const Result better = login.as_user({"/bin/sh", "-c", replaced(script, "drydock ...", command)});
  INFO(better.seen());
  CHECK(better.code == 0);
  CHECK_FALSE(has(better.err, "no effect"));
  CHECK(login.left() == nothing);
}

TEST_CASE("a controller that systemd keeps is named with the command that hands it over, and it does", "[systemd]") {
  DRYDOCK_NEEDS_LOGIN();
  const std::string drop_in = "/etc/systemd/system/user@.service.d/delegate.conf",
                    restart = "systemctl daemon-reload && systemctl restart user@$(id -u student)";
  REQUIRE(Login::as_root("rm " + drop_in + " && " + restart).code == 0);
  {
    Login login;
    const Result run = login.in_scope({"run", "--rm", "--cpuset-cpus", "0", "-m", "64m", "busybox", "true"});
    INFO(run.seen());
    CHECK(run.code == 0);
    CHECK(has(run.err, "--cpuset-cpus has no effect: the cpuset controller was not handed to this user"));
    CHECK_FALSE(has(run.err, "--memory has no effect"));
    CHECK(has(run.err, cgroups::remedy_few_controllers));
    CHECK(has(login.in_scope({"doctor"}).out, cgroups::remedy_few_controllers));
  }
  const std::string remedy = cgroups::remedy_few_controllers;
  const Result repair = Login::as_root(replaced(remedy.substr(0, remedy.rfind(", then")), "sudo ", "") + " && " + restart);
  INFO(repair.seen());
  REQUIRE(repair.code == 0);
  Login login;
  const Result run = login.in_scope({"run", "--rm", "--cpuset-cpus", "0", "busybox", "true"});
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK_FALSE(has(run.err, "no effect"));
  CHECK(login.left() == nothing);
}
