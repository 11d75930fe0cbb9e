// A conversation in lines between a chapter and a process of its experiment, over two pipes.
//
// Both sides know when the other is gone: reading gives an empty line then, and a process that waits for a word ends by itself
// when the chapter does. Nothing waits for ever: a line that does not come within ten seconds is an Error.
//
// Example: Child child(CLONE_NEWUTS, [](Talk& chapter) { chapter.say(hostname()); return 0; });
//          std::string name = child.talk().line();
// Source: pipe(2).
#pragma once

#include <string>
#include <utility>

#include <drydock/kernel/fd.hpp>

namespace drydock::chapter {

class Talk {
 public:
  Talk() = default;
  Talk(Fd input, Fd output) : input_(std::move(input)), output_(std::move(output)) {}

  // The next line without its end; empty when the other side has closed. Throws Error after ten seconds of silence.
  std::string line();
  // All that comes until the other side closes.
  std::string rest();
  // A line to the other side. One that is gone hears nothing, and that is no error.
  void say(const std::string& text);
  // No more will be said: the other side reads an end.
  void close() { output_.reset(); }
  int input() const { return input_.get(); }
  int output() const { return output_.get(); }

 private:
  bool read_more();

  Fd input_, output_;
  std::string pending_;
};

// Two ends of a conversation: the parent's and the child's. The parent's descriptors are numbered from here on, so that a new
// child can close those of every conversation that its parent has.
inline constexpr int first_parent_end = 512;
std::pair<Talk, Talk> talk_pair();
// Read end and write end of a new pipe.
std::pair<Fd, Fd> pipe_pair();

}  // namespace drydock::chapter
