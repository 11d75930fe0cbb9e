// Block devices: bytes and operations per second, and what a weight needs.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include <drydock/cgroups/host.hpp>
#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/disk.hpp"
#include "experiments/limited.hpp"

namespace drydock::chapter::control_groups {

namespace {

constexpr std::size_t block = 4096;

// Aligned, as direct access wants it.
std::unique_ptr<char, void (*)(void*)> buffer_of(std::size_t size) {
  std::unique_ptr<char, void (*)(void*)> buffer(static_cast<char*>(::aligned_alloc(block, size)), ::free);
  std::fill_n(buffer.get(), size, 'x');
  return buffer;
}

Fd scratch_file(int flags) {
  return sys::open(scratch, O_TMPFILE | O_RDWR | flags, 0600);
}

void write_file(const Fd& file, std::size_t size, std::size_t chunk) {
  const auto buffer = buffer_of(chunk);
  for (std::size_t done = 0; done < size; done += chunk)
    if (::pwrite(file.get(), buffer.get(), chunk, static_cast<off_t>(done)) < 0)
      throw Error::from_errno("pwrite", "a file on the disk", errno);
}

void read_file(const Fd& file, std::size_t size, std::size_t chunk) {
  const auto buffer = buffer_of(chunk);
  for (std::size_t done = 0; done < size; done += chunk)
    if (::pread(file.get(), buffer.get(), chunk, static_cast<off_t>(done)) < 0)
      throw Error::from_errno("pread", "a file on the disk", errno);
}

// Nanoseconds that `act` takes as a member of the container.
std::uint64_t time_of(Limited& container, const std::function<void()>& act) {
  Child member = container.member([&](Talk& chapter) {
    const std::uint64_t begin = sys::monotonic_ns();
    act();
    chapter.say(std::to_string(sys::monotonic_ns() - begin));
    return 0;
  });
  const std::string said = member.talk().line();
  if (said.empty()) throw Error::refused("a member that reads or writes", "it failed");
  return std::stoull(said);
}

About rate(std::size_t size, std::uint64_t nanoseconds) {
  return {static_cast<double>(size) / mebibyte / (static_cast<double>(nanoseconds) / 1e9), "MiB/s"};
}

auto not_above(double limit) {
  return satisfies("at most " + text(limit), [=](const About& seen) { return seen.value <= limit; });
}

// "30MB", as it stands behind the device.
cgroups::DeviceRate rate_of(const char* words) {
  return container::parse_device_bytes("--device-write-bps", "/dev/disk:" + std::string(words));
}

cgroups::Limits write_limit(const char* words) {
  cgroups::Limits limits;
  limits.write_bps = {{*disk_below(scratch), rate_of(words).rate}};
  return limits;
}

// What the kernel has behind the device's number: "31457280", or on v2 "wbps=31457280".
std::string stored(const Limited& container, const char* knob, const char* v2_key) {
  const std::string all = container.setting(knob) + " ";
  const std::size_t key = all.find(std::string(v2_key) + "=");
  const std::size_t begin = key != std::string::npos ? key + std::string(v2_key).size() + 1 : all.find(' ') + 1;
  return all.substr(begin, all.find_first_of(" \n", begin) - begin);
}

}  // namespace

std::optional<std::string> disk_below(const char* directory) {
  struct stat status;
  if (::stat(directory, &status) != 0) return std::nullopt;
  const std::string number = std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
  const std::string entry = "/sys/dev/block/" + number;
  if (!sys::exists(entry)) return std::nullopt;
  if (!sys::exists(entry + "/partition")) return number;
  std::string whole = sys::read_file(entry + "/../dev");
  whole.pop_back();
  return whole;
}

Need disk() {
  return {"a disk", [] {
            return disk_below(scratch)
                       ? ""
                       : std::string(scratch) + " is on no disk of its own; a machine with an ordinary file system there has one";
          }};
}

void write_bps(Narrator& tell) {
  tell.step("the notes' example, 30MB per second (its option is misspelt there, as --device-wirte-bps)");
  {
    Limited container(tell, write_limit("30MB"));
    tell.show("bytes per second in the kernel", stored(container, "write bytes", "wbps"), is("31457280"));
  }
  tell.step("--device-write-bps 8MB, and a member that writes 8 MiB past the page cache (O_DIRECT)");
  Limited container(tell, write_limit("8MB"));
  const std::size_t size = 8 * mebibyte;
  const std::uint64_t taken = time_of(container, [&] { write_file(scratch_file(O_DIRECT), size, 256 * 1024); });
  tell.show("written at", rate(size, taken), not_above(10));
  tell.show("MiB that the kernel counted", container.group().usage().write_bytes.value_or(0) / mebibyte, at_least(8));
  tell.result("MB is MiB here: 31457280 bytes. The device is a whole disk; a partition is refused.");
}

void read_bps(Narrator& tell) {
  tell.step("--device-read-bps 8MB; a member reads 8 MiB past the page cache");
  cgroups::Limits limits;
  limits.read_bps = {{*disk_below(scratch), rate_of("8MB").rate}};
  const std::size_t size = 8 * mebibyte;
  const Fd file = scratch_file(O_DIRECT);
  write_file(file, size, 256 * 1024);
  Limited container(tell, limits);
  tell.show("bytes per second in the kernel", stored(container, "read bytes", "rbps"), is("8388608"));
  const std::uint64_t taken = time_of(container, [&] { read_file(file, size, 256 * 1024); });
  tell.show("read at", rate(size, taken), not_above(10));
  tell.show(
      "the same by a process outside",
      [&] {
        const std::uint64_t begin = sys::monotonic_ns();
        read_file(file, size, 256 * 1024);
        return Time{sys::monotonic_ns() - begin};
      }(),
      satisfies("faster", [=](Time time) { return time.nanoseconds < taken; }));
  tell.result("a member waits in the kernel, before its request reaches the disk.");
}

void iops(Narrator& tell) {
  constexpr std::size_t operations = 100;
  const auto per_second = [](std::uint64_t taken) {
    return About{operations / (static_cast<double>(taken) / 1e9), "per second"};
  };
  cgroups::Limits limits;
  limits.read_iops = limits.write_iops = {{*disk_below(scratch), operations}};
  const Fd file = scratch_file(O_DIRECT);
  write_file(file, operations * block, block);
  sys::fsync(file);
  tell.step("--device-read-iops 100 --device-write-iops 100; a member makes 100 operations of 4096 bytes of each kind");
  Limited container(tell, limits);
  tell.show("reads per second in the kernel", stored(container, "read operations", "riops"), is("100"));
  tell.show("writes per second in the kernel", stored(container, "write operations", "wiops"), is("100"));
  tell.show("reads", per_second(time_of(container, [&] { read_file(file, operations * block, block); })), not_above(130));
  tell.show("writes", per_second(time_of(container, [&] { write_file(file, operations * block, block); })), not_above(130));
  tell.show("KiB that were read by it", container.group().usage().read_bytes.value_or(0) / 1024, at_least(400));
  tell.result("iops counts requests, bps bytes: 100 small reads are 400 KiB, and would be nothing under a limit in bytes.");
}

namespace {

enum class Wait : std::uint8_t { no, for_the_disk };

// How fast a member of a container with these limits writes through the page cache.
About buffered_write(Narrator& tell, const cgroups::Limits& limits, std::size_t size, Wait wait) {
  Limited container(tell, limits);
  return rate(size, time_of(container, [&] {
                const Fd file = scratch_file(0);
                write_file(file, size, mebibyte);
                if (wait == Wait::for_the_disk) sys::fsync(file);
              }));
}

}  // namespace

void buffered_v1(Narrator& tell) {
  tell.step("--device-write-bps 8MB; a member writes 16 MiB through the page cache");
  tell.show("written at", buffered_write(tell, write_limit("8MB"), 16 * mebibyte, Wait::no),
            satisfies("more than 16", [](const About& seen) { return seen.value > 16; }));
  tell.result("on v1 the writing is done later, by a thread of the kernel that is in no group: nobody waits.");
}

void buffered_v2(Narrator& tell) {
  tell.step("--device-write-bps 2MB; a member writes 4 MiB through the page cache and waits for the disk (fsync)");
  const About limited = buffered_write(tell, write_limit("2MB"), 4 * mebibyte, Wait::for_the_disk);
  tell.show("written at", limited, not_above(2.5));
  tell.step("the same in a container without a limit");
  tell.show("written at", buffered_write(tell, {}, 4 * mebibyte, Wait::for_the_disk),
            satisfies("more than twice", [=](const About& seen) { return seen.value > 2 * limited.value; }));
  tell.result(
      "v2 knows whose page it is when it is written: memory and io are in one tree, so the limit holds for buffered writes too.");
}

void blkio_weight(Narrator& tell) {
  cgroups::Limits limits;
  limits.blkio_weight = 500;
  tell.step("--blkio-weight 500 on this machine");
  const Request request = request_of_this_user({"cat"}, limits);
  const cgroups::LimitWrites writes = cgroups::limit_writes(request.layout, limits, request.machine);
  const bool acts = request.machine.bfq_active || request.machine.io_cost || request.machine.cfq;
  tell.show("is it said where nothing acts on it?", writes.warnings.empty() == acts, is(true));
  tell.step("what could: the scheduler of the disk");
  const std::string schedulers = sys::read_file("/sys/dev/block/" + *disk_below(scratch) + "/queue/scheduler");
  tell.show("does it offer cfq (default 500)?", schedulers.find("cfq") != std::string::npos, is(false));
  limits.blkio_weight = 5;
  const auto refusal = [&]() -> std::string {
    try {
      cgroups::validate(limits, request.machine);
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  };
  tell.show("--blkio-weight 5", refusal(), contains("10"));
  tell.result("CFQ left Linux with 5.0. Without BFQ or io.cost a weight moves nothing, and a tool should say so.");
}

}  // namespace drydock::chapter::control_groups
