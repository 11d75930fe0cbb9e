// A host of one's own for tests of whole containers: the real `drydock`, on a machine that is nobody else's.
//
// A Host moves the test program into a network and a mount namespace of its own (lo up, an empty /run) until it goes out of
// scope. Images are unpacked once for all hosts, below /tmp/drydock-test-<random>. What a test leaves behind is found by
// looking at the kernel, never by asking drydock: leftovers() lists processes, mounts, links, control groups, nftables
// tables, and files of state and containers, and gives each second chance for one second.
//
// Example:
//   Host host;
//   const Result run = host.drydock({"run", "--rm", "busybox", "hostname"});
//   CHECK(run.code == 0);
//   CHECK(host.leftovers() == nothing);
// Source: network_namespaces(7), mount_namespaces(7), PR_SET_CHILD_SUBREAPER in prctl(2).
#pragma once

#include <set>
#include <string>

#include <drydock/container/container.hpp>
#include <drydock/kernel/fd.hpp>

#include "container/program.hpp"
#include "support/catch.hpp"
#include "support/needs.hpp"

namespace drydock::test {

inline const Words nothing;

class Host {
 public:
  // Errors: std::runtime_error when the namespaces cannot be made (see can_play()).
  Host();
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Empty when this user can play host, else why not.
  static std::string cannot_play();

  // Runs `drydock` with these words until it ends.
  Result drydock(const Words& words, const How& how = {});
  Program start(const Words& words, const How& how = {});
  // What `drydock inspect` knows, from the library in this very process (which stands in the host's namespaces).
  container::Engine engine() const;
  container::Record record(const std::string& name) const { return engine().find(name); }

  const std::string& data() const { return data_; }
  // Other directories than the shared ones for what follows.
  void use_data(const std::string& directory) { data_ = directory; }
  Words environment() const;
  // Lays `with` over `path` for this host: it is part of the machine from now on.
  void cover(const std::string& path, const std::string& with);
  // A directory that goes with the host.
  const std::string& scratch() const { return scratch_; }

  // What is there and was not when the host began; looked at again for `patience_ms` until there is nothing.
  // `expected`: what a test put there itself; nothing more than that is waited for.
  Words leftovers(int patience_ms = 1000, const Words& expected = {});

 private:
  void note_beginning();
  Words look();

  Fd machine_network_, machine_mounts_;
  std::string data_, scratch_;
  std::set<std::string> mounts_, links_, groups_, tables_;
  std::string forwarding_;
};

// The path of the program under test, and of the unpacked images all hosts share.
std::string drydock_program();
const std::string& shared_data();

}  // namespace drydock::test

// First line of every test case here.
#define DRYDOCK_NEEDS_HOST()                                             \
  do {                                                                   \
    const std::string why_not = ::drydock::test::Host::cannot_play();    \
    if (!why_not.empty()) DRYDOCK_SKIP(why_not);                         \
  } while (false)
