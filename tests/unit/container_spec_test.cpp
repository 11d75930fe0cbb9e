#include <string>

#include <drydock/container/parse.hpp>
#include <drydock/container/spec.hpp>
#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::container;

namespace {

Spec full() {
  Spec spec;
  spec.image = "busybox";
  spec.name = "web";
  spec.hostname = "h";
  spec.entrypoint = std::vector<std::string>{};
  spec.command = {"sh", "-c", "echo \"ü\""};
  spec.env = {"A=1"};
  spec.working_directory = "/w";
  spec.user = "1:2";
  spec.interactive = spec.terminal = spec.detach = spec.remove = spec.init = spec.read_only = true;
  spec.mounts = {parse_mount("type=tmpfs,target=/t,tmpfs-size=64m"), parse_volume("/a:/b:ro", "/")};
  spec.limits.memory = 18446744073709551615u;
  spec.limits.memory_swap = -1;
  spec.limits.cpus = 0.5;
  spec.limits.cpuset_cpus = "0-1";
  spec.limits.write_bps = {{"/dev/vda", 1}};
  parse_network("container:db", spec.network);
  spec.network.address = "172.29.0.9";
  spec.network.dns = {"9.9.9.9"};
  spec.network.hosts = {{"db", "::1"}};
  spec.network.ports = parse_ports("127.0.0.1:65535:1/udp");
  spec.security.cap_add = {"ALL"};
  spec.security.seccomp = "unconfined";
  spec.security.ulimits = {parse_ulimit("core=unlimited")};
  spec.userns = parse_userns("0:100000:65536");
  spec.labels = {{"a", "b"}};
  return spec;
}

std::string refusal(const std::string& json) {
  try {
    spec_from_json(json);
  } catch (const Error& error) {
    CHECK_FALSE(error.remedy().empty());
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a spec survives the way through JSON", "[container]") {
  const Spec spec = full();
  const std::string json = to_json(spec);
  const Spec back = spec_from_json(json);
  CHECK(to_json(back) == json);
  CHECK(back.entrypoint.has_value());
  CHECK(back.command == spec.command);
  CHECK(back.mounts[0].tmpfs_size == 64u << 20);
  CHECK(back.mounts[1].type == MountType::bind);
  CHECK(back.mounts[1].read_only);
  CHECK(back.limits.memory == 18446744073709551615u);
  CHECK(back.limits.memory_swap == -1);
  CHECK_FALSE(back.limits.pids.has_value());
  CHECK(back.network.mode == NetworkMode::container);
  CHECK(back.network.peer == "db");
  CHECK(back.network.ports[0].host_port == 65535);
  CHECK(back.network.ports[0].udp);
  CHECK(back.security.ulimits[0].hard == spec.security.ulimits[0].hard);
  CHECK(back.userns.gids[0].outside == 100000);
  CHECK(back.labels.at("a") == "b");
}

TEST_CASE("what is not written keeps its default", "[container]") {
  const Spec spec = spec_from_json(R"({"image": "busybox"})");
  CHECK(spec.image == "busybox");
  CHECK_FALSE(spec.entrypoint.has_value());
  CHECK(spec.network.mode == NetworkMode::bridge);
  CHECK(spec.security.seccomp == "default");
  CHECK(to_json(spec) == to_json([] {
          Spec plain;
          plain.image = "busybox";
          return plain;
        }()));
}

TEST_CASE("a wrong field is named with its place", "[container]") {
  const auto says = [](const std::string& json, const std::string& words) {
    return refusal(json).find(words) != std::string::npos;
  };
  CHECK(says("{", "no JSON"));
  CHECK(says("[]", "must be an object"));
  CHECK(says(R"({"image": 1})", "image: it must be a string"));
  CHECK(says(R"({"imgae": "x"})", "imgae: there is no such field"));
  CHECK(says(R"({"init": "yes"})", "init: it must be true or false"));
  CHECK(says(R"({"env": "A=1"})", "env: it must be an array"));
  CHECK(says(R"({"env": ["A=1", 2]})", "env[1]: it must be a string"));
  CHECK(says(R"({"network": {"mode": "mesh"}})", "network.mode: 'mesh'"));
  CHECK(says(R"({"network": {"ports": [{"host_port": 70000}]}})", "network.ports[0].host_port: the number 70000"));
  CHECK(says(R"({"network": {"ports": [{"host_port": -1}]}})", "out of range"));
  CHECK(says(R"({"limits": {"memory": 1.5}})", "limits.memory: it must be a whole number"));
  CHECK(says(R"({"labels": {"a": 1}})", "labels.a: it must be a string"));
}

TEST_CASE("bytes that are no UTF-8 do not lose the record", "[container]") {
  Spec spec;
  spec.command = {"\xff"};
  CHECK(spec_from_json(to_json(spec)).command.size() == 1);
}
