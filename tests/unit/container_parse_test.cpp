#include <sys/resource.h>

#include <string>

#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace drydock;
using namespace drydock::container;
using namespace drydock::test;

namespace {

const Environment nothing = [](const std::string&) { return std::nullopt; };
const Environment home = [](const std::string& name) -> std::optional<std::string> {
  if (name == "HOME") return "/root";
  return std::nullopt;
};

}  // namespace

TEST_CASE("sizes", "[container]") {
  CHECK(parse_size("-m", "4096") == 4096);
  CHECK(parse_size("-m", "1b") == 1);
  CHECK(parse_size("-m", "512k") == 512u << 10);
  CHECK(parse_size("-m", "64M") == 64u << 20);
  CHECK(parse_size("-m", "64mb") == 64u << 20);
  CHECK(parse_size("-m", "64MiB") == 64u << 20);
  CHECK(parse_size("-m", "1.5g") == 3u << 29);
  CHECK(parse_size("-m", "2t") == std::uint64_t{2} << 40);
  CHECK(parse_size("-m", "9007199254740993") == 9007199254740993u);  // more digits than a double holds
  for (const char* bad :
       {"", " ", "m", "-1", "+1", "0x10", "1e3", "64 m", "64mm", "1..5g", ".", "inf", "nan", "9999999p", "64m ", "1,5g"})
    CHECK(mentions(refusal_with_remedy([&] { parse_size("-m", bad); }), std::string("-m '") + bad + "'"));
  CHECK(size_words(64u << 20) == "64 MiB");
  CHECK(size_words(3u << 29) == "1.5 GiB");
  CHECK(size_words(100) == "100 bytes");
  CHECK(size_words(1) == "1 byte");
}

TEST_CASE("memory and swap", "[container][N2-035][N2-036]") {
  CHECK(parse_memory("64m") == 64u << 20);
  CHECK(parse_memory("6m") == 6u << 20);
  CHECK(mentions(refusal_with_remedy([] { parse_memory("6291455"); }), "6 MiB"));
  CHECK(parse_memory_swap("-1") == -1);
  CHECK(parse_memory_swap("128m") == 128 << 20);
  CHECK(mentions(refusal_with_remedy([] { parse_memory_swap("-2"); }), "--memory-swap '-2'"));
  CHECK(mentions(refusal_with_remedy([] { parse_memory_swap("0"); }), "--memory-swap '0'"));
}

TEST_CASE("processors, tasks, disks", "[container][N2-015]") {
  CHECK(parse_cpu_shares("2") == 2);
  CHECK(mentions(refusal_with_remedy([] { parse_cpu_shares("1"); }), "out of range"));
  // E-043: what a reader of the notes types.
  CHECK(mentions(refusal_with_remedy([] { parse_cpu_shares("while true; do echo x; done"); }), "behind the image"));
  CHECK(parse_cpus("0.5") == Approx(0.5));
  CHECK(parse_cpus(".5") == Approx(0.5));
  for (const char* bad : {"0", "-1", "x", "1e2", "inf", "", "99999"})
    CHECK(mentions(refusal_with_remedy([&] { parse_cpus(bad); }), "--cpus"));
  CHECK(parse_cpuset("0-2,4") == "0-2,4");
  for (const char* bad : {"", "a", "2-1", "0,", "-1", "0-", "1--2"})
    CHECK(mentions(refusal_with_remedy([&] { parse_cpuset(bad); }), "--cpuset-cpus"));
  CHECK(parse_pids_limit("32") == 32);
  CHECK(parse_pids_limit("-1") == -1);
  CHECK(parse_pids_limit("0") == -1);
  CHECK(mentions(refusal_with_remedy([] { parse_pids_limit("-5"); }), "--pids-limit '-5'"));
  CHECK(parse_blkio_weight("1000") == 1000);
  CHECK(mentions(refusal_with_remedy([] { parse_blkio_weight("9"); }), "from 10 to 1000"));
}

TEST_CASE("rates of devices", "[container][N2-041]") {
  CHECK(parse_device_bytes("--device-read-bps", "/dev/vda:1mb").device == "/dev/vda");
  CHECK(parse_device_bytes("--device-read-bps", "/dev/vda:1mb").rate == 1u << 20);
  CHECK(parse_device_bytes("--device-read-bps", "8:0:10k").device == "8:0");
  CHECK(parse_device_operations("--device-read-iops", "/dev/vda:100").rate == 100);
  for (const char* bad : {"/dev/vda", ":1m", "vda:1m", "/dev/vda:", "/dev/vda:x", "/dev/vda:0"})
    CHECK(mentions(refusal_with_remedy([&] { parse_device_bytes("--device-read-bps", bad); }), "--device-read-bps"));
  CHECK(
      mentions(refusal_with_remedy([] { parse_device_operations("--device-read-iops", "/dev/vda:1m"); }), "--device-read-iops"));
}

