#include "experiments/region.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::chapter::fork_clone {

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// A page that nobody may touch on either side: else the kernel makes one area of neighbours, and smaps adds them up.
Region::Region(std::size_t pages, Sharing sharing) : pages_(pages) {
  const int kind = sharing == Sharing::own ? MAP_PRIVATE : MAP_SHARED;
  const long result = raw::call(SYS_mmap, nullptr, (pages + 2) * page_bytes(), PROT_NONE, kind | MAP_ANONYMOUS, -1, 0);
  if (raw::failed(result)) throw Error::from_errno("mmap", std::to_string(pages) + " pages", raw::error_of(result));
  address_ = reinterpret_cast<char*>(result) + page_bytes();
  raw::call(SYS_mprotect, address_, pages * page_bytes(), PROT_READ | PROT_WRITE);
  raw::call(SYS_madvise, address_, pages * page_bytes(), MADV_NOHUGEPAGE);  // a huge page would be one fault for 512
}

Region::~Region() {
  raw::call(SYS_munmap, static_cast<char*>(address_) - page_bytes(), (pages_ + 2) * page_bytes());
}

void Region::write_each_page() {
  auto* bytes = static_cast<volatile char*>(address_);
  for (std::size_t page = 0; page < pages_; ++page) bytes[page * page_bytes()] = 1;
}

void Region::write_all() {
  auto* bytes = static_cast<volatile char*>(address_);
  for (std::size_t at = 0; at < pages_ * page_bytes(); ++at) bytes[at] = 1;
}

std::uint64_t Region::kilobytes(const std::string& field) const {
  const std::string text = sys::read_file("/proc/self/smaps");
  // Neighbours with the same flags may be one area with ours: what is asked are sums over it, and nobody else writes there.
  const std::size_t area = text.find(fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(address_)));
  const std::size_t at = area == std::string::npos ? area : text.find("\n" + field + ":", area);
  if (at == std::string::npos) throw Error::refused("/proc/self/smaps", "it does not list the region's " + field);
  return std::stoull(text.substr(at + field.size() + 2));
}

namespace {

std::uint64_t minor_faults() {
  rusage usage{};
  raw::call(SYS_getrusage, RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt);
}

}  // namespace

std::uint64_t faults_of(Region& region, void (Region::*write)()) {
  Region spare(1);
  (spare.*write)();  // after fork the code itself is a fault, once
  minor_faults();
  const std::uint64_t before = minor_faults();
  (region.*write)();
  return minor_faults() - before;
}

}  // namespace drydock::chapter::fork_clone
