#include <drydock/facts/parse.hpp>
#include <drydock/facts/report.hpp>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::facts;

TEST_CASE("status: ids, capability sets, seccomp, the pid in each namespace", "[facts][N1-145]") {
  const Status status = parse::status(
      "Name:\tsleep\nUmask:\t0022\nState:\tS "
      "(sleeping)\nTgid:\t4242\nPid:\t4242\nPPid:\t4200\nUid:\t100000\t100001\t100002\t100003\n"
      "Gid:\t0\t0\t0\t0\nGroups:\t4 27 \nNSpid:\t4242\t7\t1\nThreads:\t2\nCapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\n"
      "CapEff:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000400\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_"
      "filters:\t3\n");
  CHECK(status.name == "sleep");
  CHECK(status.state == "S (sleeping)");
  CHECK(status.parent == 4200);
  CHECK(status.threads == 2);
  CHECK(status.ns_pids == std::vector<pid_t>{4242, 7, 1});
  CHECK(status.uids == std::array<std::uint32_t, 4>{100000, 100001, 100002, 100003});
  CHECK(status.groups == std::vector<std::uint32_t>{4, 27});
  CHECK(status.capabilities.effective == 0xa80425fbu);
  CHECK(status.capabilities.bounding == 0x1ffffffffffu);
  CHECK(status.capabilities.ambient == 0x400u);
  CHECK(status.capabilities.inheritable == 0u);
  CHECK(status.no_new_privs);
  CHECK(status.seccomp == 2);
  CHECK(status.seccomp_filters == 3);
  CHECK_FALSE(parse::status("Seccomp:\t0\n").seccomp_filters.has_value());
}

TEST_CASE("capabilities print by name", "[facts]") {
  CHECK(capability_words(0) == "none");
  CHECK(capability_words(1u << 0 | 1u << 5) == "CHOWN KILL");
  // Docker's default set, E-187 of the notes: fourteen of them.
  CHECK(capability_words(0xa80425fb) ==
        "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE "
        "SETFCAP");
}

TEST_CASE("mountinfo: propagation, escapes, the lone dash", "[facts]") {
  const auto mounts = parse::mountinfo(
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
      "40 36 0:5 / /a\\040b\\134c rw shared:7 master:2 - tmpfs none rw,size=64k\n"
      "41 36 0:6 / /plain ro - overlay overlay rw,lowerdir=/l1:/l2\n"
      "42 36 0:7 / /no-options rw - proc proc\n"
      "a line of a later kernel\n");
  REQUIRE(mounts.size() == 4);
  CHECK(mounts[0].id == 36);
  CHECK(mounts[0].parent == 35);
  CHECK(mounts[0].root == "/mnt1");
  CHECK(mounts[0].propagation == "master:1");
  CHECK(mounts[0].type == "ext3");
  CHECK(mounts[0].super_options == "rw,errors=continue");
  CHECK(mounts[1].target == "/a b\\c");
  CHECK(mounts[1].propagation == "shared:7,master:2");
  CHECK(mounts[2].propagation == "private");
  CHECK(mounts[3].super_options.empty());
  CHECK(parse::unescaped("\\04") == "\\04");
}

TEST_CASE("the number of a namespace is in its link", "[facts][N1-150]") {
  CHECK(parse::namespace_link("mnt:[4026531841]") == 4026531841u);
  CHECK_FALSE(parse::namespace_link("/usr/bin/sh").has_value());
  CHECK_FALSE(parse::namespace_link("mnt:[40").has_value());
}

TEST_CASE("id maps, words and limits", "[facts]") {
  const auto map = parse::id_map("         0     100000      65536\n     65536          0          1\n");
  REQUIRE(map.size() == 2);
  CHECK(map[0].inside == 0);
  CHECK(map[0].outside == 100000);
  CHECK(map[0].count == 65536);
  CHECK(parse::id_map("0 0 4294967295\n")[0].count == 4294967295u);
  using namespace std::string_literals;
  CHECK(parse::strings("sh\0-c\0\0x\0"s) == std::vector<std::string>{"sh", "-c", "", "x"});
  const auto limits = parse::limits(
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max cpu time              unlimited            unlimited            seconds   \n"
      "Max open files            1024                 1048576              files     \n"
      "Max nice priority         0                    0                    \n");
  REQUIRE(limits.size() == 3);
  CHECK(limits[1].name == "Max open files");
  CHECK(limits[1].soft == "1024");
  CHECK(limits[1].hard == "1048576");
  CHECK(limits[1].unit == "files");
  CHECK(limits[2].unit.empty());
}

TEST_CASE("cgroups of both versions find their directories", "[facts]") {
  const auto groups = parse::cgroup("5:cpu,cpuacct:/a:b\n4:memory:/drydock/x\n1:name=systemd:/\n0::/user.slice\n");
  REQUIRE(groups.size() == 4);
  CHECK(groups[0].controllers.empty());
  CHECK(groups[0].path == "/user.slice");
  CHECK(groups[1].controllers == "cpu,cpuacct");
  CHECK(groups[1].path == "/a:b");
  const auto mounts = parse::mountinfo(
      "30 1 0:1 / /cg/unified rw - cgroup2 cgroup2 rw\n"
      "31 1 0:2 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 1 0:3 /drydock /cg/memory rw - cgroup cgroup rw,memory\n");
  CHECK(parse::cgroup_directory(groups[0], mounts) == "/cg/unified/user.slice");
  CHECK(parse::cgroup_directory(groups[1], mounts) == "/cg/cpu/a:b");
  CHECK(parse::cgroup_directory(groups[2], mounts) == "/cg/memory/x");
  CHECK(parse::cgroup_directory(groups[3], mounts) == "");
  CgroupFact outside = groups[2];
  outside.path = "/drydockx";  // not below the mounted part
  CHECK(parse::cgroup_directory(outside, mounts) == "");
  outside.path = "/drydock";
  CHECK(parse::cgroup_directory(outside, mounts) == "/cg/memory");
}