TEST_CASE("resource limits", "[container]") {
  const UlimitSpec files = parse_ulimit("nofile=1024:2048");
  CHECK(files.resource == RLIMIT_NOFILE);
  CHECK(files.soft == 1024);
  CHECK(files.hard == 2048);
  CHECK(parse_ulimit("core=0").hard == 0);
  CHECK(parse_ulimit("core=unlimited").soft == RLIM_INFINITY);
  CHECK(parse_ulimit("core=0:-1").hard == RLIM_INFINITY);
  for (const char* bad : {"nofile", "nofile=", "nofile=x", "nofile=2:1", "nofile=1:2:3", "files=1", "=1", "nofile=-2"})
    CHECK(mentions(refusal_with_remedy([&] { parse_ulimit(bad); }), std::string("--ulimit '") + bad + "'"));
}

TEST_CASE("volumes", "[container][N0-049][N0-055]") {
  const MountSpec bind = parse_volume("/srv/www:/www/:ro,rslave", "/home/me");
  CHECK(bind.type == MountType::bind);
  CHECK(bind.source == "/srv/www");
  CHECK(bind.target == "/www");
  CHECK(bind.read_only);
  CHECK(bind.propagation == "rslave");
  CHECK(parse_volume("./x:/y", "/home/me").source == "/home/me/./x");
  const MountSpec named = parse_volume("data:/var/lib/data", "/home/me");
  CHECK(named.type == MountType::volume);
  CHECK(named.source == "data");
  CHECK_FALSE(named.read_only);
  const MountSpec anonymous = parse_volume("/cache", "/home/me");
  CHECK(anonymous.type == MountType::volume);
  CHECK(anonymous.source.empty());
  for (const char* bad : {"", ":", "a:b", "/a:b", "/a:/", "/a:/b/../..", "/a:/b:rx", "/a:/b:ro:x", "x/y:/z", "d:/x", "/a:/b:z",
                          ".a:/b", ":/b", "/"})
    CHECK(mentions(refusal_with_remedy([&] { parse_volume(bad, "/home/me"); }), std::string("-v/--volume '") + bad + "'"));
}

TEST_CASE("mounts in words", "[container][N0-051][N0-056]") {
  const MountSpec bind = parse_mount("type=bind,source=/a,target=/b,readonly,bind-propagation=shared,bind-nonrecursive");
  CHECK(bind.type == MountType::bind);
  CHECK(bind.source == "/a");
  CHECK(bind.target == "/b");
  CHECK(bind.read_only);
  CHECK(bind.propagation == "shared");
  CHECK_FALSE(bind.recursive);
  CHECK(parse_mount("source=data,target=/d").type == MountType::volume);
  CHECK_FALSE(parse_mount("type=bind,src=/a,dst=/b,ro=false").read_only);
  CHECK(parse_mount("type=bind,\"source=/a,b\",target=/c").source == "/a,b");
  const MountSpec memory = parse_mount("type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=1770");
  CHECK(memory.tmpfs_size == 64u << 20);
  CHECK(memory.tmpfs_options == "mode=1770");
  for (const char* bad : {"", "type=bind", "type=nfs,target=/a", "type=bind,target=/a", "type=bind,source=a,target=/b",
                          "target=b", "type=bind,source=/a,target=/", "type=tmpfs,source=/a,target=/b", "source=/a,target=/b",
                          "target=/b,colour=red", "type=tmpfs,target=/t,bind-propagation=shared", "target=/b,tmpfs-size=1m",
                          "type=bind,source=/a,target=/b,ro=maybe", "type=tmpfs,target=/t,tmpfs-mode=9", "target=/b,\"x"})
    CHECK(mentions(refusal_with_remedy([&] { parse_mount(bad); }), std::string("--mount '") + bad + "'"));
}

TEST_CASE("tmpfs", "[container]") {
  CHECK(parse_tmpfs("/run").target == "/run");
  const MountSpec memory = parse_tmpfs("/run:size=64m,mode=1777,noexec,ro");
  CHECK(memory.type == MountType::tmpfs);
  CHECK(memory.tmpfs_options == "size=64m,mode=1777,noexec");
  CHECK(memory.read_only);
  CHECK(parse_tmpfs("/run:size=50%").tmpfs_options == "size=50%");
  for (const char* bad : {"", "run", "/run:", "/run:mode=8", "/run:colour=red", "/run:size", "/:size=1m"})
    CHECK_FALSE(refusal_with_remedy([&] { parse_tmpfs(bad); }).empty());
}

