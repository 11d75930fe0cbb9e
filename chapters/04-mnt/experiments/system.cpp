// What the container of this chapter has of its own: devices, masks, and its name on the host.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>
#include <drydock/network/ports.hpp>

#include "experiments.hpp"
#include "shared/payload.hpp"
#include "shared/scratch.hpp"
#include "stage.hpp"

namespace drydock::chapter::mnt {

using namespaces::Kind;
using namespace plan;

namespace {

struct Entries {
  std::string devices;  // "full 1:7, null 1:3"
  std::string others;
  std::size_t disks = 0;  // block devices
};

Entries entries_of(const std::string& directory) {
  Entries out;
  for (const std::string& name : sys::list_directory(directory)) {
    const auto status = sys::lstat(directory + "/" + name);
    if (!status) continue;
    if (S_ISBLK(status->st_mode)) ++out.disks;
    if (S_ISCHR(status->st_mode))
      out.devices += (out.devices.empty() ? "" : ", ") + name + " " + std::to_string(major(status->st_rdev)) + ":" +
                     std::to_string(minor(status->st_rdev));
    else
      out.others += (out.others.empty() ? "" : " ") + name;
  }
  return out;
}

std::string options_of(const std::string& target) {
  for (const facts::Mount& mount : mounts())
    if (mount.target == target) return mount.options;
  return "none";
}

Sketch container() {
  return sketch_of(4, request_of_this_user());
}

Sketch container_with(const std::string& new_directory) {
  Sketch sketch = container();
  add_scratch(sketch, new_directory);
  return sketch;
}

// The two steps by which `drydock run --name NAME -p PORT:80` claims what is unique.
Sketch claiming(Sketch sketch, const std::string& name, int port) {
  sketch.add(Phase::host, "name", [=](Sketch& s) {
    s.plan()
        .monitor("name", ops::symlinkat(s.request.id, {}, name))
        .undo(ops::unlink(name))
        .on("name alpine1")
        .why("a name belongs to one container");
    s.plan()
        .monitor("port", ops::socket_listen(AF_INET, SOCK_STREAM, "127.0.0.1", port))
        .into(s.plan().slot("listener", SlotKind::fd))
        .on("port")
        .why("a port belongs to one listener");
  });
  return sketch;
}

// Starts it and lets it go; the error that was met, in one word with its step.
std::string started(Narrator& tell, Sketch sketch) {
  try {
    Payload payload(tell, std::move(sketch));
    return "it runs";
  } catch (const Error& error) {
    return error.step() + ": " + errno_name(error.code());
  }
}

}  // namespace

void devices(Narrator& tell) {
  tell.step("the container of this chapter: its /dev");
  Payload payload(tell, sketch_of(4, request_of_this_user()));
  const auto inside = [&](const std::function<std::string()>& look) {
    return visit(payload.pid(), {Kind::user, Kind::mnt}, look);
  };
  tell.show("character devices", inside([] { return entries_of("/dev").devices; }),
            is("full 1:7, null 1:3, random 1:8, tty 5:0, urandom 1:9, zero 1:5"));
  tell.show("all the rest", inside([] { return entries_of("/dev").others; }), is("fd mqueue ptmx pts shm stderr stdin stdout"));
  tell.show("block devices", inside([] { return std::to_string(entries_of("/dev").disks); }), is("0"));
  tell.step("major and minor number say which driver answers, the name says nothing");
  tell.show("a write to /dev/full", inside([] { return text(write_to("/dev/full", "x")); }), contains("ENOSPC"));
  tell.show("a write to /dev/null", inside([] { return write_to("/dev/null", "x").failed() ? "refused" : "swallowed"; }),
            is("swallowed"));
  tell.show("terminals", inside([] { return entries_of("/dev/pts").devices; }), lacks(","));
  tell.result(
      "six devices that every program may want. A node is a number: who may make nodes can reach every disk (chapters 07 and "
      "08).");
}

void masks(Narrator& tell) {
  const auto size_of = [](const std::string& path) { return content(path).size(); };
  tell.step("files of /proc that no namespace separates");
  Payload payload(tell, sketch_of(4, request_of_this_user()));
  const auto inside = [&](const std::function<std::string()>& look) {
    return visit(payload.pid(), {Kind::user, Kind::mnt, Kind::pid}, look);
  };
  const auto size_inside = [&] { return std::stoul(inside([&] { return std::to_string(size_of("/proc/interrupts")); })); };
  const auto bytes = [](std::size_t size) { return About{static_cast<double>(size), "bytes"}; };
  const auto empty_inside =
      satisfies("none inside", [](const Sides<About>& both) { return both.host.value > 0 && both.container.value == 0; });
  tell.show("/proc/interrupts", Sides{bytes(size_of("/proc/interrupts")), bytes(size_inside())}, empty_inside);
  tell.show("what lies over it", inside([] {
              const struct stat status = sys::fstat(sys::open("/proc/interrupts", O_PATH));
              return std::to_string(major(status.st_rdev)) + ":" + std::to_string(minor(status.st_rdev));
            }),
            is("1:3"));
  tell.show("the mount on /proc/sys", inside([] { return options_of("/proc/sys"); }), contains("ro,"));
  tell.show("the mount on /proc", inside([] { return options_of("/proc"); }), contains("rw,"));
  tell.step("somebody in there with CAP_SYS_ADMIN: umount(\"/proc/interrupts\")");
  tell.show("umount2", inside([] { return text(unmount("/proc/interrupts", MNT_DETACH)); }), is("it succeeds"));
  tell.show("/proc/interrupts", bytes(size_inside()), satisfies("not empty", [](const About& size) { return size.value > 0; }));
  tell.result("a mask is a mount: it holds as long as nobody inside may unmount. Chapter 12 takes that capability away.");
}

void same_name(Narrator& tell) {
  const std::string directory = scratch_path(), name = directory + "/alpine1", other_name = directory + "/alpine2";
  const int first_port = network::free_port("127.0.0.1", false);
  const int second_port = network::free_port("127.0.0.1", false);
  tell.step("the notes start a container called alpine1, with a port, at two places");
  {
    Payload first(tell, claiming(container_with(directory), name, first_port));
    tell.show("where the name leads: to its id?", sys::readlink(name).size() == 64, is(true));
    tell.show("another container of that name", started(tell, claiming(container(), name, second_port)), is("name: EEXIST"));
    tell.show("another name, the same port", started(tell, claiming(container(), other_name, first_port)),
              is("port: EADDRINUSE"));
    tell.show("what the refused one left behind", sys::exists(other_name) ? "its name" : "nothing", is("nothing"));
    first.end();
  }
  tell.step("the first one has ended");
  tell.show("another container of that name", started(tell, claiming(container_with(directory), name, first_port)),
            is("it runs"));
  tell.result("a name is a link that exists or not, a port is a socket that listens or not: the kernel keeps both unique.");
}

}  // namespace drydock::chapter::mnt
