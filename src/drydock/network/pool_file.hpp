// The pool file in the hands of the library: locked, read at once, written back record by record. Internal to network/.
//
// Its format is the monitor's (plan/executor/shared_network.hpp), and so is the test whether a lease is alive.
//
// Example: PoolFile file("/run/drydock/net-1/addresses", true); if (file.fresh()) begin(file.header());
// Errors: Error with the path when the file cannot be opened, locked, read or written.
// Source: flock(2), pwrite(2).
#pragma once

#include <string>
#include <vector>

#include <drydock/kernel/fd.hpp>
#include <drydock/plan/executor/shared_network.hpp>

namespace drydock::network {

// Any socket of the caller's network namespace: what questions about links and about the namespace itself are put to.
Fd any_socket();

// The lock is held for as long as the object lives.
class PoolFile {
 public:
  using Header = plan::executor::PoolHeader;
  using Record = plan::executor::LeaseRecord;

  // Without `create` a missing file is no error: see exists().
  PoolFile(const std::string& path, bool create);
  bool exists() const { return static_cast<bool>(fd_); }
  // New, or not a pool (it was emptied then): the header holds nothing.
  bool fresh() const { return fresh_; }

  Header& header() { return header_; }
  std::vector<Record>& records() { return records_; }
  plan::executor::Liveness life(const Record& record, const std::string& ledgers) const;
  // No lease is alive.
  bool idle(const std::string& ledgers) const;
  void save_header();
  void save_record(std::size_t index);

 private:
  void load();
  void read(void* data, std::size_t size, std::size_t offset);
  void write(const void* data, std::size_t size, std::size_t offset);

  std::string path_;
  Fd socket_, fd_;
  Header header_{};
  std::vector<Record> records_;
  bool fresh_ = false;
};

}  // namespace drydock::network
