// Acceptance item 5, second half: what --plan announces is what --trace saw happen, lane by lane and edge by edge.
#include <map>

#include <nlohmann/json.hpp>

#include <drydock/kernel/sys.hpp>

#include "container/host.hpp"
#include "container/user.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

using nlohmann::json;

// Step names by lane, in order.
std::map<std::string, Words> by_lane(const json& steps) {
  std::map<std::string, Words> lanes;
  for (const json& step : steps) lanes[step.at("lane")].push_back(step.at("step"));
  return lanes;
}

json lines_of(const std::string& text) {
  json list = json::array();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    list.push_back(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return list;
}

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Every step began after all those it waits for had ended.
void check_edges(const json& plan, const json& trace) {
  std::map<std::string, const json*> record;
  for (const json& step : trace) record[step.at("step")] = &step;
  int edges = 0;
  for (const json& step : plan.at("steps"))
    for (const json& before : step.at("after")) {
      const json& first = *record.at(before);
      INFO(before << " before " << step.at("step"));
      CHECK(first.at("begin_us").get<double>() + first.at("duration_us").get<double>() <= record.at(step.at("step"))->at("begin_us").get<double>());
      ++edges;
    }
  CHECK(edges > 0);
}

void check_agreement(const Words& options, const Words& command = {"busybox", "true"}) {
  Host host;
  const std::string file = host.scratch() + "/trace.json";
  const Result planned = host.drydock(with(with({"run", "--plan=json"}, options), command));
  INFO(planned.err);
  REQUIRE(planned.code == 0);
  const json plan = json::parse(planned.out);
  const Result run = host.drydock(with(with({"run", "--trace", file}, options), command));
  INFO(run.seen());
  REQUIRE(run.code == 0);
  const json trace = lines_of(sys::read_file(file));
  CHECK(by_lane(plan.at("steps")) == by_lane(trace));
  check_edges(plan, trace);
  host.drydock({"rm", "-f", "traced"});
  CHECK(host.leftovers(3000) == nothing);
}

}  // namespace

TEST_CASE("--plan and --trace agree: the default container", "[container][plan]") {
  DRYDOCK_NEEDS_HOST();
  check_agreement({"--rm"});
}

TEST_CASE("--plan and --trace agree: ports, limits, volumes", "[container][plan]") {
  DRYDOCK_NEEDS_HOST();
  check_agreement({"--rm", "-p", "18080:80", "-m", "64m", "--cpus", "0.5", "--pids-limit", "32", "-v", "data:/data", "--tmpfs", "/scratch", "--ulimit",
                   "nofile=256:512"});
}

TEST_CASE("--plan and --trace agree: user namespace, another user, read-only", "[container][plan]") {
  DRYDOCK_NEEDS_HOST();
  check_agreement({"--rm", "--userns", "auto", "-u", "1000", "--read-only", "--init", "--network", "none"});
}

TEST_CASE("--plan and --trace agree: detached", "[container][plan]") {
  DRYDOCK_NEEDS_HOST();
  check_agreement({"-d", "-i", "--name", "traced"});
}

TEST_CASE("--plan needs no root and leaves nothing", "[container][plan]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result plan = user.drydock({"run", "--plan", "busybox", "true"});
  INFO(plan.seen());
  CHECK(plan.code == 0);
  CHECK(plan.out.find("pivot_root") != std::string::npos);
  CHECK(host.leftovers() == nothing);
}
