// The one error type of the project: what was attempted, on which object, why the kernel refused, what to do.
//
// Example: throw Error::from_errno("openat", "\"/etc/passwd\", O_RDONLY", ENOENT);
//          throw Error::refused("image 'alpine'", "no such image in the store", "run 'drydock images' to see what is there");
// A refusal by Drydock itself (bad input) has no errno: `code()` is 0.
// Source: errno(3). Messages are lower case, name the object and end without a full stop.
#pragma once

#include <stdexcept>
#include <string>

namespace drydock {

class Error : public std::runtime_error {
 public:
  struct Parts {
    std::string call;       // the system call, or the operation of ours that refused
    std::string arguments;  // as they are printed: symbolic flags, quoted paths
    int code = 0;           // errno, 0 if the kernel was not asked
    std::string step;       // the step of the launch plan, empty outside a plan
    std::string reason;     // why, in words; filled from the table in explain.hpp when empty
    std::string remedy;     // what to do about it
    std::string object = {};  // as a user would name it: some reasons hold for one kind of object only
  };

  explicit Error(Parts parts);

  // A call of the kernel failed. `detail` is what the kernel itself said (netlink extended
  // acknowledgement, fsopen message log), empty when it said nothing.
  static Error from_errno(std::string call, std::string arguments, int code, std::string detail = {});
  // Drydock refuses `object` for `reason`; `remedy` tells the user what to type instead.
  static Error refused(std::string object, std::string reason, std::string remedy = {});

  const Parts& parts() const noexcept { return parts_; }
  int code() const noexcept { return parts_.code; }
  const std::string& call() const noexcept { return parts_.call; }
  const std::string& step() const noexcept { return parts_.step; }
  const std::string& reason() const noexcept { return parts_.reason; }
  const std::string& remedy() const noexcept { return parts_.remedy; }

 private:
  Parts parts_;
};

// "ENOENT" for 2; "errno 9999" for a number that has no name.
std::string errno_name(int code);
// "No such file or directory" for 2.
std::string errno_text(int code);

}  // namespace drydock
