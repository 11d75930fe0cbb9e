// Namespaces: kinds, id maps and their writers, as values.
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/id_map.hpp>
#include <drydock/namespaces/join.hpp>
#include <drydock/namespaces/kinds.hpp>

#include <linux/sched.h>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::namespaces;
using plan::Lane;

TEST_CASE("there are eight kinds, each with its own flag and file", "[namespaces][N1-142]") {
  CHECK(all_kinds().size() == 8);
  std::uint64_t flags = 0;
  for (const KindInfo& row : all_kinds()) {
    CHECK((flags & row.flag) == 0);
    flags |= row.flag;
    CHECK(&info(row.kind) == &row);
    CHECK(kind_named(row.name) == row.kind);
    CHECK(path_of(12, row.kind) == "/proc/12/ns/" + std::string(row.name));
  }
  CHECK(kind_named("mount") == Kind::mnt);
  CHECK_FALSE(kind_named("mnts"));
  CHECK(path_of(0, Kind::uts) == "/proc/self/ns/uts");
}

TEST_CASE("ids come out of the link's text", "[namespaces][N1-153]") {
  CHECK(parse_id("uts:[4026531838]") == 4026531838u);
  for (const char* wrong : {"", "uts", "uts:[]", "uts:[12", "uts:[1x]", "/etc/passwd", "uts:[-1]"}) CHECK_FALSE(parse_id(wrong));
}

TEST_CASE("which flags go into the first clone", "[namespaces]") {
  const std::uint64_t usual = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS;
  struct Row {
    std::uint64_t wanted;
    bool born_in_cgroup;
    CloneSplit expected;
  };
  const Row rows[] = {
      {usual | CLONE_NEWIPC, false, {usual | CLONE_NEWIPC, 0}},
      {usual | CLONE_NEWCGROUP, false, {usual, CLONE_NEWCGROUP}},
      {usual | CLONE_NEWCGROUP, true, {usual | CLONE_NEWCGROUP, 0}},
      {usual | CLONE_NEWIPC | CLONE_NEWUSER, true, {usual | CLONE_NEWUSER, CLONE_NEWIPC}},
      {CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWCGROUP, false, {CLONE_NEWUSER, CLONE_NEWIPC | CLONE_NEWCGROUP}},
      {0, false, {0, 0}},
  };
  for (const Row& row : rows) CHECK(split_clone_flags(row.wanted, row.born_in_cgroup) == row.expected);
}

TEST_CASE("ranges of /etc/subuid", "[namespaces]") {
  const char* text =
      "alice:100000:65536\n# a comment\n1000:300000:10\nbob:1:2\nalice:500000:1\nalice:x:1\nalice:1\nalice:7:0\nalice:1:2:3";
  CHECK(parse_sub_ids(text, "alice", 1000) == std::vector<SubIds>{{100000, 65536}, {300000, 10}, {500000, 1}});
  CHECK(parse_sub_ids(text, "", 1000) == std::vector<SubIds>{{300000, 10}});
  CHECK(parse_sub_ids(text, "eve", 1001).empty());
  CHECK(parse_sub_ids("", "alice", 1000).empty());
}

TEST_CASE("a map is written as the kernel reads it, nonsense is refused in words", "[namespaces]") {
  CHECK(map_text({{0, 1000, 1}, {1, 100000, 65536}}) == "0 1000 1\n1 100000 65536\n");
  CHECK(map_text({{0, 0, 0xffffffff}}) == "0 0 4294967295\n");
  const std::vector<std::pair<const char*, std::vector<IdMap>>> wrong = {
      {"empty", {}},
      {"range of 0", {{0, 0, 0}}},
      {"ends after", {{1, 0, 0xffffffff}}},
      {"ends after", {{0, 0xffffffff, 1}}},
      {"overlap", {{0, 100, 10}, {5, 200, 10}}},
      {"overlap", {{0, 100, 10}, {10, 105, 10}}},
      {"340", std::vector<IdMap>(341, IdMap{0, 0, 1})},
  };
  for (const auto& [part, map] : wrong) CHECK_THROWS_WITH(map_text(map), ContainsSubstring(part));
}

TEST_CASE("who may write a map", "[namespaces]") {
  const std::vector<SubIds> granted = {{100000, 65536}};
  CHECK(choose_writer(0, {{0, 100000, 65536}}, {}) == MapWriter::parent);
  CHECK(choose_writer(0, {{0, 0, 1}}, {}) == MapWriter::parent);
  CHECK(choose_writer(1000, {{0, 1000, 1}}, {}) == MapWriter::self);
  CHECK(choose_writer(1000, {{1000, 1000, 1}}, granted) == MapWriter::self);
  CHECK(choose_writer(1000, {{0, 1000, 1}, {1, 100000, 65536}}, granted) == MapWriter::helper);
  CHECK(choose_writer(1000, {{0, 100000, 1}}, granted) == MapWriter::helper);
  // Not one's own, not granted, or only in part granted.
  for (const std::vector<IdMap>& map :
       {std::vector<IdMap>{{0, 1001, 1}}, {{0, 1000, 2}}, {{0, 100000, 65537}}, {{0, 99999, 2}}, {{0, 0, 1}}})
    CHECK_THROWS_WITH(choose_writer(1000, map, granted),
                      ContainsSubstring("were not granted") && ContainsSubstring("usermod --add-subuids"));
}

