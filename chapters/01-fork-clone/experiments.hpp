// The experiments of chapter 01, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"
#include "shared/talk.hpp"

namespace drydock::chapter::fork_clone {

// experiments/pages.cpp: what fork copies, counted
void copy_on_write(Narrator& tell);
void page_size(Narrator& tell);
void same_map(Narrator& tell);
void fork_cost(Narrator& tell);

// experiments/shared.cpp: what stays shared, and what the child does not get
void still_shared(Narrator& tell);
void not_inherited(Narrator& tell);

// experiments/calls.cpp: which system calls are behind the library's functions
void which_call(Narrator& tell);
void return_values(Narrator& tell);
void namespaces_at_birth(Narrator& tell);

// experiments/memory.cpp: processes and threads that share an address space
void vfork_child(Narrator& tell);
void clone_vm(Narrator& tell);
void kernel_threads(Narrator& tell);

// experiments/order.cpp: who runs first, and who prints
void order(Narrator& tell);
void interleaving(Narrator& tell);
void double_print(Narrator& tell);
void python_script(Narrator& tell);

// experiments/family.cpp: parents and children
void zombie(Narrator& tell);
void orphan(Narrator& tell);
void double_fork(Narrator& tell);
void child_signal(Narrator& tell);
void pidfd(Narrator& tell);
void fork_server(Narrator& tell);

// experiments/bomb.cpp
void fork_bomb(Narrator& tell);
int bomb(Talk& chapter);

}  // namespace drydock::chapter::fork_clone
