#include "experiments/protections.hpp"

#include <linux/sched.h>

#include "shared/image.hpp"

namespace drydock::chapter::full_run {

namespace {

// What the plan does with a namespace is left out where there is none.
struct Use {
  std::uint64_t flag;
  std::vector<std::string> parts;
};
const std::vector<Use> uses{{CLONE_NEWUTS, {"hostname"}}, {CLONE_NEWNET, {"network", "cable"}}, {CLONE_NEWUSER, {"user"}}};

}  // namespace

Sketch container(const Without& without) {
  Sketch sketch = sketch_of(12, request_with_image({"sh"}));
  sketch.clone_flags &= ~without.namespaces;
  for (const std::string& part : without.parts) sketch.remove(part);
  for (const Use& use : uses)
    if ((without.namespaces & use.flag) != 0)
      for (const std::string& part : use.parts)
        if (sketch.has(part)) sketch.remove(part);
  if ((without.namespaces & CLONE_NEWNET) != 0) sketch.system.fresh_sysfs = false;
  if ((without.namespaces & CLONE_NEWIPC) != 0) sketch.system.mqueue = false;
  return sketch;
}

std::string ask(Payload& payload, const std::string& command) {
  payload.talk().say("{ " + command + "; } 2>&1 | head -n 1");
  return payload.talk().line();
}

std::string ask_shell(Payload& payload, const std::string& command) {
  payload.talk().say(command);
  return payload.talk().line();
}

std::string writing(const std::string& path, const std::string& bytes) {
  std::string octal;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    for (const int shift : {6, 3, 0}) octal += (shift == 6 ? "\\" : "") + std::to_string(byte >> shift & 7);
  }
  return "printf '" + octal + "' > " + path + "; chmod 755 " + path;
}

}  // namespace drydock::chapter::full_run
