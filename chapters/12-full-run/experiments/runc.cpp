// Another runtime does the same: runc, as the notes describe it and do not run it. It runs on a small machine of the experiment's
// own: a user, a mount and a pid namespace, so that nothing of it is left, whatever happens.
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/commands.hpp"
#include "shared/child.hpp"
#include "shared/image.hpp"
#include "shared/look.hpp"
#include "shared/narrator.hpp"
#include "shared/tiny_elf.hpp"

namespace drydock::chapter::full_run {

using nlohmann::json;

namespace {

void mount(const char* type, const char* place) {
  if (const Outcome done{raw::call(SYS_mount, type, place, type, 0, nullptr)}; done.failed())
    throw Error::from_errno("mount", std::string("\"") + type + "\", \"" + place + "\"", done.error());
}

// Root of the host would let runc make control groups on the machine. From here on the process is nobody.
void become_nobody() {
  constexpr unsigned nobody = 65534;
  if (sys::geteuid() != 0) return;
  raw::call(SYS_setgroups, 0, nullptr);
  raw::call(SYS_setresgid, nobody, nobody, nobody);
  raw::call(SYS_setresuid, nobody, nobody, nobody);
  raw::call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);  // a change of ids clears both
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

// `body` with an empty file system at /mnt, where it works, and a /proc of its own; it says its findings in lines.
Child small_machine(const std::function<void(Talk& chapter)>& body) {
  return Child(0, [body](Talk& chapter) {
    become_nobody();
    Child machine(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, [&](Talk&) {
      raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
      mount("proc", "/proc");
      mount("tmpfs", "/mnt");
      raw::call(SYS_chdir, "/mnt");
      body(chapter);
      return 0;
    });
    return machine.wait().code();
  });
}

void set_program(const std::vector<std::string>& arguments) {
  json configuration = json::parse(sys::read_file("config.json"));
  configuration["process"]["terminal"] = false;
  configuration["process"]["args"] = arguments;
  sys::replace_file("config.json", configuration.dump());
}

// `runc spec` writes config.json; then it is edited: a program of one file that needs no terminal.
void make_bundle(const std::string& name, const std::string& program) {
  sys::mkdirs("rootfs");
  sys::replace_file("rootfs/" + name, program, 0755);
  said_by("runc spec --rootless");
  set_program({"/" + name});
}

std::string kinds_in(const json& configuration) {
  std::string out;
  for (const json& one : configuration.at("linux").at("namespaces"))
    out += (out.empty() ? "" : " ") + one.at("type").get<std::string>();
  return out;
}

// Name of the parent of the process that `runc state` names.
std::string parent_of_container() {
  const json state = json::parse(said_by("runc --root state state demo"));
  const pid_t parent = std::stoi(status_field(state.at("pid").get<pid_t>(), "PPid"));
  return parent == sys::getpid() ? "whoever waits for orphans" : status_field(parent, "Name");
}

std::string path_of_runc() {
  return said_by("command -v runc");
}

}  // namespace

void runc_bundle(Narrator& tell) {
  tell.step("runc spec; edit config.json: process.args is one program; runc run demo");
  Child machine = small_machine([](Talk& chapter) {
    make_bundle("hello", tiny_elf("hello from a bundle\n"));
    const json configuration = json::parse(sys::read_file("config.json"));
    chapter.say(kinds_in(configuration));
    chapter.say(configuration.at("root").at("path").get<std::string>());
    chapter.say(said_by("runc --root state run demo"));
    chapter.say("containers left: " + said_by("ls state | wc -l"));
  });
  tell.show("namespaces in config.json", machine.talk().line(), contains("pid"));
  tell.show("its root", machine.talk().line(), is("rootfs"));
  tell.show("the program prints", machine.talk().line(), is("hello from a bundle"));
  tell.show("afterwards", machine.talk().line(), is("containers left: 0"));
  tell.result("a directory and a list of what to set up: config.json is a plan too. No daemon had to run.");
}

void runc_parent(Narrator& tell) {
  const std::string busybox = sys::read_file(request_with_image().image.layers.front() + "/bin/busybox");
  tell.step("a program that runs; whose child is it? First with `runc run`, which waits for it");
  Child machine = small_machine([&](Talk& chapter) {
    make_bundle("busybox", busybox);
    set_program({"/busybox", "cat"});
    Child running = shell("exec runc --root state run demo");
    running.talk().say("up");
    chapter.say(running.talk().line());
    chapter.say(parent_of_container());
    running.talk().close();
    running.wait();
    set_program({"/busybox", "sleep", "60"});
    said_by("runc --root state create demo < /dev/null > /dev/null 2>&1");
    chapter.say(parent_of_container());
    said_by("runc --root state start demo");
    chapter.say(parent_of_container());
    said_by("runc --root state delete --force demo");
  });
  tell.show("it answers", machine.talk().line(), is("up"));
  tell.show("its parent", machine.talk().line(), is("runc"));
  tell.step("runc create and runc start, which end at once, as engines call them");
  tell.show("its parent after create", machine.talk().line(), is("whoever waits for orphans"));
  tell.show("after start", machine.talk().line(), is("whoever waits for orphans"));
  tell.result(
      "a runtime makes a container and goes. Its parent is then a subreaper: containerd's shim, podman's conmon, a monitor.");
}

void libcontainer(Narrator& tell) {
  const std::string program = sys::read_file(path_of_runc());
  tell.step("look into the program runc");
  tell.show("Go packages named runc/libcontainer in it?",
            program.find("github.com/opencontainers/runc/libcontainer") != std::string::npos, is(true));
  tell.show("what it says of itself", said_by("runc --version | grep -o '^spec: [0-9]*'"), is("spec: 1"));
  tell.result("runC did not replace libcontainer: it is the command line around it, and reads the OCI's specification.");
}

}  // namespace drydock::chapter::full_run
