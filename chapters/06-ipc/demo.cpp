// Chapter 06: queues, semaphores and shared memory of one's own, and what the namespace of that name does not isolate.
#include <fcntl.h>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/objects.hpp"
#include "shared/chapter.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::ipc {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  tell.question(
      "a program on the host and one in a container ask for the message queue with the same key. Do they get the same queue?");
  const key_t key = any_key();
  tell.step("a queue on the host, and the container of this chapter: CLONE_NEWIPC, then execve(\"cat\")");
  const KeptQueue queue(key, "from the host");
  Payload payload(tell, sketch_of(6, request_of_this_user()));
  const auto inside = [&](const std::function<std::string()>& look) {
    return visit(payload.pid(), {Kind::user, Kind::ipc, Kind::mnt}, look);
  };
  tell.show("ipc namespace", Sides{id_of(0, Kind::ipc), id_of(payload.pid(), Kind::ipc)}, differ());
  tell.show("msgget(key), inside", inside([=] { return text(find(Table::queue, key)); }), contains("ENOENT"));
  tell.show("msgget(key, IPC_CREAT), inside", inside([=] { return "id " + std::to_string(make(Table::queue, key).result); }),
            is("id 0"));
  tell.step("each side puts a message into its queue, and reads what is there");
  inside([=] { return text(send(find(Table::queue, key).result, "from inside")); });
  tell.show("it reads", Sides{receive(queue.id()), inside([=] { return receive(find(Table::queue, key).result); })},
            are("from the host", "from inside"));
  tell.step("what else has that name?");
  const auto memory = [] { return sys::fstat(sys::open("/dev/shm", O_PATH)).st_dev; };
  tell.show("is /dev/shm the host's?", inside([&, host = memory()] { return text(memory() == host); }), is("no"));
  tell.say("but not because of this namespace: the mounts of chapter 04 gave it a /dev/shm of its own");
  tell.show("exit status of cat", payload.end(), is(0));
  tell.show("is the host's queue still listed?", is_listed(Table::queue, queue.id()), is(true));
  tell.result("a key or an id means something in one IPC namespace only. What is inside goes with its last process.");
}

const std::vector<Experiment> experiments = {
    {"queue",
     "The notes make a queue and list it. Who else sees it?",
     {"N1-181", "N1-182", "U-01"},
     {needs::namespaces()},
     queue},
    {"ids",
     "Each object has a unique 32-bit id. Unique where?",
     {"N0-087", "N1-180", "E-030", "U-01"},
     {needs::namespaces()},
     ids},
    {"pid-or-ipc",
     "Which namespace decides whether a queue is seen: that of the pids, or that of IPC?",
     {"N0-086", "E-029"},
     {needs::namespaces()},
     pid_or_ipc},
    {"three-tables",
     "Do queues, semaphores and shared memory work in a container as usual?",
     {"N0-085", "N1-144", "N1-179", "U-01"},
     {needs::namespaces()},
     three_tables},
    {"posix-queues",
     "A new IPC namespace, and the host's queues are still listed in /dev/mqueue?",
     {"N1-180", "U-01"},
     {needs::namespaces()},
     posix_queues},
    {"not-isolated",
     "Queues, semaphores, shared memory: does an IPC namespace isolate all of them?",
     {"N0-085", "N1-144", "N1-179", "E-031", "U-01"},
     {needs::namespaces()},
     not_isolated},
    {"two-containers",
     "Do containers talk to each other as processes do?",
     {"N3-038", "E-003"},
     {needs::namespaces()},
     two_containers},
    {"shared-namespace",
     "What does --ipc container:ID share?",
     {"N1-181", "N3-038", "E-003"},
     {needs::namespaces()},
     shared_namespace},
    {"outlives", "The process that made a queue has ended. Is the queue gone?", {"N0-085"}, {needs::namespaces()}, outlives},
    {"lifetime", "When do the objects of an IPC namespace go?", {"U-01"}, {needs::namespaces()}, lifetime},
    {"limits", "Whose is the limit on queues?", {"N1-180"}, {needs::root()}, limits},
    {"owners", "What protects a queue inside its namespace?", {"N1-181"}, {needs::root()}, keys_and_owners},
    {"flags", "Which flag excludes CLONE_NEWIPC?", {"N1-144"}, {needs::namespaces()}, flags},
};

}  // namespace drydock::chapter::ipc

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main({.number = 6,
                                 .name = "ipc",
                                 .idea = "queues, semaphores and shared memory of one's own, and what is not isolated by it",
                                 .story = ipc::story,
                                 .needs = {needs::namespaces()},
                                 .experiments = ipc::experiments},
                                argc, argv);
}