TEST_CASE("networks", "[container]") {
  NetworkSpec network;
  parse_network("container:web", network);
  CHECK(network.mode == NetworkMode::container);
  CHECK(network.peer == "web");
  parse_network("host", network);
  CHECK(network.mode == NetworkMode::host);
  CHECK(network.peer.empty());
  parse_network("none", network);
  CHECK(network.mode == NetworkMode::none);
  for (const char* bad : {"", "container:", "mynet", "Bridge"})
    CHECK(mentions(refusal_with_remedy([&] { parse_network(bad, network); }), "--network"));
}

TEST_CASE("ports", "[container][N0-057][N0-058]") {
  const auto one = parse_ports("127.0.0.1:18080:80/tcp");
  REQUIRE(one.size() == 1);
  CHECK(one[0].host_address == "127.0.0.1");
  CHECK(one[0].host_port == 18080);
  CHECK(one[0].container_port == 80);
  CHECK_FALSE(one[0].udp);
  const auto range = parse_ports("8000-8002:80-82/udp");
  REQUIRE(range.size() == 3);
  CHECK(range[2].host_port == 8002);
  CHECK(range[2].container_port == 82);
  CHECK(range[2].udp);
  CHECK(parse_ports("80")[0].host_port == 0);
  CHECK(parse_ports("127.0.0.1::80")[0].host_port == 0);
  CHECK(parse_ports("127.0.0.1::80")[0].host_address == "127.0.0.1");
  CHECK(parse_ports("[::1]:8080:80")[0].host_address == "::1");
  CHECK(parse_ports("1-65535:1-65535").size() == 65535);
  for (const char* bad :
       {"",          ":",          ":80",      "80:", "0:80",      "80:65536",    "a:80",  "1:2:3:4",  "300.0.0.1:80:80",
        "80-79:1-2", "1-2:3",      "80/sctp",  "80/", "::1:80:80", "[::g]:80:80", "[::1]", "[::1]:80", "127.0.0.1:80:",
        "-1:80",     "8080:80-81", "80:080000"})
    CHECK(mentions(refusal_with_remedy([&] { parse_ports(bad); }), std::string("-p/--publish '") + bad + "'"));
}

TEST_CASE("names and addresses", "[container]") {
  CHECK(parse_add_host("db:10.0.0.2").address == "10.0.0.2");
  CHECK(parse_add_host("db:::1").address == "::1");
  CHECK(parse_add_host("db=[::1]").address == "::1");
  for (const char* bad : {"", "db", ":10.0.0.2", "db:", "db:host", "a b:1.2.3.4", "db:1.2.3.4\n6.6.6.6 bank"})
    CHECK(mentions(refusal_with_remedy([&] { parse_add_host(bad); }), "--add-host"));
  CHECK(parse_dns("9.9.9.9") == "9.9.9.9");
  CHECK(mentions(refusal_with_remedy([] { parse_dns("dns.example"); }), "--dns 'dns.example'"));
  CHECK(mentions(refusal_with_remedy([] { parse_ip("::1"); }), "--ip '::1'"));
  CHECK(parse_name("web-1") == "web-1");
  for (const char* bad : {"", "a", "-a", "a/b", "../x", "a b", "ä-"})
    CHECK(mentions(refusal_with_remedy([&] { parse_name(bad); }), "--name"));
  CHECK(parse_hostname("web.example") == "web.example");
  CHECK_FALSE(refusal_with_remedy([] { parse_hostname(std::string(65, 'a')); }).empty());
  for (const char* bad : {"", "-a", "a b", "a\nb", ".a"})
    CHECK(mentions(refusal_with_remedy([&] { parse_hostname(bad); }), "--hostname"));
}

TEST_CASE("users: -u 1 is uid 1", "[container][CVE-2026-30892]") {
  for (const char* good : {"0", "1", "2", "10", "1:2", "root", "www-data:adm", "4294967294", "1000:0"})
    CHECK(parse_user(good) == good);
  for (const char* bad : {"", ":", "1:", ":1", "1:2:3", "-1", "4294967295", "99999999999", "a b", "a,b", "a/b"})
    CHECK(mentions(refusal_with_remedy([&] { parse_user(bad); }), std::string("-u/--user '") + bad + "'"));
}

