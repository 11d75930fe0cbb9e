// Capabilities and ulimits: pure choices.
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/rlimits.hpp>

#include <linux/capability.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::security;
using plan::Lane;

namespace {

constexpr std::uint64_t everything = 0x1ffffffffffULL;
constexpr std::uint64_t bit(int capability) {
  return std::uint64_t{1} << capability;
}

std::uint64_t chosen(std::vector<std::string> add, std::vector<std::string> drop, bool privileged = false) {
  return choose_capabilities({.add = std::move(add), .drop = std::move(drop), .privileged = privileged}, everything).mask;
}

}  // namespace

TEST_CASE("the default is Docker's fourteen", "[security][N4-008]") {
  CHECK(chosen({}, {}) == 0xa80425fb);
  CHECK(__builtin_popcountll(chosen({}, {})) == 14);
  CHECK((chosen({}, {}) & bit(CAP_SYS_ADMIN)) == 0);
}

TEST_CASE("without device rules nobody may make nodes", "[security]") {
  CHECK(default_capabilities(true) - default_capabilities(false) == bit(CAP_MKNOD));
  CHECK(choose_capabilities({.devices_guarded = false}, everything).mask == default_capabilities(false));
  CHECK(choose_capabilities({.add = {"MKNOD"}, .devices_guarded = false}, everything).mask == default_capabilities(true));
}

TEST_CASE("add and drop, with ALL, as in Docker", "[security][N0-118]") {
  CHECK(chosen({"NET_ADMIN"}, {}) == (0xa80425fb | bit(CAP_NET_ADMIN)));
  CHECK(chosen({"cap_net_admin"}, {"CAP_NET_RAW"}) == ((0xa80425fb | bit(CAP_NET_ADMIN)) & ~bit(CAP_NET_RAW)));
  CHECK(chosen({"ALL"}, {}) == everything);
  CHECK(chosen({"all"}, {"SYS_ADMIN"}) == (everything & ~bit(CAP_SYS_ADMIN)));
  CHECK(chosen({}, {"ALL"}) == 0);
  CHECK(chosen({"KILL"}, {"ALL"}) == bit(CAP_KILL));
  CHECK(chosen({"KILL"}, {"KILL"}) == 0xa80425fb);
  CHECK(chosen({}, {}, true) == everything);
}

TEST_CASE("what the caller lacks cannot be given, and that is said", "[security]") {
  const std::uint64_t available = everything & ~bit(CAP_SYS_RESOURCE);
  const CapabilityChoice choice = choose_capabilities({.add = {"SYS_RESOURCE"}}, available);
  CHECK(choice.mask == 0xa80425fb);
  REQUIRE(choice.warnings.size() == 1);
  CHECK(choice.warnings[0].find("--cap-add SYS_RESOURCE has no effect") == 0);
  CHECK(choose_capabilities({.add = {"ALL"}}, available).mask == available);
  CHECK(choose_capabilities({.privileged = true}, available).mask == available);
  CHECK(choose_capabilities({.drop = {"KILL"}, .privileged = true}, available).warnings.size() == 1);
}

TEST_CASE("an unknown capability is refused by name", "[security]") {
  for (const char* name : {"NET_ADMINN", "", "ALLL", "CAP_"}) {
    INFO(name);
    CHECK_THROWS_WITH(chosen({name}, {}), ContainsSubstring("no such capability"));
    CHECK_THROWS_AS(chosen({}, {name}), Error);
  }
}

TEST_CASE("our names of capabilities are libcap's", "[security]") {
  for (int number = 0; number < static_cast<int>(cap_max_bits()) && number <= symbols::last_capability(); ++number) {
    char* name = cap_to_name(number);
    REQUIRE(name != nullptr);
    if (std::string(name).find("cap_") == 0) CHECK(symbols::capability_number(name) == number);
    cap_free(name);
  }
  CHECK(capability_text(bit(CAP_CHOWN) | bit(CAP_KILL)) == "CAP_CHOWN,CAP_KILL");
  CHECK(capability_text(0) == "none");
}

TEST_CASE("masks in a status file", "[security]") {
  const char* status = "Name:\tx\nCapPrm:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\nSeccomp:\t0\n";
  CHECK(mask_in_status(status, "CapPrm") == 0xa80425fb);
  CHECK(mask_in_status(status, "CapBnd") == everything);
  CHECK(mask_in_status(status, "CapAmb") == 0);
}

TEST_CASE("steps: what is not kept leaves the bounding set, inheritable stays empty", "[security][plan]") {
  plan::Plan plan;
  const auto steps = add_bounding_steps(plan, Lane::payload, 0xa80425fb, everything);
  CHECK(steps.size() == 41 - 14);
  for (const plan::Step& step : plan.steps()) CHECK((0xa80425fbULL >> std::get<std::int64_t>(step.action.args[0]) & 1) == 0);
  add_capset_step(plan, Lane::payload, 0xa80425fb, true);
  CHECK(std::get<std::int64_t>(plan.find("capset").action.args[0]) == 0xa80425fb);
  CHECK(std::get<std::int64_t>(plan.find("capset").action.args[2]) == 0);
  plan::Plan user;
  add_capset_step(user, Lane::payload, 0xa80425fb, false);
  CHECK(std::get<std::int64_t>(user.find("capset").action.args[1]) == 0);
}

TEST_CASE("ulimits are read as Docker writes them", "[security]") {
  CHECK(parse_ulimit("nofile=1024:4096") == Ulimit{RLIMIT_NOFILE, 1024, 4096});
  CHECK(parse_ulimit("nproc=3") == Ulimit{RLIMIT_NPROC, 3, 3});
  CHECK(parse_ulimit("core=0:-1") == Ulimit{RLIMIT_CORE, 0, unlimited});
  CHECK(parse_ulimit("stack=unlimited") == Ulimit{RLIMIT_STACK, unlimited, unlimited});
  for (const char* wrong : {"", "nofile", "nofile=", "nofile=:", "nofile=1:", "nofile=a", "nofile=2:1", "nofiles=1", "=1",
                            "nofile=1:2:3", "nofile=-2", "nofile= 1", "nofile=99999999999999999999", "RLIMIT_NOFILE=1"}) {
    INFO(wrong);
    CHECK_THROWS_AS(parse_ulimit(wrong), Error);
  }
}

TEST_CASE("a hard limit that cannot be raised stays, with a sentence", "[security][plan]") {
  const Ulimit wanted{RLIMIT_NOFILE, 2000, 4000};
  CHECK(clamp_ulimit(wanted, 5000, false).limit == wanted);
  CHECK_FALSE(clamp_ulimit(wanted, 5000, false).warning);
  CHECK(clamp_ulimit(wanted, 1000, true).limit == wanted);
  const ClampedUlimit clamped = clamp_ulimit(wanted, 1000, false);
  CHECK(clamped.limit == Ulimit{RLIMIT_NOFILE, 1000, 1000});
  REQUIRE(clamped.warning);
  CHECK(clamped.warning->find("CAP_SYS_RESOURCE") != std::string::npos);

  plan::Plan plan;
  const auto steps =
      add_ulimit_steps(plan, Lane::payload, {wanted, {RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 10, 20}}, {1000, 0, 1000}, false);
  CHECK(steps.size() == 2);
  CHECK(plan.warnings.empty());
  CHECK(std::get<std::int64_t>(plan.find("ulimit.RLIMIT_NOFILE").action.args[1]) == 10);
}
