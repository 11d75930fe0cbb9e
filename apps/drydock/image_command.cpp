// drydock image: a program of its own, because archives need libraries that would cost every start of a container a millisecond.
#include <unistd.h>

#include <cerrno>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include <sys/syscall.h>

#include "commands.hpp"

namespace drydock::cli {

int image_command(const Words& words) {
  const std::string self = sys::readlink("/proc/self/exe");
  const std::string directory = self.substr(0, self.rfind('/'));
  std::vector<char*> arguments;
  std::string name = "drydock image";
  Words copy = words;
  arguments.push_back(name.data());
  for (std::string& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  for (const std::string& path : {directory + "/drydock-image", directory + "/../libexec/drydock/drydock-image"}) {
    const long result = raw::call(SYS_execve, path.c_str(), arguments.data(), environ);
    if (result != -ENOENT) throw Error::from_errno("execve", "\"" + path + "\"", raw::error_of(result));
  }
  throw Error::refused("drydock-image", "it is neither in " + directory + " nor in " + directory + "/../libexec/drydock",
                       "build or install all of drydock");
}

}  // namespace drydock::cli
