// The experiments of chapter 09, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::overlay {

// experiments/stacking.cpp: many directories, one view
void two_layers(Narrator& tell);
void many_layers(Narrator& tell);
void read_only(Narrator& tell);
void base(Narrator& tell);
void shared_base(Narrator& tell);

// experiments/changes.cpp: what a write, a deletion and a new directory leave in the writable layer
void copy_up(Narrator& tell);
void metadata(Narrator& tell);
void whiteout(Narrator& tell);
void opaque(Narrator& tell);
void writable_layer(Narrator& tell);

// experiments/surprises.cpp: where a stack is no ordinary file system
void rename_directory(Narrator& tell);
void redirect(Narrator& tell);
void hard_links(Narrator& tell);
void open_before(Narrator& tell);

// experiments/drivers.cpp: what the notes call union file systems
void not_union(Narrator& tell);
void whole_copy(Narrator& tell);
void storage_drivers(Narrator& tell);

}  // namespace drydock::chapter::overlay
