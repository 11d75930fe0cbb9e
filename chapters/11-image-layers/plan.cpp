// What chapter 11 makes of the plan: the layers are those of an image in the store, not a tree that the plan fills, and the
// programs are the image's own: the host's /usr is gone. The writable layer is a directory of the container.
#include <fcntl.h>
#include <linux/sched.h>

#include <nlohmann/json.hpp>

#include <drydock/container/spec.hpp>
#include <drydock/container/user_namespace.hpp>
#include <drydock/mounts/rootfs.hpp>
#include <drydock/overlay/overlay.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

constexpr Lane lane = Lane::payload;
constexpr const char* place = "/mnt";  // where the root is attached, in the container's mount namespace only

overlay::Stack stack_of(const Request& request) {
  const bool ours = request.euid != 0;
  return {request.image.layers, request.data + "/upper/" + request.id, request.data + "/work/" + request.id, true, ours};
}

// An ordinary user's layers belong to the user, who is root inside: there is nothing to map.
bool id_mapped(const Sketch& sketch) {
  return (sketch.clone_flags & CLONE_NEWUSER) != 0 && sketch.request.euid == 0;
}

void writable_layer(Sketch& sketch) {
  const overlay::Stack stack = stack_of(sketch.request);
  sketch.plan()
      .monitor("files", ops::mkdir(stack.upper, 0755))
      .undo(ops::remove_tree(stack.upper), UndoAt::remove)
      .on(stack.upper)
      .why("the writable layer: all that this container will change");
  if (id_mapped(sketch)) container::add_upper_owner(sketch.plan(), stack.upper, sketch.maps);
  sketch.plan()
      .monitor("files.work", ops::mkdir(stack.work, 0755))
      .undo(ops::remove_tree(stack.work), UndoAt::remove)
      .on(stack.work)
      .why("the overlay's own, beside the writable layer");
}

// Root's layers belong to root of the host: each is id-mapped, and the writable layer is given to root of the container.
Slot mapped_root(Sketch& sketch) {
  const overlay::Stack stack = stack_of(sketch.request);
  const Slot userns = sketch.plan().slot("user_namespace", SlotKind::fd);
  sketch.plan()
      .monitor("userns", ops::open_proc_file(sketch.child, "ns/user", O_RDONLY))
      .into(userns)
      .on("user namespace")
      .why("layers are id-mapped by it");
  return sketch.request.layers_by_descriptor
             ? overlay::add_mapped_overlay(sketch.plan(), Lane::monitor, stack, userns)
             : overlay::add_mapped_mounted_overlay(sketch.plan(), Lane::monitor, stack, userns, place);
}

void image_root(Sketch& sketch) {
  if (!id_mapped(sketch)) {
    sketch.root = overlay::add_mounted_overlay(sketch.plan(), lane, stack_of(sketch.request), place);
    return;
  }
  sketch.root = mapped_root(sketch);
  const Slot where = mounts::add_root_place(sketch.plan(), lane, place);
  mounts::add_attach_root(sketch.plan(), lane, sketch.root, where);
}

// For whoever looks at ledgers: `drydock image rm` refuses what a container uses.
void annotate(Sketch& sketch) {
  const Request& request = sketch.request;
  container::Spec spec;
  spec.image = request.image.reference;
  spec.command = request.command;
  sketch.settings.annotation = nlohmann::json{{"image", request.image.reference},
                                              {"image_id", request.image.config_digest},
                                              {"layers", request.image.layers},
                                              {"command", request.command},
                                              {"cgroups", sketch.group.directories},
                                              {"hostname", "lab02"},
                                              {"address", ""},
                                              {"spec", nlohmann::json::parse(container::to_json(spec))}}
                                   .dump();
}

}  // namespace

const Growth image_layers{
    {.chapter = 11,
     .adds = {"files", "files.upper.owner", "files.work", "userns", "overlay.open", "overlay.source", "overlay.layer.2.tree",
              "overlay.layer.2.idmap", "overlay.layer.2", "overlay.layer.1.tree", "overlay.layer.1.idmap", "overlay.layer.1",
              "overlay.upper", "overlay.work", "overlay.volatile", "overlay.create", "root.place", "root.attach"},
     .removes = {"root.open",      "root.source",     "root.mode",          "root.create",      "root",
                 "root.bin",       "root.lib",        "root.lib64",         "root.sbin",        "root.usr.source",
                 "root.usr.flags", "root.usr.target", "root.usr.attach",    "layers.usr",       "layers.proc",
                 "layers.dev",     "layers.sys",      "layers.layers",      "layers.base.motd", "layers.base.release",
                 "layers.open",    "layers.source",   "layers.mode",        "layers.create",    "layers",
                 "layers.attach",  "layers.base",     "layers.base.attach", "layers.app",       "layers.app.motd",
                 "layers.upper",   "layers.work",     "layers.merged",      "layers.shown",     "layers.shown.flags",
                 "layers.show",    "overlay.cwd",     "overlay.mount"},
     .moves = {"overlay"},  // into the lane that may id-map
     .grow = [](Sketch& sketch) {
       sketch.keep_ledger();
       sketch.add(Phase::host, "writable layer", writable_layer);
       sketch.remove("base");
       sketch.replace("root", image_root);
       sketch.remove("programs");
       sketch.add(Phase::program, "annotation", annotate);
     }}};

}  // namespace drydock::chapter
