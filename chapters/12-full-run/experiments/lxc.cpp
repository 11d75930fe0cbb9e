// The tools of LXC, which the notes list and do not run. They work in a container of chapter 07: root with a range of ids, the
// host's programs, and namespaces that go with it, so that nothing of them reaches the machine or stays on it.
#include <memory>
#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/commands.hpp"
#include "experiments/protections.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::full_run {

namespace {

// A /proc that is partly covered may not be mounted once more by those inside: so no masks. Debian's awk is a link that leads
// through /etc.
std::unique_ptr<Payload> place_for_lxc(Narrator& tell) {
  Sketch sketch = sketch_of(7, request_of_this_user({"sh"}));
  sketch.remove("masks");
  auto place = std::make_unique<Payload>(tell, std::move(sketch));
  ask(*place, "mkdir -p /p /run /tmp /var /etc/alternatives; ln -s /usr/bin/mawk /etc/alternatives/awk; echo");
  return place;
}

// lxc-TOOL -P /p -n demo WORDS: the first line that it prints.
std::string lxc(Payload& place, const std::string& tool, const std::string& words = "") {
  return ask(place, "lxc-" + tool + " -P /p -n demo " + words + "; echo done");
}

// There are no links to connect it to, and no control groups that its user may make.
void create(Payload& place) {
  ask(place,
      "lxc-create -P /p -n demo -t busybox > /tmp/log 2>&1; sed -i '/lxc.net/d; /apparmor/d; /cgroup/d' /p/demo/config; "
      "echo 'lxc.net.0.type = empty' >> /p/demo/config; echo 'lxc.mount.auto = proc:mixed' >> /p/demo/config; echo");
}

std::string state(Payload& place) {
  return lxc(place, "info", "-s -H");
}

}  // namespace

void lxc_session(Narrator& tell) {
  const auto place = place_for_lxc(tell);
  tell.step("lxc-create -n demo -t busybox; lxc-start -n demo; lxc-info -n demo");
  create(*place);
  tell.show("made for it", ask(*place, "echo $(ls /p/demo)"), is("config rootfs"));
  tell.show("its state", state(*place), is("STOPPED"));
  tell.show("lxc-start, without -d, waits for its end?", lxc(*place, "start") == "done" ? "no" : "yes", is("no"));
  tell.show("its state", state(*place), is("RUNNING"));
  tell.show("lxc-attach: its process 1", lxc(*place, "attach", "-- /bin/cat /proc/1/comm"), is("init"));
  tell.step("what the tools did, in /proc/PID/ns of its init: namespaces that are not those of whoever called them");
  tell.show("its own",
            ask(*place,
                "P=$(lxc-info -P /p -n demo -p -H); for k in cgroup ipc mnt net pid time user uts; do "
                "test $(readlink /proc/$P/ns/$k) = $(readlink /proc/$$/ns/$k) || printf \"$k \"; done; echo"),
            is("cgroup ipc mnt net pid uts "));
  tell.show("kernel", Sides{kernel_version(), lxc(*place, "attach", "-- /bin/uname -r").substr(0, kernel_version().size())},
            same());
  tell.step("lxc-destroy while it runs; lxc-stop; lxc-destroy");
  tell.show("lxc-destroy", lxc(*place, "destroy"), contains("demo is running"));
  tell.show("lxc-stop -k", lxc(*place, "stop", "-k"), is("done"));
  tell.show("its state", state(*place), is("STOPPED"));
  tell.show("lxc-destroy", lxc(*place, "destroy"), is("done"));
  tell.show("is its directory there?", ask(*place, "test -e /p/demo && echo yes || echo no"), is("no"));
  tell.result("LXC is tools over the kernel's namespaces, mounts and groups: the same that this plan has, with an init inside.");
}

void lxc_console(Narrator& tell) {
  const auto place = place_for_lxc(tell);
  create(*place);
  tell.step("lxc-start; lxc-console -n demo -t 1, on a terminal of its own");
  lxc(*place, "start");
  const std::string seen = ask(*place,
                               "sleep 1 | script -qec 'timeout 3 lxc-console -P /p -n demo -t 1' /dev/null | tr -d '\\r' | "
                               "grep -E -o 'Connected to tty 1|demo login:' | sort -u > /tmp/seen; echo $(cat /tmp/seen)");
  tell.show("it shows", seen, is("Connected to tty 1 demo login:"));
  lxc(*place, "stop", "-k");
  tell.result("a console is a pty whose other end a getty in the container reads; Ctrl-a q leaves it.");
}

void lxc_snapshot(Narrator& tell) {
  const auto place = place_for_lxc(tell);
  create(*place);
  tell.step("a file says old; lxc-snapshot; then it says new; lxc-snapshot -r snap0");
  ask(*place, "echo old > /p/demo/rootfs/file; echo");
  tell.show("lxc-snapshot", lxc(*place, "snapshot"), is("done"));
  tell.show("lxc-snapshot -L names", ask(*place, "lxc-snapshot -P /p -n demo -L | cut -d' ' -f1"), is("snap0"));
  tell.show("the file", ask(*place, "echo new > /p/demo/rootfs/file; cat /p/demo/rootfs/file"), is("new"));
  tell.show("restore", lxc(*place, "snapshot", "-r snap0"), is("done"));
  tell.show("the file", ask(*place, "cat /p/demo/rootfs/file"), is("old"));
  tell.result("on plain directories a snapshot is a copy of the root file system. Processes and memory are not in it.");
}

void lxc_today(Narrator& tell) {
  const auto place = place_for_lxc(tell);
  tell.step("what the notes type, and what the tools of today say");
  tell.show("lxc-destory", ask(*place, "lxc-destory"), contains("not found"));
  tell.show("lxc-destroy", ask(*place, "command -v lxc-destroy"), is("/usr/bin/lxc-destroy"));
  tell.show("-d of lxc-start", ask(*place, "lxc-start --help 2>&1 | grep -o 'Daemonize the container (default)'"),
            is("Daemonize the container (default)"));
  tell.show("templates", ask(*place, "echo $(ls /usr/share/lxc/templates)"), contains("lxc-busybox lxc-download lxc-local"));
  tell.step("lxc-checkconfig: does this kernel have what containers need?");
  const std::string report = "\n" + said_by("lxc-checkconfig | sed 's/\\x1b[^m]*m//g'");
  const auto enabled = [&](const std::string& feature) {
    return report.find("\n" + feature + ": enabled") == std::string::npos ? "missing" : "enabled";
  };
  for (const char* feature :
       {"Utsname namespace", "Ipc namespace", "Pid namespace", "User namespace", "Network namespace", "Cgroups"})
    tell.show(feature, enabled(feature), is("enabled"));
  tell.result("templates by distribution are gone (one downloads), -d is the default, and the web panel was Python 2.");
}

}  // namespace drydock::chapter::full_run
