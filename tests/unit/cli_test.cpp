#include <string>

#include <drydock/kernel/error.hpp>

#include "options.hpp"
#include "output.hpp"
#include "run_options.hpp"
#include "suggest.hpp"
#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace drydock;
using namespace drydock::cli;
using namespace drydock::test;

namespace {

container::Spec spec_of(const Words& words) {
  return parse_run(words)->spec;
}

std::string refusal(const Words& words) {
  return refusal_with_remedy([&] { parse_run(words); });
}

}  // namespace

TEST_CASE("what follows the image belongs to the program", "[cli][N0-049]") {
  const auto spec = spec_of({"-i", "--rm", "busybox", "ls", "-l", "--rm=false", "--", "-m"});
  CHECK(spec.image == "busybox");
  CHECK(spec.command == Words{"ls", "-l", "--rm=false", "--", "-m"});
  CHECK(spec.remove);
  CHECK(spec_of({"busybox", "-e", "A=1", "env"}).command == Words{"-e", "A=1", "env"});
  CHECK(spec_of({"busybox", "--help"}).command == Words{"--help"});
  CHECK(spec_of({"-e", "A=1", "busybox", "--unknown"}).env == Words{"A=1"});
  CHECK(spec_of({"--", "busybox", "-x"}).command == Words{"-x"});
  CHECK(spec_of({"busybox", ""}).command == Words{""});
}

TEST_CASE("every way to write an option", "[cli]") {
  CHECK(*spec_of({"-m", "64m", "x"}).limits.memory == 64u << 20);
  CHECK(*spec_of({"-m64m", "x"}).limits.memory == 64u << 20);
  CHECK(*spec_of({"-m=64m", "x"}).limits.memory == 64u << 20);
  CHECK(*spec_of({"--memory", "64m", "x"}).limits.memory == 64u << 20);
  CHECK(*spec_of({"--memory=64m", "x"}).limits.memory == 64u << 20);
  const auto cluster = spec_of({"-ditm64m", "--name", "web", "x"});
  CHECK(cluster.detach);
  CHECK(cluster.interactive);
  CHECK(cluster.terminal);
  CHECK(*cluster.limits.memory == 64u << 20);
  CHECK_FALSE(spec_of({"--rm", "--rm=false", "x"}).remove);
  CHECK_FALSE(spec_of({"-i=false", "x"}).interactive);
  CHECK(spec_of({"--entrypoint", "-x", "x"}).entrypoint == Words{"-x"});
  CHECK(spec_of({"--entrypoint", "", "x"}).entrypoint == Words{});
  CHECK(spec_of({"--entrypoint=", "x"}).entrypoint == Words{});
  CHECK_FALSE(spec_of({"x"}).entrypoint.has_value());
  CHECK(*spec_of({"-m", "64m", "--memory-swap", "-1", "x"}).limits.memory_swap == -1);
  CHECK(spec_of({"-e", "A=[1,2]", "-e", "B=--rm", "-e", "C=a b", "-eD=", "x"}).env == Words{"A=[1,2]", "B=--rm", "C=a b", "D="});
  CHECK(spec_of({"--net", "none", "--network=host", "x"}).network.mode == container::NetworkMode::host);  // the last one counts
  CHECK(spec_of({"-u", "1", "x"}).user == "1");
  CHECK(spec_of({"-u1", "x"}).user == "1");
}

TEST_CASE("options keep their order across kinds", "[cli]") {
  const auto spec = spec_of({"-v", "/a:/1", "--mount", "type=tmpfs,target=/2", "-v", "/a:/3", "--tmpfs", "/4", "x"});
  REQUIRE(spec.mounts.size() == 4);
  for (std::size_t at = 0; at < 4; ++at) CHECK(spec.mounts[at].target == "/" + std::to_string(at + 1));
}

TEST_CASE("every flag of run reaches the spec", "[cli]") {
  const auto spec = spec_of({"-d",
                             "-i",
                             "-t",
                             "--rm",
                             "--name",
                             "web",
                             "--hostname",
                             "h",
                             "-e",
                             "A=1",
                             "-w",
                             "/w",
                             "-u",
                             "1:2",
                             "--entrypoint",
                             "e",
                             "--init",
                             "-v",
                             "vol:/v",
                             "--read-only",
                             "-m",
                             "64m",
                             "--memory-swap",
                             "128m",
                             "-c",
                             "512",
                             "--cpus",
                             "0.5",
                             "--cpuset-cpus",
                             "0",
                             "--pids-limit",
                             "32",
                             "--blkio-weight",
                             "300",
                             "--device-read-bps",
                             "/dev/a:1m",
                             "--device-write-bps",
                             "/dev/b:2m",
                             "--device-read-iops",
                             "/dev/c:3",
                             "--device-write-iops",
                             "/dev/d:4",
                             "--network",
                             "bridge",
                             "--ip",
                             "172.29.0.9",
                             "--dns",
                             "9.9.9.9",
                             "--add-host",
                             "db:10.0.0.2",
                             "-p",
                             "8080:80",
                             "--cap-add",
                             "NET_ADMIN",
                             "--cap-drop",
                             "ALL",
                             "--security-opt",
                             "seccomp=unconfined",
                             "--security-opt",
                             "no-new-privileges",
                             "--ulimit",
                             "nofile=10",
                             "--userns",
                             "auto",
                             "--label",
                             "a=b",
                             "busybox",
                             "true"});
  CHECK(spec.detach);
  CHECK(spec.init);
  CHECK(spec.read_only);
  CHECK(spec.name == "web");
  CHECK(spec.hostname == "h");
  CHECK(spec.working_directory == "/w");
  CHECK(spec.user == "1:2");
  CHECK(spec.mounts.size() == 1);
  CHECK(*spec.limits.memory_swap == 128 << 20);
  CHECK(*spec.limits.cpu_shares == 512);
  CHECK(*spec.limits.cpus == Approx(0.5));
  CHECK(*spec.limits.cpuset_cpus == "0");
  CHECK(*spec.limits.pids == 32);
  CHECK(*spec.limits.blkio_weight == 300);
  CHECK(spec.limits.read_bps[0].rate == 1u << 20);
  CHECK(spec.limits.write_bps[0].device == "/dev/b");
  CHECK(spec.limits.read_iops[0].rate == 3);
  CHECK(spec.limits.write_iops[0].rate == 4);
  CHECK(*spec.network.address == "172.29.0.9");
  CHECK(spec.network.dns == Words{"9.9.9.9"});
  CHECK(spec.network.hosts[0].name == "db");
  CHECK(spec.network.ports[0].host_port == 8080);
  CHECK(spec.security.cap_add == Words{"NET_ADMIN"});
  CHECK(spec.security.cap_drop == Words{"ALL"});
  CHECK(spec.security.seccomp == "unconfined");
  CHECK(spec.security.no_new_privileges);
  CHECK(spec.security.ulimits.size() == 1);
  CHECK(spec.userns.enabled);
  CHECK(spec.labels.at("a") == "b");
  CHECK(spec.command == Words{"true"});
  CHECK(spec_of({"--privileged", "x"}).security.privileged);
}

