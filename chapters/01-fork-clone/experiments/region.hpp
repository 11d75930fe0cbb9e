// Memory whose pages are counted: anonymous, of small pages only, and what the kernel says about it.
//
// Example: Region region(1024); region.write_each_page(); region.kilobytes("Private_Dirty") == 4096
// Source: mmap(2), madvise(2), proc_pid_smaps(5), getrusage(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace drydock::chapter::fork_clone {

std::size_t page_bytes();

class Region {
 public:
  enum class Sharing { own, shared };
  explicit Region(std::size_t pages, Sharing sharing = Sharing::own);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  std::size_t pages() const { return pages_; }
  // One byte in every page; a first write to a page is a fault.
  void write_each_page();
  void write_all();
  volatile int& number() { return *static_cast<volatile int*>(address_); }
  // A field of this region in the caller's /proc/self/smaps, in kB.
  std::uint64_t kilobytes(const std::string& field) const;

 private:
  std::size_t pages_;
  void* address_;
};

// Page faults of the caller (those that need no disk) while it writes to the region.
std::uint64_t faults_of(Region& region, void (Region::*write)());

}  // namespace drydock::chapter::fork_clone
