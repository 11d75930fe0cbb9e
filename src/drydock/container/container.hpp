// Running containers: from a spec to an exit status, and everything one may do to a container in between.
//
// No function here clones, unshares or joins anything: each hands a launch plan to drydock-monitor and talks to it. They are
// safe to call from a process with many threads and from an interpreter.
//
// Example: Engine engine;                        // /var/lib/drydock and /run/drydock, or the user's own
//          Outcome outcome = engine.run(spec);   // foreground: returns when the program has ended
// Errors: Error with step, call, object, reason and remedy; nothing is left behind when one is thrown.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <drydock/container/spec.hpp>
#include <drydock/kernel/fd.hpp>
#include <drydock/plan/launch.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::container {

struct Paths {
  std::string data;   // images, container layers, volumes, logs: /var/lib/drydock
  std::string state;  // ledgers, sockets: /run/drydock (rootless: $XDG_RUNTIME_DIR/drydock)
  std::string monitor;  // the static executor, found beside the program
};

// From DRYDOCK_ROOT, DRYDOCK_STATE and DRYDOCK_MONITOR, else the defaults of this user.
Paths default_paths();

enum class Status { created, running, frozen, exited, removing };

struct Record {  // what `ps` and `inspect` show; all of it is in the ledger
  std::string id, name, image;
  std::string image_id;              // config digest
  std::vector<std::string> layers;   // directories, lowest first
  std::vector<std::string> command;
  Status status = Status::created;
  pid_t pid = 0;                   // of pid 1 of the container, in the caller's pid namespace; 0 when not running
  std::uint64_t pid_start = 0;     // clock ticks since boot
  pid_t monitor = 0;
  std::uint64_t created_ns = 0, started_ns = 0, finished_ns = 0;  // CLOCK_REALTIME
  int exit_code = 0;               // 128+n when signal n ended it
  bool out_of_memory = false;
  std::string address;             // on the bridge, empty otherwise
  std::string log_path;
  std::string ledger_path;
  std::vector<std::string> cgroups;  // directories, absolute
  Spec spec;
};

struct Outcome {
  std::string id;
  int exit_code = 0;
  bool out_of_memory = false;
  std::vector<std::string> warnings;
};

struct RunOptions {
  std::string trace_path;  // JSON lines, one per step
  bool timeline = false;   // on stderr, after the end
  bool parting = false;    // the process ends with the run (a command line): what all containers share is looked after without it
  bool explain = false;    // stop at each step (without a terminal: print and go on)
  std::string inject;      // "STEP=ERRNO": fail that step instead of executing it
  std::function<void(const std::string&)> on_warning;  // called before the program starts: what this machine cannot enforce
  plan::Streams streams;                  // of a foreground program without a terminal
  std::function<void()> while_starting;   // start and start_exec: called now and then; what it throws ends the start
};

// A program that was started for a caller with work of its own. When this object ends, so does the program, and everything is
// undone, unless it is detached.
struct Started {
  std::string id;
  std::vector<std::string> warnings;
  plan::Launch launch;
};

struct ExecSpec {
  std::vector<std::string> command;
  std::vector<std::string> env;
  std::string user, working_directory;
  bool interactive = false, terminal = false, detach = false, privileged = false;
};

struct LogOptions {
  bool follow = false;      // go on until the container ends
  bool timestamps = false;  // RFC 3339, before each line
  std::optional<std::uint64_t> tail;  // of what is there, only that many lines
};

class Engine {
 public:
  explicit Engine(Paths paths = default_paths());
  const Paths& paths() const { return paths_; }

  // The plan of a run, without running it. Needs no privilege; an image that is not in the store is an Error.
  plan::Plan plan(const Spec& spec) const;
  // Foreground: waits, passes stdio, signals and the terminal through. With spec.detach: returns when the program has started.
  Outcome run(const Spec& spec, const RunOptions& options = {});
  // The same up to the point where the program runs; the caller's signals and terminal are left alone. For an interpreter.
  Started start(const Spec& spec, const RunOptions& options = {});
  // The exit status of the program (126, 127 as in run).
  int exec(const std::string& container, const ExecSpec& spec, const RunOptions& options = {});
  // As start(), in a running container.
  Started start_exec(const std::string& container, const ExecSpec& spec, const RunOptions& options = {});

  std::vector<Record> list(bool all) const;
  // Of every network namespace of this machine, whatever their state: whose layers are in use.
  std::vector<Record> list_of_all_hosts() const;
  // By id, unique prefix of an id, or name. Throws Error when there is none or more than one.
  Record find(const std::string& container) const;
  // Connects stdio to a running container; returns its exit status.
  int attach(const std::string& container);
  // Log lines to `sink(stream, text)` (stream 1 or 2) until there are no more, or `sink` returns false.
  void logs(const std::string& container, const LogOptions& options, const std::function<bool(int, std::string_view)>& sink) const;
  // Blocks until the container has ended; its exit status.
  int wait(const std::string& container) const;
  // SIGTERM, then SIGKILL after `timeout_seconds`.
  void stop(const std::string& container, int timeout_seconds = 10);
  void kill(const std::string& container, int signal);
  void remove(const std::string& container, bool force);
  // Undoes what dead monitors left, frees shared things nobody uses; with `all` ends running containers first.
  // Returns what was done, a line each. Idempotent; may run twice at once.
  std::vector<std::string> reset(bool all);
  // The quiet part of reset that every command does first. One that `starts_another` container does not wait for the links of
  // those that ended: it will use the bridge.
  void recover(bool starts_another = false);

 private:
  Paths paths_;
};

}  // namespace drydock::container
