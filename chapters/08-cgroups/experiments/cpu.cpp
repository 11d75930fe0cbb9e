// Processor time: shares, quota, and which processors.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include <string>
#include <vector>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/limited.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::control_groups {

namespace {

constexpr int measured_ms = 2000;

cgroups::Limits with_shares(std::uint64_t shares) {
  cgroups::Limits limits;
  limits.cpu_shares = shares;
  return limits;
}

std::vector<Child> spinners(const Limited& container, int count, int (*how)(Talk&) = spin_on_first_cpu) {
  std::vector<Child> all;
  for (int number = 0; number < count; ++number) all.push_back(container.member(how));
  for (Child& child : all) child.talk().line();
  return all;
}

// How much more processor time the first got than the second, while both wanted all of it.
double ratio_of_time(const Limited& first, const Limited& second) {
  const std::uint64_t before_first = cpu_ns(first), before_second = cpu_ns(second);
  pause_ms(measured_ms);
  return static_cast<double>(cpu_ns(first) - before_first) / static_cast<double>(cpu_ns(second) - before_second);
}

auto between(double least, double most) {
  return satisfies("from " + text(least) + " to " + text(most),
                   [=](const About& seen) { return seen.value >= least && seen.value <= most; });
}

Outcome write_setting(const std::string& path, const std::string& value) {
  const Fd file = sys::open(path, O_WRONLY);
  return {raw::call(SYS_write, file.get(), value.data(), value.size())};
}

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

void shares(Narrator& tell) {
  tell.step(
      "two containers, --cpu-shares 1024 and 512; in each a process that spins, both on the same processor, for two seconds");
  Limited large(tell, with_shares(1024)), small(tell, with_shares(512));
  auto first = spinners(large, 1);
  const auto second = spinners(small, 1);
  tell.show("time of the first to the second's", About{ratio_of_time(large, small), "to 1"}, between(1.4, 2.6));
  tell.show("periods in which one was stopped",
            large.group().events().throttled_periods + small.group().events().throttled_periods, is(0));
  tell.step("the first container stops spinning");
  first.clear();
  const std::uint64_t before = cpu_ns(small), before_large = cpu_ns(large);
  pause_ms(500);
  tell.show("does the second still get time?", cpu_ns(small) > before, is(true));
  tell.show("is its part the larger one now?", cpu_ns(small) - before > cpu_ns(large) - before_large, is(true));
  tell.result("a share is worth something only against somebody who wants the same processor. Nobody is ever stopped for it.");
}

void shares_clamped_v1(Narrator& tell) {
  Limited container(tell, with_shares(512));
  const std::string file = container.directory("cpu") + "/cpu.shares";
  tell.step("cpu.shares of a new group, and what the kernel makes of values");
  tell.show("--cpu-shares 512", container.setting("cpu shares"), is("512"));
  tell.show("write 1", write_setting(file, "1"), succeeds());
  tell.show("it reads", trimmed(sys::read_file(file)), is("2"));
  tell.show("write 1000000", write_setting(file, "1000000"), succeeds());
  tell.show("it reads", trimmed(sys::read_file(file)), is("262144"));
  Limited unset(tell, {});
  tell.show("without the flag", unset.setting("cpu shares"), is("1024"));
  tell.result("1024 is the kernel's default for a group, not the flag's: Docker stores 0, \"not asked\", and writes nothing.");
}

void weights_v2(Narrator& tell) {
  tell.step("--cpu-shares on cgroup v2: cpu.weight, from 1 to 10000");
  tell.show("--cpu-shares 1024", Limited(tell, with_shares(1024)).setting("cpu shares"), is("100"));
  tell.show("--cpu-shares 512", Limited(tell, with_shares(512)).setting("cpu shares"), is("59"));
  tell.show("--cpu-shares 2", Limited(tell, with_shares(2)).setting("cpu shares"), is("1"));
  tell.show("--cpu-shares 262144", Limited(tell, with_shares(262144)).setting("cpu shares"), is("10000"));
  tell.step("what runtimes made of 1024 before: a straight line from end to end");
  tell.show("1024 on that line", cgroups::linear_weight_from_shares(1024), is(39));
  tell.result("on the line a container with the default share lost against everybody who had none. The curve goes through 100.");
}

void quota(Narrator& tell) {
  const auto with_cpus = [](double cpus) {
    cgroups::Limits limits;
    limits.cpus = cpus;
    return limits;
  };
  const auto quota_of = [](const Limited& container) {
    const std::string quota = container.setting("cpus");
    return quota.substr(0, quota.find(' '));
  };
  tell.step("--cpus 0.5, and --cpus 0.05 with four members that spin for two seconds");
  tell.show("0.5, in us of each 100000", quota_of(Limited(tell, with_cpus(0.5))), is("50000"));
  Limited container(tell, with_cpus(0.05));
  tell.show("0.05, in us of each 100000", quota_of(container), is("5000"));
  const auto members = spinners(container, 4, spin);
  const std::uint64_t begin = sys::monotonic_ns(), before = cpu_ns(container);
  pause_ms(measured_ms);
  const double part = static_cast<double>(cpu_ns(container) - before) / static_cast<double>(sys::monotonic_ns() - begin);
  tell.show("processors that the four used", About{part, ""},
            satisfies("at most 0.08", [](const About& seen) { return seen.value <= 0.08; }));
  tell.show("was it stopped in some periods?", container.group().events().throttled_periods > 0, is(true));
  tell.result("a quota is a ceiling, also on an idle machine: after 5 ms of work all four stand still until the period ends.");
}

void eight_against_one(Narrator& tell) {
  tell.step("eight processes in one container, one in another, equal shares, all on the same processor, for two seconds");
  Limited crowd(tell, with_shares(1024)), single(tell, with_shares(1024));
  const auto many = spinners(crowd, 8), one = spinners(single, 1);
  tell.show("time of the eight to the one's", About{ratio_of_time(crowd, single), "to 1"}, between(0.6, 1.7));
  tell.result("time is divided among groups first, then among their members. Without groups it would have been eight to one.");
}

void cpuset(Narrator& tell) {
  cgroups::Limits limits;
  limits.cpuset_cpus = "0";
  tell.step("a container with --cpuset-cpus 0; a member asks on which processors it may run");
  Limited container(tell, limits);
  tell.show("the set in the kernel", container.setting("cpuset"), is("0"));
  Child member = container.member([](Talk& chapter) {
    cpu_set_t ours;
    CPU_ZERO(&ours);
    ::sched_getaffinity(0, sizeof ours, &ours);
    chapter.say(std::to_string(CPU_COUNT(&ours)) + (CPU_ISSET(0, &ours) ? ": number 0" : ": another"));
    CPU_ZERO(&ours);
    CPU_SET(1, &ours);
    const int result = ::sched_setaffinity(0, sizeof ours, &ours);
    chapter.say(text(Outcome{result == 0 ? 0 : -errno}));
    return 0;
  });
  tell.show("processors that it may use", member.talk().line(), is("1: number 0"));
  tell.show("sched_setaffinity to number 1", member.talk().line(), contains("EINVAL"));
  tell.result(
      "--cpus says how much, --cpuset-cpus says where. --cpu, which the notes list, is neither: it is an option of stress(1).");
}

void empty_cpuset_v1(Narrator& tell) {
  tell.step("a cpuset of v1 is born empty");
  cgroups::Limits limits;
  limits.cpuset_cpus = "0";
  Limited container(tell, limits);
  const std::string inner = container.directory("cpuset") + "/inner";
  sys::mkdir(inner, 0755);
  tell.show("its cpuset.cpus", trimmed(sys::read_file(inner + "/cpuset.cpus")), is(""));
  Child member(0, [&](Talk& chapter) {
    chapter.say(text(write_setting(inner + "/tasks", "0")));
    sys::write_file(inner + "/cpuset.cpus", "0");
    chapter.say(text(write_setting(inner + "/tasks", "0")));
    sys::write_file(inner + "/cpuset.mems", trimmed(sys::read_file(container.directory("cpuset") + "/cpuset.mems")));
    chapter.say(text(write_setting(inner + "/tasks", "0")));
    return 0;
  });
  tell.show("a process joins it", member.talk().line(), contains("ENOSPC"));
  tell.show("with a processor, no memory node", member.talk().line(), contains("ENOSPC"));
  tell.show("with both", member.talk().line(), is("it succeeds"));
  tell.result("\"no space left on device\" has nothing to do with a disk. That is why the knob table writes cpuset.mems first.");
}

}  // namespace drydock::chapter::control_groups
