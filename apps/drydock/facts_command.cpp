// drydock facts, facts diff.
#include <drydock/facts/report.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include <climits>

#include <drydock/container/parse_values.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace drydock::cli {

namespace {

container::Record container_of(const std::string& word, bool number) {
  try {
    return container::Engine().find(word);
  } catch (const Error&) {
    if (!number) throw;
    throw Error::refused("process " + word, "there is no such process, and no container with that id",
                         "'ps -e' lists processes, 'drydock ps' containers");
  }
}

// A number is a process; anything else, and a number that is no process, a container.
pid_t process_of(const std::string& word) {
  const bool number = !word.empty() && word.size() < 10 && word.find_first_not_of("0123456789") == std::string::npos;
  if (number && sys::exists("/proc/" + word)) return static_cast<pid_t>(std::stol(word));
  const container::Record record = container_of(word, number);
  if (record.pid == 0)
    throw Error::refused("container " + word, "it is not running, so the kernel knows nothing of it",
                         "'drydock inspect " + word + "' shows what was recorded");
  return record.pid;
}

facts::Snapshot snapshot_of(const Words& words, std::size_t at) {
  return facts::take(at < words.size() ? process_of(words[at]) : sys::getpid());
}

}  // namespace

int facts_command(const Words& words) {
  bool json = false;
  Options options("facts", "[PID|CONTAINER]  or  diff A [B]",
                  "Show what the kernel says about a process: namespaces, ids, capabilities, cgroups, mounts, network.\n"
                  "Without a name: about drydock itself, which shares everything with this shell.");
  options.flag("--json", "as JSON", json);
  options.footer(
      "Examples:\n  drydock facts 1\n  drydock facts diff web         this shell against a container\n  drydock facts diff 1 web "
      "--json");
  if (!options.parse(words, Options::Stop::never)) return 0;
  const Words& names = options.positionals();
  if (names.empty() || names[0] != "diff") {
    options.require(0, 1, "", "name one process or container; two are compared by: drydock facts diff A B");
    const facts::Snapshot snapshot = snapshot_of(names, 0);
    print(json ? facts::to_json(snapshot) + "\n" : facts::to_text(snapshot));
    return 0;
  }
  options.require(2, 3, "a process or container", "for example: drydock facts diff web, or two of them: drydock facts diff A B");
  const bool two = names.size() == 3;
  const facts::Snapshot a = two ? snapshot_of(names, 1) : facts::take(sys::getpid());
  const facts::Diff diff = facts::diff(a, snapshot_of(names, two ? 2 : 1));
  print(json ? facts::to_json(diff) + "\n" : facts::to_text(diff));
  return 0;
}

}  // namespace drydock::cli
