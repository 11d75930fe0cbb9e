// drydock wait, stop, kill, rm, reset.
#include <drydock/container/parse.hpp>
#include <drydock/container/parse_values.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace drydock::cli {

int wait_command(const Words& words) {
  Options options("wait", "CONTAINER...", "Wait until containers have ended; print their exit codes, a line each.");
  options.footer("Example:\n  drydock wait web");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, Options::any_number, "the container", "for example: drydock wait web ('drydock ps' lists them)");
  const container::Engine engine = open_engine();
  return for_each_container(options.positionals(),
                            [&](const std::string& name) { print(std::to_string(engine.wait(name)) + "\n"); });
}

int stop_command(const Words& words) {
  int seconds = 10;
  Options options("stop", "CONTAINER...", "Ask containers to end (SIGTERM); after a time end them (SIGKILL).");
  options.value("-t,--time,--timeout", "SECONDS", "how long to wait before SIGKILL (default 10)", [&](const std::string& text) {
    seconds = static_cast<int>(container::parse_number("-t/--timeout", text, 0, 86400));
  });
  options.footer("Example:\n  drydock stop -t 2 web");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, Options::any_number, "the container", "for example: drydock stop web ('drydock ps' lists them)");
  container::Engine engine = open_engine();
  return for_each_container(options.positionals(), [&](const std::string& name) {
    engine.stop(name, seconds);
    print(name + "\n");
  });
}

int kill_command(const Words& words) {
  int signal = *symbols::signal_number("KILL");
  Options options("kill", "CONTAINER...", "Send a signal to the first program of containers.");
  options.value("-s,--signal", "SIGNAL", "which one: TERM, SIGUSR1, 9 (default KILL)", [&](const std::string& text) {
    const auto number = symbols::signal_number(text);
    if (!number)
      throw container::bad_value("-s/--signal", text, "there is no such signal",
                                 "for example TERM, KILL, USR1; 'kill -l' lists them");
    signal = *number;
  });
  options.footer("Example:\n  drydock kill -s HUP web");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, Options::any_number, "the container", "for example: drydock kill web ('drydock ps' lists them)");
  container::Engine engine = open_engine();
  return for_each_container(options.positionals(), [&](const std::string& name) {
    engine.kill(name, signal);
    print(name + "\n");
  });
}

int rm_command(const Words& words) {
  bool force = false;
  Options options("rm", "CONTAINER...", "Remove containers that have ended, with their writable layer and log.");
  options.flag("-f,--force", "end running ones first (SIGKILL)", force);
  options.footer("Example:\n  drydock rm -f web");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, Options::any_number, "the container", "for example: drydock rm web ('drydock ps -a' lists them)");
  container::Engine engine = open_engine();
  return for_each_container(options.positionals(), [&](const std::string& name) {
    engine.remove(name, force);
    print(name + "\n");
  });
}

int reset_command(const Words& words) {
  bool all = false;
  Options options("reset", "", "Remove what containers left behind when their monitor was killed. Running ones are not touched.");
  options.flag("-a,--all", "end running containers too", all);
  options.footer("It may be called at any time, also twice.\n\nExample:\n  drydock reset");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(0, 0, "", "reset takes no container; for one use 'drydock rm -f NAME'");
  const std::vector<std::string> done = container::Engine().reset(all);
  for (const std::string& line : done) print(line + "\n");
  if (done.empty()) print("nothing was left behind\n");
  return 0;
}

}  // namespace drydock::cli
