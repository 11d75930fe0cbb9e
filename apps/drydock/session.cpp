#include "session.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <memory>

#include <drydock/container/parse.hpp>
#include <drydock/container/parse_values.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/permission.hpp>

#include "output.hpp"

namespace drydock::cli {

container::Engine open_engine(bool starts_another) {
  container::Engine engine;
  engine.recover(starts_another);
  return engine;
}

int for_each_container(const Words& names, const std::function<void(const std::string&)>& act) {
  int code = 0;
  for (const std::string& name : names) {
    try {
      act(name);
    } catch (...) {
      say(sentence(std::current_exception()));
      code = 1;
    }
  }
  return code;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = ::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

std::string working_directory() {
  const std::unique_ptr<char, void (*)(void*)> here(::get_current_dir_name(), ::free);
  if (!here) throw Error::refused("the working directory", "it does not exist any more", "change to another one with cd");
  return here.get();
}

void declare_run_options(Options& options, container::RunOptions& target) {
  options.heading("Watching how it is done");
  options.flag("--explain", "stop at each step and say why it is there", target.explain);
  options.value("--trace", "FILE", "write one JSON line a step: result and microseconds",
                [&target](const std::string& text) { target.trace_path = text; });
  options.flag("--timeline", "show at the end where the microseconds went", target.timeline);
  options.heading("");
  options.value("--inject", "STEP=ERRNO", "let a step fail, for example mount.proc=EPERM; shows the message and the undo",
                [&target](const std::string& text) {
                  const std::size_t equals = text.find('=');
                  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
                    throw container::bad_value("--inject", text, "a step and an error are wanted",
                                               "for example --inject mount.proc=EPERM");
                  target.inject = text;
                });
}

void declare_environment(Options& options, Words& env) {
  options.value("-e,--env", "NAME=VALUE", "set a variable; NAME alone passes on ours", [&env](const std::string& text) {
    if (auto variable = container::parse_env(text, environment)) env.push_back(std::move(*variable));
  });
  options.value("--env-file", "FILE", "set variables from a file, NAME=VALUE a line", [&env](const std::string& file) {
    const auto contents = sys::read_file_if_present(file);
    if (!contents) throw container::bad_value("--env-file", file, "there is no such file", "check the path; it is one of this machine");
    for (std::string& variable : container::parse_env_file(*contents, file, environment))
      env.push_back(std::move(variable));
  });
}

std::string why_impossible() {
  if (sys::geteuid() == 0) return {};
  const std::string begin = "a container needs root, or a user namespace, and this machine gives ordinary users none: ";
  if (const auto closed = namespaces::closed_by(sys::geteuid(), namespaces::read_settings()))
    return begin + closed->found() + "; run it with sudo, or let root change that setting: " + closed->remedy();
  if (!sys::exists("/proc/self/ns/user")) return begin + "its kernel has no user namespaces; run it with sudo";
  return {};
}

}  // namespace drydock::cli
