// What a container is, in the words of the kernel: a process, its namespaces, its groups, its root.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <string>

#include <nlohmann/json.hpp>

#include <drydock/image/store.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/protections.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::full_run {

using namespaces::id_of;
using namespaces::Kind;

namespace {

facts::Mount root_mount(const Payload& payload) {
  for (const facts::Mount& mount : payload.facts().mounts)
    if (mount.target == "/") return mount;
  return {};
}

std::size_t kinds_of_its_own(pid_t pid) {
  std::size_t own = 0;
  for (const namespaces::KindInfo& one : namespaces::all_kinds())
    if (id_of(0, one.kind) != id_of(pid, one.kind)) ++own;
  return own;
}

std::string device_and_inode(const std::string& path) {
  const struct stat status = sys::fstat(sys::open(path, O_PATH));
  return text(status.st_dev) + ":" + text(status.st_ino);
}

std::string system_of_the_host() {
  const std::string all = "\n" + sys::read_file("/etc/os-release");
  const std::size_t at = all.find("\nID=") + 1;
  return all.substr(at, all.find('\n', at) - at);
}

}  // namespace

void four_parts(Narrator& tell) {
  Sketch sketch = container();
  const std::string group = sketch.request.id.substr(0, 16), store = sketch.request.data;
  tell.step("one running container, and the four files of the kernel that say what it is");
  Payload payload(tell, std::move(sketch));
  tell.show("1 a process: /proc/PID/status", payload.facts().status.name, is("sh"));
  tell.show("  its number", Sides{Pid{payload.pid()}, Pid{payload.facts().status.ns_pids.back()}}, differ());
  tell.show("2 its namespaces: /proc/PID/ns, own", kinds_of_its_own(payload.pid()), is(7));
  tell.show("3 its group: /proc/PID/cgroup",
            sys::read_file("/proc/" + text(payload.pid()) + "/cgroup").find("drydock-" + group) != std::string::npos, is(true));
  const facts::Mount root = root_mount(payload);
  tell.show("4 its root: /proc/PID/mountinfo", root.type, is("overlay"));
  tell.show("  read-write?", root.options.starts_with("rw"), is(true));
  tell.step("and the package that it came out of: the image's configuration");
  const nlohmann::json configuration = nlohmann::json::parse(drydock::image::Store(store).config_json("busybox"));
  tell.show("its command", configuration.at("config").at("Cmd").dump(), is("[\"sh\"]"));
  tell.show("a process in it?", configuration.contains("process") || configuration.contains("pid"), is(false));
  tell.step("the process ends");
  tell.show("exit status", payload.end(), is(0));
  tell.show("is anything left of it?", sys::exists("/proc/" + text(payload.pid())), is(false));
  tell.show("is the image there?", drydock::image::Store(store).contains("busybox"), is(true));
  tell.result(
      "no line of the kernel says \"container\". With container thinking, one asks of which process, in which namespaces, in "
      "which group, on which root.");
}

void own_files(Narrator& tell) {
  tell.step("the shell of the host, and the one of a container");
  Payload payload(tell, container());
  const auto inside = [&](const std::string& path) { return ask(payload, "stat -L -c %d:%i " + path); };
  tell.show("is /bin/sh the same file?", device_and_inode("/bin/sh") == inside("/bin/sh"), is(false));
  tell.show("system", Sides{system_of_the_host(), ask(payload, "grep ^ID= /etc/os-release")}, differ());
  tell.show("libraries that its sh has mapped", ask(payload, "grep -c '\\.so' /proc/$$/maps"), is("0"));
  tell.show("its /proc/PID/root is the host's /?",
            device_and_inode("/proc/" + text(payload.pid()) + "/root") == device_and_inode("/"), is(false));
  tell.step("what they do share");
  tell.show("kernel", Sides{kernel_version(), visit(payload.pid(), {Kind::user, Kind::uts}, kernel_version)}, same());
  tell.result(
      "commands and libraries are the image's, so the host may be any Linux and be updated alone. Only the kernel is common.");
}

