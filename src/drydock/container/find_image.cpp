// The image of a run; the embedded one is loaded when it is asked for and missing.
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <drydock/container/engine.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::container {

namespace {

constexpr const char* base_image = "busybox";

// The embedded base image is loaded by the program that can unpack archives, which stays out of this one for speed.
void load_base_image(const Paths& paths) {
  std::string program = paths.monitor.substr(0, paths.monitor.rfind('/')) + "/drydock-image";
  std::string name = "drydock-image", command = "ensure-base", option = "--root", data = paths.data;
  std::array<char*, 5> argv{name.data(), command.data(), option.data(), data.data(), nullptr};
  const Fd words = sys::memfd_create("words", MFD_CLOEXEC);  // what it has to say becomes part of our one message
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, words.get(), 2);
  pid_t pid = 0;
  const int code = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) throw Error::refused("drydock-image", "it is not at " + program, "install it beside drydock");
  if (code != 0) throw Error::from_errno("posix_spawn", "\"" + program + "\"", code);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) status = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::string why = sys::read_file("/proc/self/fd/" + std::to_string(words.get()));
  if (why.starts_with("drydock: ")) why.erase(0, 9);
  while (why.ends_with('\n')) why.pop_back();
  throw Error::refused("image 'busybox'", "the embedded base image could not be unpacked: " + why);
}

}  // namespace

image::Image find_image(const Spec& spec, const Paths& paths) {
  const image::Store store(paths.data);
  if (auto image = store.find_if_present(spec.image)) return std::move(*image);
  if (image::normalized_reference(spec.image) == image::normalized_reference(base_image)) load_base_image(paths);
  return store.find(spec.image);
}

}  // namespace drydock::container
