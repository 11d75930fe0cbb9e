// Reading ledgers: what a container is, what was done for it, and undoing it when its monitor is dead.
//
// Example: for (const std::string& path : ledger_paths(state)) { Ledger ledger(path); if (!ledger.monitor_lives()) ledger.recover(); }
// Source: executor/wire.hpp; docs/architecture.md, "No leftovers".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <drydock/kernel/fd.hpp>
#include <drydock/plan/executor/wire.hpp>

namespace drydock::plan {

class Ledger {
 public:
  // Maps the ledger at `path` (shared, writable). Throws Error when it is none, or of another version.
  explicit Ledger(const std::string& path);
  explicit Ledger(Fd file);
  Ledger(Ledger&& other) noexcept;
  Ledger& operator=(Ledger&&) = delete;
  Ledger(const Ledger&) = delete;
  ~Ledger();

  wire::Header& header() { return *header_; }
  const wire::Header& header() const { return *header_; }
  const wire::WireStep& step(unsigned index) const;
  const wire::Record& record(unsigned index) const;
  std::string_view text(wire::Text where) const;
  const Fd& file() const { return file_; }

  // The process that executes it, identified by pid and start time, and of this boot.
  bool monitor_lives() const;
  // As monitor_lives(), but one that was killed a moment ago is waited for, a second at most.
  bool monitor_lives_on() const;
  // Of an earlier boot: nothing that it names exists any more.
  bool stale() const;

  // Ends what is left of the payload and undoes every step that was done: with `all` the files too, and then the ledger
  // itself. Only when the monitor is dead. False when somebody else is at it right now.
  bool recover(bool all);

 private:
  void map();
  // Every process that the records name, and waits for their ends.
  void end_processes() const;

  Fd file_;
  std::string path_;
  wire::Header* header_ = nullptr;
  std::size_t size_ = 0;
};

// Paths of the ledgers in a directory; a missing directory is an empty list.
std::vector<std::string> ledger_paths(const std::string& directory);

}  // namespace drydock::plan
