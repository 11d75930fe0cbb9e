// What is looked at: the inode numbers of namespaces, and the names as a process sees them that has joined from outside.
#include <unistd.h>

#include <algorithm>

#include <drydock/lab/exercise.hpp>

using namespace drydock::lab;

namespace {

std::string number(std::uint64_t inode) {
  return "uts:[" + std::to_string(inode) + "]";
}

// enter_uts and then the probe, with another probe beside that was there before.
struct Entered {
  UtsNames names;
  std::unique_ptr<Box> box;
  std::optional<pid_t> probe, beside;

  explicit Entered(Bench& bench) : names{bench.random().word("host-"), bench.random().word("domain-")} {
    const std::string token = bench.random().word("t-"), other = bench.random().word("b-");
    box = bench.start({"/lab/probe", "beside", "hold", other, "--", "/lab/program", "enter", names.host, names.domain,
                       "/lab/probe", "hold", token});
    probe = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
    if (probe) beside = find_probe(*box, bench.probe(), {"/lab/probe", "hold", other});
  }
  Verdict never_seen() {
    return not_seen(*box, "enter_uts returns 0, and its process goes on",
                    "its result, negative, is the errno of the call that failed");
  }
};

Verdict own_namespace(Bench& bench) {
  Entered entered(bench);
  if (!entered.probe) return entered.never_seen();
  const auto seen = look(*entered.box, *entered.probe);
  if (!seen) return entered.never_seen();
  const std::uint64_t own = seen->namespaces.at("uts"), before = namespace_of(entered.box->init(), "uts");
  const std::uint64_t beside = entered.beside ? namespace_of(*entered.beside, "uts") : before;
  if (own != before && own != beside && own != namespace_of(::getpid(), "uts")) return ok();
  return fail({"a UTS namespace that no other process is in", number(own) + ", where the processes beside it are too",
               "/proc/PID/ns/uts of the probe", "unshare(2) with CLONE_NEWUTS makes one, for the process that calls it"});
}

Verdict names(Bench& bench) {
  Entered entered(bench);
  const auto seen = entered.probe ? uts_names(*entered.probe) : std::nullopt;
  if (!seen) return entered.never_seen();
  if (*seen == entered.names) return ok();
  return fail({"host '" + entered.names.host + "', domain '" + entered.names.domain + "'",
               "host '" + seen->host + "', domain '" + seen->domain + "'",
               "uname(2) of a process that joined the probe's UTS namespace",
               "sethostname(2) and setdomainname(2) each set one name, with its length"});
}

Verdict others_unchanged(Bench& bench) {
  const auto machine = uts_names(::getpid());
  Entered entered(bench);
  if (!entered.probe || !entered.beside) return entered.never_seen();
  const auto beside = uts_names(*entered.beside);
  const auto box = uts_names(entered.box->init());
  if (!beside || !box) return entered.never_seen();
  if (beside->host == "box" && *beside == *box && uts_names(::getpid()) == machine) return ok();
  return fail({"the names where it came from are still host 'box', domain '" + box->domain + "'",
               "host '" + beside->host + "', domain '" + beside->domain + "'",
               "uname(2) in the UTS namespace of the process beside it",
               "names are set after the process is in its own namespace, not before"});
}

Verdict joined(Bench& bench) {
  const std::string name = bench.random().word("other-"), target = bench.random().word("b-"), token = bench.random().word("t-");
  const auto box = bench.start(
      {"/lab/probe", "beside", "uts", name, "hold", target, "--", "/lab/program", "join", "@", "/lab/probe", "hold", token});
  const auto probe = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
  const auto other = find_probe(*box, bench.probe(), {"/lab/probe", "uts", name, "hold", target});
  const auto seen = probe ? look(*box, *probe) : std::nullopt;
  if (!seen || !other)
    return not_seen(*box, "join_uts returns 0, and its process goes on",
                    "its result, negative, is the errno of the call that failed");
  const std::uint64_t wanted = namespace_of(*other, "uts"), own = seen->namespaces.at("uts");
  if (own == wanted) return ok();
  return fail({number(wanted) + ", the namespace of the given process", number(own), "/proc/PID/ns/uts of the probe",
               "setns(2) joins what the descriptor is: /proc/PID/ns/uts of that process"});
}

Verdict pinned(Bench& bench) {
  const std::string name = bench.random().word("kept-"), token = bench.random().word("t-"),
                    path = "/tmp/" + bench.random().word("pin-");
  const auto box =
      bench.start({"/lab/probe", "first", "uts", name, "run", "/lab/program", "pin", path, "--", "/lab/probe", "hold", token});
  const auto probe = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
  const auto seen = probe ? look(*box, *probe) : std::nullopt;
  if (!seen) return not_seen(*box, "pin_uts returns", "it must not end the processes around it");
  const auto mount =
      std::find_if(seen->mounts.begin(), seen->mounts.end(), [&](const auto& each) { return each.target == path; });
  if (mount == seen->mounts.end() || mount->type != "nsfs")
    return fail({"a namespace is mounted on " + path,
                 mount == seen->mounts.end()
                     ? "nothing is mounted there" + (box->error_text().empty() ? "" : "; it said: " + box->error_text())
                     : "a mount of type " + mount->type,
                 "/proc/PID/mountinfo", "a bind mount of /proc/self/ns/uts on the new file keeps the namespace"});
  const auto kept = pinned_uts_names(*probe, path);
  if (kept && kept->host == name) return ok();
  return fail({"joining it shows host '" + name + "' after the last process in it has ended",
               kept ? "host '" + kept->host + "'" : "it cannot be joined as a UTS namespace", "setns(2) on " + path,
               "what is pinned is the namespace of the process that calls pin_uts"});
}

const Registration registration({"02",
                                 {{"1a", "a UTS namespace of its own", 25, {}, "", own_namespace},
                                  {"1b", "both names, read from outside", 30, {}, "1a", names},
                                  {"1c", "the names outside are unchanged", 10, {}, "1b", others_unchanged},
                                  {"2a", "another process's namespace is joined", 20, {}, "", joined},
                                  {"3a", "a pin outlives the last process", 15, {}, "", pinned}}});

}  // namespace
