// The experiments of chapter 11, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::image_layers {

// experiments/layers.cpp: what a layer is, and what is none
void instructions(Narrator& tell);
void no_parent(Narrator& tell);
void deleted_later(Narrator& tell);
void smallest(Narrator& tell);
void shared_layers(Narrator& tell);

// experiments/names.cpp: ids and tags
void digests(Narrator& tell);
void aliases(Narrator& tell);
void removal(Narrator& tell);
void in_use(Narrator& tell);

// experiments/description.cpp: what an image says about itself
void history(Narrator& tell);
void missing(Narrator& tell);
void inspect(Narrator& tell);

// experiments/archives.cpp: from store to store
void save_load(Narrator& tell);
void flattened(Narrator& tell);
void ship(Narrator& tell);

// experiments/containers.cpp: what a container makes of an image
void two_containers(Narrator& tell);
void no_boot(Narrator& tell);
void commit(Narrator& tell);

}  // namespace drydock::chapter::image_layers
