// A launched plan and the program that it became: the chapter watches it from outside.
//
// The plan goes to drydock-monitor, as every plan of the project does. The program's input and output are a conversation in
// lines with the chapter (its standard error goes to the output too). When the Payload goes out of scope, the program is ended
// and every step undone.
//
// Example: Payload payload(tell, sketch_of(2, request_of_this_user()));   // `cat`, in the container of chapter 2
//          tell.show("uts namespace", Sides{id_of(0, Kind::uts), id_of(payload.pid(), Kind::uts)}, differ());
//          payload.talk().say("x"); payload.talk().line();                // "x"
// Source: drydock/plan/launch.hpp.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include <drydock/facts/snapshot.hpp>
#include <drydock/plan/launch.hpp>

#include "shared/narrator.hpp"
#include "shared/sketch.hpp"
#include "shared/talk.hpp"

namespace drydock::chapter {

class Payload {
 public:
  // Returns when the program runs. Throws the Error of the step that failed; nothing is left then.
  Payload(Narrator& tell, Draft draft);
  Payload(Narrator& tell, Sketch sketch) : Payload(tell, std::move(sketch).build()) {}
  ~Payload();
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;

  // As the chapter sees it; the number inside may be another.
  pid_t pid() const { return pid_; }
  facts::Snapshot facts() const { return facts::take(pid_); }
  Talk& talk() { return talk_; }
  // By its monitor, which is in no namespace of the container.
  void signal(int number);
  // True when it ends within `timeout_ms`.
  bool ends_within(int timeout_ms) const;
  // Its exit code, 128+n after signal n, when everything is undone. Throws Error when it does not end within ten seconds.
  int wait();
  // Closes the conversation, at which `cat` ends by itself, and waits.
  int end();
  const plan::Launch& launch() const { return *launch_; }

 private:
  void leave();

  Narrator& tell_;
  std::unique_ptr<plan::Launch> launch_;
  Talk talk_;
  pid_t pid_ = 0;
  Fd pidfd_;
  bool ended_ = false;
};

// Runs the sketch's program in the foreground with the caller's own input and output: `chNN-name -- CMD...`. Its exit status.
int run_in_foreground(Narrator& tell, Sketch sketch);

// The command line by which a payload runs the function `name` of this chapter program (Chapter::inside).
std::vector<std::string> inside(const std::string& name);

}  // namespace drydock::chapter
