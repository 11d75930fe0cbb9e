// The experiments of chapter 08, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"
#include "shared/needs.hpp"

namespace drydock::chapter::control_groups {

// experiments/memory.cpp
void memory(Narrator& tell);
void memory_swap(Narrator& tell);
void swap(Narrator& tell);
void page_cache(Narrator& tell);

// experiments/cpu.cpp
void shares(Narrator& tell);
void shares_clamped_v1(Narrator& tell);
void weights_v2(Narrator& tell);
void quota(Narrator& tell);
void eight_against_one(Narrator& tell);
void cpuset(Narrator& tell);
void empty_cpuset_v1(Narrator& tell);

// experiments/tasks.cpp: processes as members
void fork_bomb(Narrator& tell);
void freezer(Narrator& tell);
void devices(Narrator& tell);
void own_root(Narrator& tell);
void no_members_inside_v2(Narrator& tell);

// experiments/disk.cpp
void write_bps(Narrator& tell);
void read_bps(Narrator& tell);
void iops(Narrator& tell);
void buffered_v1(Narrator& tell);
void buffered_v2(Narrator& tell);
void blkio_weight(Narrator& tell);

// experiments/table.cpp: what there is, and what is only said to be
void knobs(Narrator& tell);
void flags(Narrator& tell);
Need drydock();  // for flags: the command line
void versions(Narrator& tell);
void no_controller(Narrator& tell);
void no_container(Narrator& tell);
void accounting(Narrator& tell);

}  // namespace drydock::chapter::control_groups
