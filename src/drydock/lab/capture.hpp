// What a stream of a box said: the beginning and the end of it, never more than was asked for. The rest is counted and dropped.
//
// Example: Capture out(65536); out.take(buffer, size); out.text();
// Source: read(2); a program that is not read from stands still, one that is read without limit fills the grader's memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace drydock::lab {

class Capture {
 public:
  explicit Capture(std::size_t keep) : keep_(keep) {}
  void take(std::string_view bytes) {
    total_ += bytes.size();
    const std::size_t head = std::min(bytes.size(), keep_ / 2 - std::min(keep_ / 2, head_.size()));
    head_ += bytes.substr(0, head);
    tail_ += bytes.substr(head);
    if (tail_.size() > keep_) tail_.erase(0, tail_.size() - keep_ / 2);
  }
  std::size_t total() const { return total_; }
  bool complete() const { return total_ == head_.size() + tail_.size(); }
  std::string text() const {
    return complete() ? head_ + tail_
                      : head_ + "\n[... " + std::to_string(total_ - head_.size() - tail_.size()) + " bytes ...]\n" + tail_;
  }

 private:
  std::size_t keep_, total_ = 0;
  std::string head_, tail_;
};

}  // namespace drydock::lab