TEST_CASE("variables", "[container]") {
  CHECK(parse_env("A=1", nothing) == "A=1");
  CHECK(parse_env("A=", nothing) == "A=");
  CHECK(parse_env("A=b=c d", nothing) == "A=b=c d");
  CHECK(parse_env("HOME", home) == "HOME=/root");
  CHECK_FALSE(parse_env("HOME", nothing).has_value());
  for (const char* bad : {"", "=1", "a b=1"}) CHECK(mentions(refusal_with_remedy([&] { parse_env(bad, nothing); }), "-e/--env"));
  const auto all = parse_env_file("\xEF\xBB\xBF# comment\n\nA=1\r\n  B=two words \nC='quoted'\nHOME\nUNSET\nD=", "vars", home);
  CHECK(all == std::vector<std::string>{"A=1", "B=two words ", "C='quoted'", "HOME=/root", "D="});
  CHECK(mentions(refusal_with_remedy([] { parse_env_file("A=1\nexport B=2\n", "vars", nothing); }), "line 2"));
}

TEST_CASE("rights", "[container]") {
  CHECK(parse_capability("--cap-add", "net_admin") == "NET_ADMIN");
  CHECK(parse_capability("--cap-add", "CAP_NET_ADMIN") == "NET_ADMIN");
  CHECK(parse_capability("--cap-add", "all") == "ALL");
  CHECK(mentions(refusal_with_remedy([] { parse_capability("--cap-add", "NET_ADMN"); }), "--cap-add 'NET_ADMN'"));
  SecuritySpec security;
  parse_security_opt("no-new-privileges", security);
  CHECK(security.no_new_privileges);
  parse_security_opt("no-new-privileges=false", security);
  CHECK_FALSE(security.no_new_privileges);
  parse_security_opt("seccomp=unconfined", security);
  CHECK(security.seccomp == "unconfined");
  parse_security_opt("seccomp:/tmp/profile.json", security);
  CHECK(security.seccomp == "/tmp/profile.json");
  for (const char* bad : {"", "seccomp", "seccomp=", "apparmor=unconfined", "no-new-privileges=maybe"})
    CHECK(mentions(refusal_with_remedy([&] { parse_security_opt(bad, security); }), "--security-opt"));
}

TEST_CASE("user namespaces", "[container]") {
  CHECK_FALSE(parse_userns("host").enabled);
  CHECK(parse_userns("auto").enabled);
  CHECK(parse_userns("auto").uids.empty());
  const auto mapped = parse_userns("0:100000:1000,1000:1000:1");
  REQUIRE(mapped.uids.size() == 2);
  CHECK(mapped.uids[1].inside == 1000);
  CHECK(mapped.gids.size() == 2);
  for (const char* bad : {"x", "0:1", "0:1:0", "0:1:2:3", "0:4294967294:9", "a:b:c"})
    CHECK(mentions(refusal_with_remedy([&] { parse_userns(bad); }), "--userns"));
}

TEST_CASE("combinations that make no sense are refused", "[container]") {
  Spec spec;
  spec.image = "busybox";
  CHECK_NOTHROW(check(spec));
  const auto with = [&](auto change) {
    Spec changed = spec;
    change(changed);
    return refusal_with_remedy([&] { check(changed); });
  };
  CHECK(mentions(with([](Spec& s) { s.limits.memory_swap = 1 << 30; }), "--memory-swap"));
  CHECK(mentions(with([](Spec& s) { s.limits.memory = 64u << 20, s.limits.memory_swap = 32 << 20; }), "64 MiB"));
  CHECK(mentions(with([](Spec& s) { s.limits.memory_swap = -1; }), "--memory-swap"));
  CHECK(with([](Spec& s) { s.limits.memory = 64u << 20, s.limits.memory_swap = -1; }).empty());
  CHECK(mentions(with([](Spec& s) { s.network.mode = NetworkMode::none, s.network.ports = parse_ports("80:80"); }), "bridge"));
  CHECK(mentions(with([](Spec& s) { s.network.mode = NetworkMode::host, s.network.address = "172.29.0.9"; }), "--ip"));
  CHECK(mentions(with([](Spec& s) { s.network.ports = {parse_ports("80:80")[0], parse_ports("80:81")[0]}; }), "published twice"));
  CHECK(with([](Spec& s) { s.network.ports = {parse_ports("80:80")[0], parse_ports("80:80/udp")[0]}; }).empty());
  CHECK(mentions(with([](Spec& s) { s.mounts = {parse_tmpfs("/t"), parse_volume("/t", "/")}; }), "/t"));
  CHECK(mentions(with([](Spec& s) { s.security.privileged = s.userns.enabled = true; }), "--privileged"));
}
