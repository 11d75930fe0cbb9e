#include "objects.hpp"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

#include <drydock/facts/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::chapter::ipc {

namespace {

constexpr std::size_t page = 4096, most_bytes = 64;

struct Message {
  long type = 1;
  char text[most_bytes] = {};
};

Outcome get(Table table, key_t key, int flags) {
  switch (table) {
    case Table::queue:
      return {raw::call(SYS_msgget, key, flags)};
    case Table::semaphore:
      return {raw::call(SYS_semget, key, 1, flags)};
    case Table::memory:
      return {raw::call(SYS_shmget, key, page, flags)};
  }
  return {};
}

const char* file_of(Table table) {
  return table == Table::queue ? "/proc/sysvipc/msg" : table == Table::semaphore ? "/proc/sysvipc/sem" : "/proc/sysvipc/shm";
}

// Maps the segment, does something with it, and lets it go.
template <typename Act>
Outcome with_segment(long memory, Act act) {
  const long address = raw::call(SYS_shmat, memory, nullptr, 0);
  if (raw::failed(address)) return {address};
  act(reinterpret_cast<char*>(address));
  return {raw::call(SYS_shmdt, address)};
}

}  // namespace

Outcome make(Table table, key_t key) {
  return get(table, key, IPC_CREAT | IPC_EXCL | 0600);
}
Outcome find(Table table, key_t key) {
  return get(table, key, 0);
}

Outcome destroy(Table table, long id) {
  switch (table) {
    case Table::queue:
      return {raw::call(SYS_msgctl, id, IPC_RMID, nullptr)};
    case Table::semaphore:
      return {raw::call(SYS_semctl, id, 0, IPC_RMID, nullptr)};
    case Table::memory:
      return {raw::call(SYS_shmctl, id, IPC_RMID, nullptr)};
  }
  return {};
}

std::size_t count(Table table) {
  const std::string all = sys::read_file(file_of(table));
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')) - 1;  // the heading
}

bool is_listed(Table table, long id) {
  const std::string all = sys::read_file(file_of(table));
  for (const std::string_view line : facts::parse::lines(all))
    if (const auto words = facts::parse::words(line); words.size() > 1 && words[1] == std::to_string(id)) return true;
  return false;
}

key_t any_key() {
  return static_cast<key_t>(std::stoul(sys::random_hex(16).substr(0, 7), nullptr, 16)) + 1;
}

Outcome send(long queue, const std::string& message) {
  Message out;
  std::memcpy(out.text, message.data(), std::min(message.size(), most_bytes));
  return {raw::call(SYS_msgsnd, queue, &out, std::min(message.size(), most_bytes), IPC_NOWAIT)};
}

std::string receive(long queue) {
  Message in;
  const long size = raw::call(SYS_msgrcv, queue, &in, most_bytes, 0, IPC_NOWAIT);
  return raw::failed(size) ? "none" : std::string(in.text, static_cast<std::size_t>(size));
}

namespace {

Outcome change(long semaphore, short by) {
  sembuf operation{0, by, IPC_NOWAIT};
  return {raw::call(SYS_semop, semaphore, &operation, 1)};
}

}  // namespace

Outcome raise(long semaphore) {
  return change(semaphore, 1);
}
Outcome lower(long semaphore) {
  return change(semaphore, -1);
}

Outcome store(long memory, const std::string& message) {
  return with_segment(memory, [&](char* bytes) { std::strncpy(bytes, message.c_str(), page - 1); });
}

std::string load(long memory) {
  std::string seen;
  const Outcome done = with_segment(memory, [&](char* bytes) { seen = bytes; });
  return done.failed() ? text(done) : seen;
}

Outcome open_posix_queue(const std::string& name, int flags) {
  mq_attr smallest{};  // what a queue may hold counts against its user's RLIMIT_MSGQUEUE, in all namespaces together
  smallest.mq_maxmsg = 1;
  smallest.mq_msgsize = most_bytes;
  const long opened = raw::call(SYS_mq_open, name.c_str(), flags | O_RDWR, 0600, &smallest);
  if (raw::failed(opened)) return {opened};
  return {raw::call(SYS_close, opened)};
}

KeptQueue::KeptQueue(key_t key, const std::string& message)
    : keeper_(0,
              [=](Talk& chapter) {
                raw::call(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
                const Object queue(Table::queue, key);
                send(queue.id(), message);
                chapter.say(std::to_string(queue.id()));
                chapter.line();  // nothing is ever said: it ends when the chapter does
                return 0;
              }),
      id_(std::stol(keeper_.talk().line())) {}

KeptQueue::~KeptQueue() {
  keeper_.talk().close();
  keeper_.ends_within(10'000);
}

Object::Object(Table table, key_t key) : table_(table), id_(make(table, key).result) {
  if (raw::failed(id_))
    throw Error::from_errno(table == Table::queue       ? "msgget"
                            : table == Table::semaphore ? "semget"
                                                        : "shmget",
                            "IPC_CREAT|IPC_EXCL", raw::error_of(id_));
}

}  // namespace drydock::chapter::ipc
