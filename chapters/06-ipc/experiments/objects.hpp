// The objects of an IPC namespace: three tables of System V, and the message queues of POSIX. Each call is in the caller's
// namespace.
//
// Example: const Outcome made = make(Table::queue, key); send({made.result}, "hello"); receive(made.result) == "hello"
// Source: sysvipc(7), mq_overview(7), proc_sysvipc(5).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "shared/child.hpp"
#include "shared/values.hpp"

namespace drydock::chapter::ipc {

enum class Table { queue, semaphore, memory };
inline constexpr Table all_tables[] = {Table::queue, Table::semaphore, Table::memory};

// msgget, semget, shmget: the id, or -errno. make() fails with EEXIST when the key is taken; memory is one page.
Outcome make(Table table, key_t key);
Outcome find(Table table, key_t key);
Outcome destroy(Table table, long id);
// Lines of /proc/sysvipc/msg, sem, shm: what ipcs(1) prints.
std::size_t count(Table table);
bool is_listed(Table table, long id);
key_t any_key();

// Messages of type 1; receive() does not wait: "none" when there is none.
Outcome send(long queue, const std::string& message);
std::string receive(long queue);
// semop(2) by one, without waiting: EAGAIN where it would.
Outcome raise(long semaphore);
Outcome lower(long semaphore);
// Puts `message` into the segment; reads what is there.
Outcome store(long memory, const std::string& message);
std::string load(long memory);

// mq_open(3) with a name without its slash; the queue is kept when `flags` has O_CREAT.
Outcome open_posix_queue(const std::string& name, int flags);

// A queue with one message in the caller's own namespace, in the care of a process that outlives the chapter for as long as it
// takes to remove it: a kill -9 leaves nothing on the host.
class KeptQueue {
 public:
  KeptQueue(key_t key, const std::string& message);
  ~KeptQueue();
  KeptQueue(const KeptQueue&) = delete;
  KeptQueue& operator=(const KeptQueue&) = delete;
  long id() const { return id_; }

 private:
  Child keeper_;
  long id_;
};

// An object that goes with its owner: for namespaces that go with the experiment.
class Object {
 public:
  Object(Table table, key_t key);  // throws Error
  ~Object() { destroy(table_, id_); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  long id() const { return id_; }

 private:
  Table table_;
  long id_;
};

}  // namespace drydock::chapter::ipc