TEST_CASE("both maps together: the helper as soon as one needs it; group 0 does not make root", "[namespaces]") {
  const std::vector<SubIds> granted = {{100000, 65536}};
  CHECK(choose_writer(1000, 1000, {{{0, 1000, 1}}, {{0, 1000, 1}}}, {}, {}) == MapWriter::self);
  CHECK(choose_writer(1000, 1000, {{{0, 1000, 1}}, {{0, 100000, 5}}}, granted, granted) == MapWriter::helper);
  CHECK(choose_writer(0, 0, {{{0, 100000, 5}}, {{0, 100000, 5}}}, {}, {}) == MapWriter::parent);
  CHECK(choose_writer(1000, 0, {{{0, 1000, 1}}, {{0, 0, 1}}}, {}, {}) == MapWriter::self);
  CHECK_THROWS_AS(choose_writer(1000, 0, {{{0, 1000, 1}}, {{0, 100000, 5}}}, granted, {}), Error);
}

TEST_CASE("the map that --userns means", "[namespaces]") {
  CHECK(default_map(0, {}) == std::vector<IdMap>{{0, 100000, 65536}});
  CHECK(default_map(0, {{200000, 1000}}) == std::vector<IdMap>{{0, 200000, 1000}});
  CHECK(default_map(1000, {}) == std::vector<IdMap>{{0, 1000, 1}});
  CHECK(default_map(1000, {{100000, 100000}}) == std::vector<IdMap>{{0, 1000, 1}, {1, 100000, 65536}});
}

TEST_CASE("CVE-2014-8989: an unprivileged writer denies setgroups before it writes gid_map", "[namespaces][plan]") {
  plan::Plan plan;
  const plan::Slot child = plan.slot("child", plan::SlotKind::pid);
  add_map_steps(plan, MapWriter::self, child, {{{0, 1000, 1}}, {{0, 1000, 1}}});
  REQUIRE(plan.steps().size() == 3);
  CHECK(plan.steps()[0].id == "map.setgroups");
  CHECK(plan.steps()[1].id == "map.gid");
  CHECK(std::get<std::string>(plan.steps()[0].action.args[1]) == "deny");
  for (const plan::Step& step : plan.steps()) CHECK(step.lane == Lane::payload);
}

TEST_CASE("the other writers act for the child from outside", "[namespaces][plan]") {
  for (const MapWriter writer : {MapWriter::parent, MapWriter::helper}) {
    plan::Plan plan;
    const plan::Slot child = plan.slot("child", plan::SlotKind::pid);
    plan.monitor("clone", plan::ops::clone3(CLONE_NEWUSER, {}, Lane::payload)).into(child);
    const plan::StepRef last = add_map_steps(plan, writer, child, {{{0, 100000, 65536}}, {{0, 200000, 65536}}});
    CHECK(plan.find("map.uid").self.index == last.index);
    CHECK(plan.find("map.uid").lane == Lane::monitor);
    CHECK(plan.find("map.gid").action.op == (writer == MapWriter::parent ? plan::Op::write_proc_file : plan::Op::run_id_mapper));
  }
}

TEST_CASE("joining is one setns by one descriptor, from a process nobody can look into", "[namespaces][plan]") {
  plan::Plan plan;
  const plan::Slot pidfd = plan.slot("pidfd", plan::SlotKind::fd);
  plan.monitor("open", plan::ops::pidfd_open_checked(1, 1)).into(pidfd);
  add_join_steps(plan, Lane::joiner, pidfd, {Kind::mnt, Kind::net});
  CHECK(plan.find("joiner.join.hide").self.index < plan.find("joiner.join.setns").self.index);
  CHECK(std::get<std::int64_t>(plan.find("joiner.join.setns").action.args[1]) == (CLONE_NEWNS | CLONE_NEWNET));
  CHECK(flags_of({}) == 0);
}

TEST_CASE("a pin is a mount on a file, both undone", "[namespaces][plan][N1-159]") {
  plan::Plan plan;
  const auto steps = add_pin_steps(plan, Lane::payload, "/proc/self/ns/uts", "/run/x");
  REQUIRE(steps.size() == 2);
  for (const plan::Step& step : plan.steps()) CHECK(step.undo_call.has_value());
}

TEST_CASE("this process has ids; a process that is not there has none", "[namespaces][N1-142]") {
  CHECK(ids_of(0).size() >= 7);
  CHECK(ids_of(sys::getpid()) == ids_of(0));
  CHECK(ids_of(0x3fffff).empty());
  CHECK_THROWS_AS(id_of(0x3fffff, Kind::uts), Error);
}