void shared_namespaces(Narrator& tell) {
  const Without docker{.namespaces = CLONE_NEWUSER};
  tell.step("two containers as Docker makes them by default: without a user namespace");
  Payload one(tell, container(docker)), two(tell, container(docker));
  for (const Kind kind : {Kind::mnt, Kind::uts, Kind::ipc, Kind::pid, Kind::net})
    tell.show(std::string(namespaces::info(kind).name) + ": host, one and two differ?",
              id_of(0, kind) != id_of(one.pid(), kind) && id_of(one.pid(), kind) != id_of(two.pid(), kind), is(true));
  for (const Kind kind : {Kind::user, Kind::time})
    tell.show(std::string(namespaces::info(kind).name) + " namespace", Sides{id_of(0, kind), id_of(one.pid(), kind)}, same());
  tell.step("and one on purpose in the network of whoever started it (--network host)");
  Payload shared(tell, container({.namespaces = CLONE_NEWUSER | CLONE_NEWNET}));
  tell.show("net namespace", Sides{id_of(shared.launch().monitor(), Kind::net), id_of(shared.pid(), Kind::net)}, same());
  tell.result(
      "\"every container has its own of all\" is not so: user and time are the host's by default, and each may be shared.");
}

void no_move(Narrator& tell) {
  tell.step("a container writes a file, and keeps a word in memory");
  Sketch first = container();
  const std::string upper = first.request.data + "/upper/" + first.request.id;
  Payload here(tell, std::move(first));
  here.talk().say("word=in-memory; echo on-disk > /file; echo done");
  tell.show("it says", here.talk().line(), is("done"));
  const std::string file = sys::read_file(upper + "/file");
  tell.step("all that can be carried: what it wrote. A new container gets the file, as save, load and run would give it");
  Payload there(tell, container());
  there.talk().say("printf '" + file.substr(0, file.find('\n')) + "\\n' > /file; cat /file; echo \"word is '$word'\"");
  tell.show("the file, there", there.talk().line(), is("on-disk"));
  tell.show("the word, there", there.talk().line(), is("word is ''"));
  tell.show("the same process?", here.pid() == there.pid(), is(false));
  here.talk().say("echo $word");
  tell.show("the word, where it always was", here.talk().line(), is("in-memory"));
  tell.result(
      "nothing moves a running container: images and files travel, processes do not (a checkpoint, CRIU, makes new ones).");
}

void chroot_and_container(Narrator& tell) {
  tell.step("a process in a chroot of this machine, and a container: what does each see?");
  Child jailed(for_this_user(CLONE_NEWUSER), [](Talk& chapter) {
    const bool entered = !raw::failed(raw::call(SYS_chroot, "/usr/..")) && !raw::failed(raw::call(SYS_chdir, "/"));
    chapter.say(entered ? "entered" : "refused");
    chapter.line();
    return 0;
  });
  tell.show("chroot", jailed.talk().line(), is("entered"));
  Payload payload(tell, container());
  for (const Kind kind : {Kind::pid, Kind::net})
    tell.show(std::string(namespaces::info(kind).name) + " of the chroot = the host's?",
              id_of(0, kind) == id_of(jailed.pid(), kind), is(true));
  for (const Kind kind : {Kind::pid, Kind::net})
    tell.show(std::string(namespaces::info(kind).name) + " of the container = the host's?",
              id_of(0, kind) == id_of(payload.pid(), kind), is(false));
  tell.show("capabilities of the chroot's root", std::popcount(facts::take(jailed.pid()).status.capabilities.effective),
            at_least(38));
  tell.show("of the container's", std::popcount(payload.facts().status.capabilities.effective), at_most(14));
  tell.step("and all three have one kernel, where a virtual machine would have another");
  tell.show("kernel", Sides{kernel_version(), visit(payload.pid(), {Kind::user, Kind::uts}, kernel_version)}, same());
  tell.result(
      "a chroot is another start of paths and nothing else; a container is a view of everything; a VM is another kernel.");
}

}  // namespace drydock::chapter::full_run
