// Propagation: of which mounts does the other side hear?
#include <linux/sched.h>
#include <sys/mount.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "stage.hpp"

namespace drydock::chapter::mnt {

namespace {

bool is_yes(const std::string& word) {
  return word == "yes";
}

// In the second namespace: "slave PATH" before what an agent can do.
int agent_with_slave(Talk& talk) {
  set_propagation("/mnt/slave", MS_SLAVE);
  return agent(talk);
}

}  // namespace

void puzzle(Narrator& tell) {
  tell.question(
      "two mount namespaces, four mounts that both have: shared, private, slave (on the container's side) and unbindable. Each "
      "side mounts something below each. Who sees what?");
  tell.step("four file systems, each with a propagation of its own; then the second namespace, by clone3(CLONE_NEWNS)");
  Child stage = on_stage([](Talk& chapter) {
    for (const auto& [name, flag] : {std::pair{"shared", MS_SHARED}, std::pair{"private", MS_PRIVATE},
                                     std::pair{"slave", MS_SHARED}, std::pair{"unbindable", MS_UNBINDABLE}}) {
      const std::string path = std::string("/mnt/") + name;
      sys::mkdir(path, 0755);
      mount_tmpfs(path);
      set_propagation(path, flag);
      sys::mkdir(path + "/by-host", 0755);
      sys::mkdir(path + "/by-container", 0755);
    }
    Child container(CLONE_NEWNS, agent_with_slave);
    for (const char* name : {"shared", "private", "slave", "unbindable"}) {
      const std::string path = std::string("/mnt/") + name;
      ask(container, "mount " + path + "/by-container");
      mount_tmpfs(path + "/by-host");
      chapter.say(text(is_mounted(path + "/by-container")));
      chapter.say(ask(container, "sees " + path + "/by-host"));
    }
    return 0;
  });
  tell.step("each side mounts a file system below each, and looks for the mount of the other");
  const auto answers = [&] {
    const bool host = is_yes(stage.talk().line());
    return Sides{host, is_yes(stage.talk().line())};
  };
  tell.show("below shared", answers(), are(true, true));
  tell.show("below private", answers(), are(false, false));
  tell.show("below slave", answers(), are(false, true));
  tell.show("below unbindable", answers(), are(false, false));
  tell.result("shared hears and is heard, a slave only hears, private does neither. A runtime makes all private first.");
}

void leak(Narrator& tell) {
  tell.step("/mnt is shared, as systemd makes every mount; two containers mount something, the second after mount.private");
  Child stage = on_stage([](Talk& chapter) {
    set_propagation("/mnt", MS_SHARED);
    for (const char* name : {"/mnt/first", "/mnt/second"}) sys::mkdir(name, 0755);
    Child careless(CLONE_NEWNS, agent);
    Child careful(CLONE_NEWNS, [](Talk& talk) {
      set_propagation("/", MS_REC | MS_PRIVATE);
      return agent(talk);
    });
    chapter.say(ask(careless, "mount /mnt/first"));
    chapter.say(text(is_mounted("/mnt/first")));
    chapter.say(ask(careful, "mount /mnt/second"));
    chapter.say(text(is_mounted("/mnt/second")));
    return 0;
  });
  tell.show("mount without preparation", stage.talk().line(), is("it succeeds"));
  tell.show("does the host see it?", stage.talk().line(), is("yes"));
  tell.show("mount after MS_REC|MS_PRIVATE", stage.talk().line(), is("it succeeds"));
  tell.show("does the host see it?", stage.talk().line(), is("no"));
  tell.result("a list of one's own is not enough: in a shared subtree the kernel copies every mount to the peers.");
}

void unbindable(Narrator& tell) {
  tell.step("a tree with one mount is bound recursively into itself, twice; then once more, the target unbindable");
  Child stage = on_stage([](Talk& chapter) {
    const auto below = [](const std::string& path) {
      std::size_t count = 0;
      for (const facts::Mount& mount : mounts()) count += mount.target.starts_with(path) ? 1 : 0;
      return std::to_string(count);
    };
    for (const char* tree : {"/mnt/a", "/mnt/b"}) {
      const std::string path = tree;
      sys::mkdir(path, 0755);
      mount_tmpfs(path);
      for (const char* name : {"/one", "/two", "/three"}) sys::mkdir(path + name, 0755);
      for (const char* name : {"/one", "/two", "/three"}) {
        bind_mount(path, path + name, MS_REC);
        if (path == "/mnt/b") set_propagation(path + name, MS_UNBINDABLE);
      }
      chapter.say(below(path));
    }
    chapter.say(text(bind_mount("/mnt/b/one", "/mnt/a/one")));
    return 0;
  });
  tell.show("mounts after three such binds", stage.talk().line(), is("8"));
  tell.show("the same, each one unbindable", stage.talk().line(), is("4"));
  tell.show("a bind mount of an unbindable one", stage.talk().line(), contains("EINVAL"));
  tell.result("each recursive bind copies all the earlier ones: 1, 2, 4, 8. What is unbindable is left out.");
}

}  // namespace drydock::chapter::mnt
