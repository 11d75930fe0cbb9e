// drydock exec, attach.
#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace drydock::cli {

int exec_command(const Words& words) {
  container::ExecSpec spec;
  container::RunOptions watching;
  Options options("exec", "CONTAINER COMMAND [ARG...]", "Run another program in a running container.");
  options.heading("The program");
  options.flag("-i,--interactive", "keep standard input open", spec.interactive);
  options.flag("-t,--tty", "give it a terminal", spec.terminal);
  options.flag("-d,--detach", "do not wait for it", spec.detach);
  declare_environment(options, spec.env);
  options.value("-w,--workdir", "DIR", "its working directory",
                [&](const std::string& text) { spec.working_directory = container::parse_directory("-w/--workdir", text); });
  options.value("-u,--user", "USER[:GROUP]", "run as this user, a name or a number",
                [&](const std::string& text) { spec.user = container::parse_user(text); });
  options.flag("--privileged", "every capability", spec.privileged);
  declare_run_options(options, watching);
  options.footer("Example:\n  drydock exec -it web sh\n\nExit code: the program's own; 125, 126, 127 as in run.");
  if (!options.parse(words, Options::Stop::at_first_positional)) return 0;
  options.require(2, Options::any_number, options.positionals().empty() ? "the container" : "the program",
                  "for example: drydock exec -it web sh");
  const Words& rest = options.positionals();
  spec.command.assign(rest.begin() + 1, rest.end());
  try {
    return open_engine().exec(rest[0], spec, watching);
  } catch (...) {
    say(sentence(std::current_exception()));
    return run_exit_code(std::current_exception());
  }
}

int attach_command(const Words& words) {
  Options options("attach", "CONTAINER", "Connect standard input and output to a running container.");
  options.footer("With a terminal (-t), ctrl-p ctrl-q leaves it running.\n\nExample:\n  drydock attach web");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, 1, "the container", "for example: drydock attach web ('drydock ps' lists them)");
  return open_engine().attach(options.positionals()[0]);
}

}  // namespace drydock::cli