TEST_CASE("the network as procfs shows it", "[facts][N0-083]") {
  const auto links = parse::net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
      "compressed\n"
      "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          "
      "0\n"
      "longnamed0:5000      16    0    0    0     0          0         0     1296      16    0    0    0     0       0          "
      "0\n");
  REQUIRE(links.size() == 2);
  CHECK(links[1].name == "longnamed0");
  CHECK(links[1].received_bytes == 5000);
  CHECK(links[1].sent_bytes == 1296);
  const auto routes = parse::route(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t01001DAC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t00001DAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n");
  REQUIRE(routes.size() == 2);
  CHECK(routes[0].destination == "0.0.0.0/0");
  CHECK(routes[0].gateway == "172.29.0.1");
  CHECK(routes[1].destination == "172.29.0.0/16");
  CHECK(routes[1].gateway.empty());
  const std::string trie =
      "  +-- 172.29.0.0/16 2 0 2\n     |-- 172.29.0.2\n        /32 host LOCAL\n     |-- 172.29.255.255\n        /32 link "
      "BROADCAST\n"
      "     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 10.9.9.9\n        /32 host LOCAL\n";
  const auto addresses = parse::fib_trie("Main:\n" + trie + "Local:\n" + trie, routes);
  REQUIRE(addresses.size() == 3);
  CHECK(addresses[0].address == "172.29.0.2/16");
  CHECK(addresses[0].link == "eth0");
  CHECK(addresses[1].address == "127.0.0.1/8");
  CHECK(addresses[1].link == "lo");
  CHECK(addresses[2].address == "10.9.9.9/32");
  CHECK(addresses[2].link.empty());
  const auto six = parse::if_inet6(
      "00000000000000000000000000000001 01 80 10 80       lo\nfe80000000000000000000fffe000001 02 40 20 80     eth0\n");
  REQUIRE(six.size() == 2);
  CHECK(six[0].address == "::1/128");
  CHECK(six[1].link == "eth0");
  CHECK(six[1].address == "fe80::ff:fe00:1/64");
}

namespace {

Snapshot sample() {
  Snapshot snapshot;
  snapshot.pid = 42;
  snapshot.status.name = "sh";
  snapshot.namespaces = {{"mnt", 1}, {"net", 2}};
  snapshot.mounts = {Mount{1, 0, "0:1", "/", "/tmp", "rw", "private", "tmpfs", "tmpfs", ""},
                     Mount{2, 1, "0:2", "/", "/tmp", "ro", "shared:1", "tmpfs", "again", ""}};
  return snapshot;
}

}  // namespace

TEST_CASE("a difference names both sides and counts the rest", "[facts][N0-079]") {
  const Snapshot a = sample();
  CHECK(diff(a, a).changes.empty());
  CHECK(diff(a, a).same == rows(a).size());
  Snapshot b = a;
  b.namespaces["mnt"] = 7;
  b.namespaces.erase("net");
  b.mounts[1].options = "rw";
  b.descriptors.push_back({3, "pipe:[1]"});
  const Diff found = diff(a, b);
  REQUIRE(found.changes.size() == 4);
  CHECK(found.same == rows(a).size() - 3);
  CHECK(found.a == "process 42 (sh)");
  CHECK(found.changes[0].name == "mnt");
  CHECK(found.changes[0].a == "1");
  CHECK(found.changes[0].b == "7");
  CHECK(found.changes[1].name == "net");
  CHECK_FALSE(found.changes[1].b.has_value());
  CHECK(found.changes[2].name == "/tmp #2");
  CHECK(found.changes[3].group == "descriptors");
  CHECK_FALSE(found.changes[3].a.has_value());
}

TEST_CASE("text keeps to its width and shows no control characters", "[facts]") {
  Snapshot snapshot = sample();
  snapshot.status.capabilities.bounding = 0xa80425fb;
  snapshot.command_line = {"sh", "-c", "printf '\x1b[31m'", std::string(30, 'x'), std::string(30, 'y'), std::string(30, 'z')};
  const std::string text = to_text(snapshot);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("namespaces\n  mnt  1\n  net  2\n") != std::string::npos);
  for (const std::string_view line : parse::lines(text)) CHECK(line.size() <= page_width);
  Snapshot other = snapshot;
  other.namespaces["net"] = 9;
  const std::string difference = to_text(diff(snapshot, other));
  CHECK(difference.find("  net  a 2\n       b 9\n") != std::string::npos);
  CHECK(difference.find("1 facts differ") != std::string::npos);
}

TEST_CASE("JSON survives names that are no UTF-8", "[facts]") {
  Snapshot snapshot = sample();
  snapshot.descriptors.push_back({3, "/tmp/\xff\xfe"});
  const std::string json = to_json(snapshot);
  CHECK(json.find("\"mnt\": 1") != std::string::npos);
  CHECK(json.find("/tmp/\xef\xbf\xbd") != std::string::npos);
  CHECK(to_json(diff(snapshot, sample())).find("\"b\": null") != std::string::npos);
}
