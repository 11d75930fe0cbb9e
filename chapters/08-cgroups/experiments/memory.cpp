// Memory: the limit, the sum with swap, and what counts.
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include <drydock/cgroups/host.hpp>
#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/limited.hpp"

namespace drydock::chapter::control_groups {

namespace {

int exit_code_of_taking(Limited& container, std::uint64_t mebibytes) {
  return container
      .member([=](Talk&) {
        touch_memory(mebibytes);
        return 0;
      })
      .wait()
      .code();
}

std::uint64_t number(const std::string& text) {
  return std::stoull(text);
}

// Memory plus swap as the kernel has it, whichever of the two ways of counting this machine has.
std::string sum_with_swap(Limited& container) {
  const std::string value = container.setting("memory+swap");
  const bool v1 = container.layout().find("memory")->version == cgroups::Version::v1;
  if (value == "max" || number(value) > (std::uint64_t{1} << 62)) return "unlimited";
  return container::size_words(number(value) + (v1 ? 0 : number(container.setting("memory"))));
}

std::string refusal(const cgroups::Limits& limits) {
  try {
    cgroups::validate(limits, {});
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

void memory(Narrator& tell) {
  tell.step("a container with -m 32M and no swap; processes join its group and take memory");
  Limited container(tell, memory_limit(32));
  tell.show("the limit in the kernel", container::size_words(number(container.setting("memory"))), is("32 MiB"));
  tell.show("who takes 16 MiB ends with", exit_code_of_taking(container, 16), is(0));
  tell.show("who takes 64 MiB ends with", exit_code_of_taking(container, 64), is(137));
  const cgroups::Events events = container.group().events();
  tell.show("kills that the kernel counted", events.oom_kills, is(1));
  tell.show("was more than the limit ever in use?", container.group().usage().memory_peak_bytes.value_or(0) > 32 * mebibyte,
            is(false));
  tell.step("the others of the group");
  container.payload().talk().say("still here");
  tell.show("cat, which took little, says", container.payload().talk().line(), is("still here"));
  tell.result("137 is 128 + 9: SIGKILL, by the kernel. It looks for the largest process in the group, not on the machine.");
}

void memory_swap(Narrator& tell) {
  constexpr std::int64_t most = 200 * static_cast<std::int64_t>(mebibyte);
  const auto with = [&](std::optional<std::int64_t> swap) {
    cgroups::Limits limits;
    limits.memory = most;
    limits.memory_swap = swap;
    Limited container(tell, limits);
    return sum_with_swap(container);
  };
  tell.step("-m 200M with and without --memory-swap: memory and swap together, as the kernel has it");
  tell.show("-m 200M", with(std::nullopt), is("400 MiB"));
  tell.show("-m 200M --memory-swap 300M", with(300 * static_cast<std::int64_t>(mebibyte)), is("300 MiB"));
  tell.show("-m 200M --memory-swap 200M", with(most), is("200 MiB"));
  tell.show("-m 200M --memory-swap -1", with(-1), is("unlimited"));
  tell.step("what is refused");
  cgroups::Limits alone, small, below;
  alone.memory_swap = most;
  small.memory = 4 * mebibyte;
  below.memory = static_cast<std::uint64_t>(most);
  below.memory_swap = most / 2;
  tell.show("--memory-swap 200M alone", refusal(alone), contains("--memory"));
  tell.show("-m 4M", refusal(small), contains("6"));
  tell.show("-m 200M --memory-swap 100M", refusal(below), contains("--memory"));
  tell.result(
      "it is the sum, not what comes on top. v1 has a file for the sum, v2 one for swap alone, which gets the difference.");
}

void swap(Narrator& tell) {
  cgroups::Limits limits = memory_limit(32);
  tell.step("a process takes 64 MiB in a group with 32 MiB: without swap, and with 64 MiB of it");
  {
    Limited container(tell, limits);
    tell.show("--memory-swap 32M: it ends with", exit_code_of_taking(container, 64), is(137));
  }
  limits.memory_swap = static_cast<std::int64_t>(96 * mebibyte);
  Limited container(tell, limits);
  tell.show("--memory-swap 96M: it ends with", exit_code_of_taking(container, 64), is(0));
  tell.show("kills that the kernel counted", container.group().events().oom_kills, is(0));
  tell.result("swap makes a limit soft, and slow.");
}

void page_cache(Narrator& tell) {
  tell.step("a member of a group with 32 MiB writes a file of 64 MiB, and reads it");
  Limited container(tell, memory_limit(32));
  Child reader = container.member([](Talk& chapter) {
    const Fd file = sys::open("/var/tmp", O_TMPFILE | O_RDWR, 0600);
    const std::string block(mebibyte, 'x');
    for (int blocks = 0; blocks < 64; ++blocks) sys::write_all(file, block);
    sys::fsync(file);
    sys::lseek(file, 0);
    std::string buffer(mebibyte, '\0');
    std::size_t total = 0;
    while (const std::size_t size = sys::read(file, buffer.data(), buffer.size())) total += size;
    chapter.say(std::to_string(total / mebibyte));
    chapter.line();
    return 0;
  });
  tell.show("read, in MiB", reader.talk().line(), is("64"));
  const double used = static_cast<double>(container.group().usage().memory_bytes.value_or(0)) / mebibyte;
  tell.show("memory of the group", About{used, "MiB"},
            satisfies("at most 32", [](const About& about) { return about.value <= 32; }));
  tell.show("of it more than the process has itself?", used > 8, is(true));
  tell.show("kills that the kernel counted", container.group().events().oom_kills, is(0));
  tell.result(
      "pages of files count too, and are given back when there is need. Full is the usual state of a group, and no alarm.");
}

}  // namespace drydock::chapter::control_groups