TEST_CASE("ways to watch a run", "[cli]") {
  CHECK(parse_run({"--plan", "x"})->plan == PlanForm::text);
  CHECK(parse_run({"--plan", "x"})->spec.image == "x");  // "--plan x" does not take the image for its form
  CHECK(parse_run({"--plan=json", "x"})->plan == PlanForm::json);
  CHECK(parse_run({"x"})->plan == PlanForm::none);
  const auto request = parse_run({"--explain", "--trace", "/t", "--timeline", "--inject", "mount.proc=EPERM", "x"});
  CHECK(request->options.explain);
  CHECK(request->options.trace_path == "/t");
  CHECK(request->options.timeline);
  CHECK(request->options.inject == "mount.proc=EPERM");
}

TEST_CASE("what a new user gets wrong", "[cli][N2-035][N2-015][N2-037][N2-038]") {
  CHECK(mentions(refusal({}), "the image is missing"));
  CHECK(mentions(refusal({"--rm"}), "the image is missing"));
  CHECK(mentions(refusal({"--memroy", "5m", "x"}), "did you mean --memory?"));
  CHECK(mentions(refusal({"--volumes=/a", "x"}), "did you mean --volume?"));
  CHECK(mentions(refusal({"-memory", "100M", "x"}), "write --memory"));              // E-045
  CHECK(mentions(refusal({"-c", "while :; do :; done", "x"}), "behind the image"));  // E-043
  CHECK(mentions(refusal({"--vm", "1", "x"}), "option --vm"));                       // E-044
  CHECK(mentions(refusal({"--vm-bytes", "100M", "x"}), "option --vm-bytes"));
  CHECK(mentions(refusal({"-z", "x"}), "option -z"));
  CHECK(mentions(refusal({"-iz", "x"}), "option -z"));
  CHECK(mentions(refusal({"-m"}), "option -m: its value is missing"));
  CHECK(mentions(refusal({"--name"}), "option --name: its value is missing"));
  CHECK(mentions(refusal({"--rm=perhaps", "x"}), "--rm 'perhaps'"));
  CHECK(mentions(refusal({"--rm=", "x"}), "--rm="));
  CHECK(mentions(refusal({"--plan=xml", "x"}), "--plan 'xml'"));
  CHECK(mentions(refusal({"--inject", "mount.proc", "x"}), "--inject"));
  CHECK(mentions(refusal({"--env-file", "/nowhere", "x"}), "/nowhere"));
  CHECK(mentions(refusal({"--memory-swap", "1g", "x"}), "--memory-swap"));
  CHECK(mentions(refusal({"-m", "", "x"}), "-m/--memory ''"));
}

TEST_CASE("the nearest word", "[cli]") {
  CHECK(edit_distance("run", "run") == 0);
  CHECK(edit_distance("rnu", "run") == 1);
  CHECK(edit_distance("", "run") == 3);
  CHECK(nearest("exce", {"exec", "run"}) == "exec");
  CHECK(nearest("imgaes", {"image", "images"}) == "images");
  CHECK(nearest("frobnicate", {"exec", "run"}) == "");
}

TEST_CASE("tables, times, errors", "[cli]") {
  Table table({"A", "LONG"});
  table.add({"wide cell", "x"});
  table.add({"é", "y"});
  CHECK(table.text() == "A           LONG\nwide cell   x\né           y\n");
  CHECK(duration_words(0) == "0 seconds");
  CHECK(duration_words(1) == "1 second");
  CHECK(duration_words(119) == "1 minute");
  CHECK(duration_words(86400 * 15) == "2 weeks");
  CHECK(shortened("abcdef", 4) == "abc…");
  CHECK(shortened("a\x1b[31m", 20) == "a?[31m");
  const auto of = [](auto&& thrown) { return std::make_exception_ptr(thrown); };
  CHECK(run_exit_code(of(Error::from_errno("execve", "\"x\"", ENOENT))) == 127);
  CHECK(run_exit_code(of(Error::from_errno("execve", "\"x\"", EACCES))) == 126);
  CHECK(run_exit_code(of(Error::from_errno("mount", "x", ENOENT))) == 125);
  CHECK(run_exit_code(of(std::bad_alloc())) == 125);
  CHECK(mentions(sentence(of(std::bad_alloc())), "not enough memory"));
  CHECK(mentions(sentence(of(std::runtime_error("boom"))), "boom"));
}
