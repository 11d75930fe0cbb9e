// The experiments of chapter 06, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::ipc {

// experiments/tables.cpp: queues, semaphores and shared memory of System V
void queue(Narrator& tell);
void ids(Narrator& tell);
void pid_or_ipc(Narrator& tell);
void three_tables(Narrator& tell);
void keys_and_owners(Narrator& tell);

// experiments/posix.cpp: what POSIX calls by the same names
void posix_queues(Narrator& tell);
void not_isolated(Narrator& tell);

// experiments/containers.cpp: two containers that want to talk
void two_containers(Narrator& tell);
void shared_namespace(Narrator& tell);

// experiments/lifetime.cpp: when the objects go, and what limits them
void outlives(Narrator& tell);
void lifetime(Narrator& tell);
void limits(Narrator& tell);
void flags(Narrator& tell);

}  // namespace drydock::chapter::ipc
