#include <drydock/plan/executor/context.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <drydock/kernel/process_stat.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

const wire::WireStep& Context::step(unsigned index) const {
  return reinterpret_cast<const wire::WireStep*>(base + header->steps_at)[index];
}

wire::Record& Context::record(unsigned index) const {
  return reinterpret_cast<wire::Record*>(base + header->records_at)[index];
}

namespace {

const wire::WireArg& argument(const Context& context, const wire::WireCall& call, int index) {
  return reinterpret_cast<const wire::WireArg*>(context.base + context.header->args_at)[call.first + static_cast<unsigned>(index)];
}

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);  // the vDSO: no entry into the kernel
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

long number(const Context& context, const wire::WireCall& call, int index) {
  if (index >= call.count) return 0;
  const wire::WireArg& arg = argument(context, call, index);
  if (arg.type != wire::ArgType::slot) return arg.value;
  return arg.value == wire::no_slot ? -1 : context.slots[arg.value];
}

const char* text(const Context& context, const wire::WireCall& call, int index) {
  if (index >= call.count) return "";
  const wire::WireArg& arg = argument(context, call, index);
  return context.base + context.header->blob_at + arg.value;
}

std::size_t text_length(const Context& context, const wire::WireCall& call, int index) {
  return index < call.count ? argument(context, call, index).length : 0;
}

int directory(const Context& context, const wire::WireCall& call, int index) {
  const wire::WireArg& arg = argument(context, call, index);
  if (arg.type == wire::ArgType::slot && arg.value == wire::no_slot) return AT_FDCWD;
  // A slot that nothing has filled is -1 (EBADF), never the current directory.
  return static_cast<int>(number(context, call, index));
}

bool open_ledger(Context& context, int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0 || static_cast<std::size_t>(status.st_size) < sizeof(wire::Header)) return false;
  const long address =
      raw::call(SYS_mmap, nullptr, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (raw::failed(address)) return false;
  context.base = reinterpret_cast<char*>(address);
  context.header = reinterpret_cast<wire::Header*>(address);
  context.ledger_fd = fd;
  const wire::Header& header = *context.header;
  if (header.magic_number != wire::magic || header.format != wire::version) return false;
  if (header.size != static_cast<std::uint64_t>(status.st_size) || header.slot_count > wire::max_slots) return false;
  if (header.step_count > sizeof context.arrived / sizeof context.arrived[0]) return false;
  for (long& slot : context.slots) slot = -1;
  return true;
}

std::uint64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}

std::uint64_t realtime_ns() {
  return clock_ns(CLOCK_REALTIME);
}

std::uint64_t start_time(int pid) {
  char path[40], buffer[1024];
  Line line(path, sizeof path);
  line.put("/proc/").put_number(pid).put("/stat");
  const long size = read_small_file(path, buffer, sizeof buffer);
  return size <= 0 ? 0 : parse_process_stat({buffer, static_cast<std::size_t>(size)}).start_time;
}

}  // namespace drydock::plan::executor
