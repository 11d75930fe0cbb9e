// The three tables of System V: which of them a process sees is decided by its IPC namespace.
#include <linux/sched.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "objects.hpp"

namespace drydock::chapter::ipc {

using namespaces::Kind;

namespace {

// Makes one object of each table in a fresh namespace, and says the ids.
std::string first_ids() {
  Child child(for_this_user(CLONE_NEWIPC), [](Talk& chapter) {
    std::string all;
    for (const Table table : all_tables) all += (all.empty() ? "" : " ") + std::to_string(make(table, any_key()).result);
    chapter.say(all);
    return 0;
  });
  return child.talk().line();
}

std::string counts() {
  std::string all;
  for (const Table table : all_tables) all += (all.empty() ? "" : " ") + std::to_string(count(table));
  return all;
}

}  // namespace

void queue(Narrator& tell) {
  const key_t key = any_key();
  tell.step("as `ipcmk -Q; ipcs -q`, where the notes end: a queue, and the list");
  Child host(for_this_user(CLONE_NEWIPC), [=](Talk& chapter) {
    const long id = make(Table::queue, key).result;
    chapter.say(std::to_string(count(Table::queue)));
    send(id, "from the host");
    Child inside(CLONE_NEWIPC, [=](Talk& talk) {
      talk.say(std::to_string(count(Table::queue)));
      talk.say(text(find(Table::queue, key)));
      const Outcome own = make(Table::queue, key);
      send(own.result, "from inside");
      talk.say(text(own));
      talk.line();
      return 0;
    });
    for (int lines = 0; lines < 3; ++lines) chapter.say(inside.talk().line());
    chapter.say(visit(inside.pid(), {Kind::ipc}, [=] { return receive(find(Table::queue, key).result); }));
    chapter.say(receive(id));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("queues in the list", line(), is("1"));
  tell.step("a child of clone3(CLONE_NEWIPC) asks for the list, then for the queue by its key, then makes its own");
  tell.show("queues in the list", line(), is("0"));
  tell.show("msgget(key)", line(), contains("ENOENT"));
  tell.show("msgget(key, IPC_CREAT)", line(), is("it succeeds"));
  tell.step("each side has put a message into the queue of that key; as `nsenter --ipc`, then here");
  tell.show("a process that joins reads", line(), is("from inside"));
  tell.show("the host reads", line(), is("from the host"));
  tell.result("one key, two queues: a key means something in one namespace only. Who joins it sees what is in it.");
}

void ids(Narrator& tell) {
  tell.step("two new namespaces; in each a queue, a semaphore and a segment are made, and their ids said");
  tell.show("ids in the first", first_ids(), is("0 0 0"));
  tell.show("ids in the second", first_ids(), is("0 0 0"));
  tell.step("in a third one: two queues; the first is removed, a third one made");
  Child child(for_this_user(CLONE_NEWIPC), [](Talk& chapter) {
    const long first = make(Table::queue, any_key()).result;
    chapter.say(std::to_string(first));
    chapter.say(std::to_string(make(Table::queue, any_key()).result));
    destroy(Table::queue, first);
    const long third = make(Table::queue, any_key()).result;
    chapter.say(text(third == first));
    chapter.say(receive(first) == "none" && !is_listed(Table::queue, first) ? "no" : "yes");
    return 0;
  });
  tell.show("id of the first", child.talk().line(), is("0"));
  tell.show("id of the second", child.talk().line(), is("1"));
  tell.show("has the third that of the first?", child.talk().line(), is("no"));
  tell.show("does the old id lead to it?", child.talk().line(), is("no"));
  tell.result(
      "every table counts for itself, and does not give an id again soon: unique for its kind, in its namespace, nowhere else.");
}

void pid_or_ipc(Narrator& tell) {
  tell.step("a queue; then three processes: one in a new pid namespace, one in a new IPC namespace, one in both");
  Child host(for_this_user(CLONE_NEWIPC), [](Talk& chapter) {
    const Object queue(Table::queue, any_key());
    send(queue.id(), "hello");
    for (const std::uint64_t flags :
         {std::uint64_t{CLONE_NEWPID}, std::uint64_t{CLONE_NEWIPC}, std::uint64_t{CLONE_NEWPID | CLONE_NEWIPC}}) {
      Child child(flags, [](Talk& talk) {
        talk.say(std::to_string(sys::getpid() == 1));
        talk.say(std::to_string(count(Table::queue)));
        talk.line();
        return 0;
      });
      for (int lines = 0; lines < 2; ++lines) chapter.say(child.talk().line());
    }
    Child reader(CLONE_NEWPID, [&](Talk& talk) {
      talk.say(receive(queue.id()));
      return 0;
    });
    chapter.say(reader.talk().line());
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  const auto is_init = [&] { return line() == "1"; };
  tell.show("new pid namespace: is it pid 1?", is_init(), is(true));
  tell.show("queues it sees", line(), is("1"));
  tell.show("new IPC namespace: is it pid 1?", is_init(), is(false));
  tell.show("queues it sees", line(), is("0"));
  tell.show("both: is it pid 1?", is_init(), is(true));
  tell.show("queues it sees", line(), is("0"));
  tell.step("a message was put in by a process of one pid namespace; a process of another reads it");
  tell.show("it reads", line(), is("hello"));
  tell.result("the boundary is the IPC namespace alone. No request carries a pid namespace.");
}

void three_tables(Narrator& tell) {
  tell.step("an object of each kind; a process of a new IPC namespace lists them, and uses its own");
  Child host(for_this_user(CLONE_NEWIPC), [](Talk& chapter) {
    for (const Table table : all_tables) make(table, any_key());
    chapter.say(counts());
    Child inside(CLONE_NEWIPC, [](Talk& talk) {
      talk.say(counts());
      const long queue = make(Table::queue, any_key()).result, memory = make(Table::memory, any_key()).result;
      const long semaphore = make(Table::semaphore, any_key()).result;
      talk.say(text(lower(semaphore)));
      Child friend_of_it(0, [=](Talk& other) {
        other.say(text(send(queue, "by message")));
        other.say(text(store(memory, "by memory")));
        other.say(text(raise(semaphore)));
        return 0;
      });
      for (int lines = 0; lines < 3; ++lines) talk.say(friend_of_it.talk().line());
      friend_of_it.wait();
      talk.say(receive(queue));
      talk.say(load(memory));
      talk.say(text(lower(semaphore)));
      talk.say(counts());
      return 0;
    });
    for (int lines = 0; lines < 9; ++lines) chapter.say(inside.talk().line());
    chapter.say(counts());
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("queues, semaphores, segments", line(), is("1 1 1"));
  tell.show("the same, in the new namespace", line(), is("0 0 0"));
  tell.step("inside: two processes with one object of each kind");
  tell.show("semaphore lowered by the other one", line(), contains("EAGAIN"));
  tell.show("message sent by the one", line(), is("it succeeds"));
  tell.show("memory written by the one", line(), is("it succeeds"));
  tell.show("semaphore raised by the one", line(), is("it succeeds"));
  tell.show("the other one receives", line(), is("by message"));
  tell.show("the other one reads", line(), is("by memory"));
  tell.show("semaphore lowered by the other one", line(), is("it succeeds"));
  tell.show("listed inside", line(), is("1 1 1"));
  tell.show("listed outside", line(), is("1 1 1"));
  tell.result(
      "all three tables work as usual, and are different tables. It is all that an IPC namespace has, but for POSIX queues.");
}

void keys_and_owners(Narrator& tell) {
  tell.step("in one namespace: a queue of mode 0600, then another user who knows its key");
  Child host(CLONE_NEWIPC, [](Talk& chapter) {
    const key_t key = any_key();
    const Object queue(Table::queue, key);
    chapter.say(text(make(Table::queue, key)));
    Child other(0, [key, id = queue.id()](Talk& talk) {
      raw::call(SYS_setresuid, 65534, 65534, 65534);
      talk.say(text(find(Table::queue, key)));
      talk.say(text(send(id, "x")));
      return 0;
    });
    for (int lines = 0; lines < 2; ++lines) chapter.say(other.talk().line());
    return 0;
  });
  tell.show("the same key, IPC_CREAT|IPC_EXCL", host.talk().line(), contains("EEXIST"));
  tell.show("msgget(key), by the other user", host.talk().line(), is("it succeeds"));
  tell.show("msgsnd, by the other user", host.talk().line(), contains("EACCES"));
  tell.result("inside a namespace an object has an owner and a mode like a file, and a name that anybody may try.");
}

}  // namespace drydock::chapter::ipc
