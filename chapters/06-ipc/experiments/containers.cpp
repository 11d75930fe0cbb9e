// Two containers: what crosses from one to the other, and what does not.
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/mounts/volumes.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "objects.hpp"
#include "shared/join.hpp"
#include "shared/payload.hpp"
#include "shared/scratch.hpp"

namespace drydock::chapter::ipc {

using namespaces::id_of;
using namespaces::Kind;

namespace {

// A directory of the host on /shared.
Sketch with_volume(Sketch sketch, const std::string& directory) {
  const mounts::Bind volume{.source = directory, .target = "/shared"};
  sketch.add(Phase::root, "volume", [=](Sketch& s) {
    const plan::Slot source = mounts::add_bind_source(s.plan(), plan::Lane::payload, "volume.0", volume);
    mounts::add_bind_target(s.plan(), plan::Lane::payload, "volume.0", volume, source, s.root);
  });
  return sketch;
}

std::string content(const std::string& path) {
  try {
    return sys::read_file(path);
  } catch (const Error& error) {
    return errno_name(error.code());
  }
}

void put(const std::string& path, const std::string& text) {
  sys::write_all(sys::open(path, O_WRONLY | O_CREAT, 0644), text);
}

std::string in(const Payload& payload, const std::function<std::string()>& look) {
  return visit(payload.pid(), {Kind::user, Kind::ipc, Kind::mnt, Kind::net, Kind::pid}, look);
}

}  // namespace

void two_containers(Narrator& tell) {
  const std::string directory = scratch_path();
  const key_t key = any_key();
  tell.step("two containers of this chapter with one volume; the first makes one of everything, the second looks for it");
  Sketch maker = sketch_of(6, request_of_this_user());
  add_scratch(maker, directory);
  Payload first(tell, with_volume(std::move(maker), directory));
  Payload second(tell, with_volume(sketch_of(6, request_of_this_user()), directory));
  tell.show("queue made by the first", in(first, [=] { return text(send(make(Table::queue, key).result, "hello")); }),
            is("it succeeds"));
  tell.show("the same key, in the second", in(second, [=] { return text(find(Table::queue, key)); }), contains("ENOENT"));
  tell.show("POSIX queue made by the first", in(first, [] { return text(open_posix_queue("drydock", O_CREAT)); }),
            is("it succeeds"));
  tell.show("the same name, in the second", in(second, [] { return text(open_posix_queue("drydock", 0)); }), contains("ENOENT"));
  in(first, [] {
    put("/dev/shm/drydock", "hello");
    return std::string();
  });
  tell.show("/dev/shm/drydock, in the second", in(second, [] { return content("/dev/shm/drydock"); }), is("ENOENT"));
  in(first, [] {
    put("/shared/note", "hello");
    return std::string();
  });
  tell.show("/shared/note, in the second", in(second, [] { return content("/shared/note"); }), is("hello"));
  tell.step("signals go to numbers: both programs are pid 1 of their own namespace, and each means itself by it");
  tell.show("kill(1, 0), in the second", in(second, [] { return text(Outcome{raw::call(SYS_kill, 1, 0)}); }), is("it succeeds"));
  const pid_t outside = first.pid();
  tell.show("kill(host's pid of the first, 0)", in(second, [=] { return text(Outcome{raw::call(SYS_kill, outside, 0)}); }),
            contains("ESRCH"));
  tell.step("a pipe was given to each when it was made: it is older than the namespaces");
  first.talk().say("over a pipe");
  tell.show("the first answers over its pipe", first.talk().line(), is("over a pipe"));
  tell.result(
      "processes of one machine talk in ten ways, containers only by what they share: files, a network, an inherited "
      "descriptor.");
}

void shared_namespace(Narrator& tell) {
  const key_t key = any_key();
  tell.step("a container with a queue; then a program that joins its IPC namespace and no other: `--ipc container:ID`");
  Payload donor(tell, sketch_of(6, request_of_this_user()));
  in(donor, [=] { return text(send(make(Table::queue, key).result, "from the donor")); });
  Payload guest(tell, joining(donor.pid(), {Kind::user, Kind::ipc}, {"cat"}));
  tell.show("same IPC namespace?", id_of(donor.pid(), Kind::ipc) == id_of(guest.pid(), Kind::ipc), is(true));
  tell.show("same pid namespace?", id_of(donor.pid(), Kind::pid) == id_of(guest.pid(), Kind::pid), is(false));
  tell.show("a message, read beside the guest",
            visit(guest.pid(), {Kind::user, Kind::ipc}, [=] { return receive(find(Table::queue, key).result); }),
            is("from the donor"));
  const std::string name = "/dev/shm/drydock-" + sys::random_hex(16);
  in(donor, [=] {
    put(name, "x");
    return std::string();
  });
  tell.show("a file in the donor's /dev/shm", in(donor, [=] { return content(name); }), is("x"));
  tell.show("the same file, beside the guest", visit(guest.pid(), {Kind::user, Kind::ipc}, [=] { return content(name); }),
            is("ENOENT"));
  tell.result("sharing is per namespace. Docker binds the donor's /dev/shm too, or shm_open would still find nothing.");
}

}  // namespace drydock::chapter::ipc
