// The experiments of chapter 03, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"
#include "shared/talk.hpp"

namespace drydock::chapter::pid {

// experiments/numbers.cpp: one process, several numbers
void translation(Narrator& tell);
void own_counters(Narrator& tell);
void tree(Narrator& tell);
void nesting(Narrator& tell);

// experiments/views.cpp: who sees whom
void stale_proc(Narrator& tell);
void all_below(Narrator& tell);
void users(Narrator& tell);
void parents(Narrator& tell);
void members(Narrator& tell);

// experiments/signals.cpp: who reaches whom
void from_above(Narrator& tell);
void from_inside(Narrator& tell);
void outwards(Narrator& tell);
void kill_everybody(Narrator& tell);
void shell_and_sigterm(Narrator& tell);

// experiments/init.cpp: the duties of process 1
void death_of_init(Narrator& tell);
void after_init(Narrator& tell);
void adoption(Narrator& tell);
void reaping(Narrator& tell);
void init_sleeps(Narrator& tell);

// experiments/agent.cpp: the program of the payloads
int agent(Talk& chapter);

}  // namespace drydock::chapter::pid
