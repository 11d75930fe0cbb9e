// The experiments of chapter 07, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::user {

// experiments/maps.cpp: uid_map, gid_map, setgroups
void before_the_map(Narrator& tell);
void exec_unmapped(Narrator& tell);
void who_may_write(Narrator& tell);
void one_id_or_range(Narrator& tell);
void setgroups_rule(Narrator& tell);
void groups_that_deny(Narrator& tell);

// experiments/sides.cpp: one user, two numbers
void not_by_default(Narrator& tell);
void remapped(Narrator& tell);
void files(Narrator& tell);
void nested(Narrator& tell);

// experiments/powers.cpp: what root of a user namespace can do
void capabilities(Narrator& tell);
void cannot(Narrator& tell);
void locked_mounts(Narrator& tell);
void owner(Narrator& tell);
void without_root(Narrator& tell);
void all_without_root(Narrator& tell);

}  // namespace drydock::chapter::user
