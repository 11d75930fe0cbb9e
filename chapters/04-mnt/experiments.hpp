// The experiments of chapter 04, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::mnt {

// experiments/copies.cpp: what a new mount namespace begins with, and what it goes on sharing
void copy(Narrator& tell);
void same_files(Narrator& tell);
void chroot_list(Narrator& tell);
void from_outside(Narrator& tell);
void pin_itself(Narrator& tell);

// experiments/propagation.cpp: which mounts reach the other side
void puzzle(Narrator& tell);
void leak(Narrator& tell);
void unbindable(Narrator& tell);

// experiments/kinds.cpp: bind mounts, detached mounts, mounts in use
void read_only_bind(Narrator& tell);
void detached(Narrator& tell);
void busy(Narrator& tell);
void hidden(Narrator& tell);

// experiments/roots.cpp: chroot, pivot_root, and what is left of the old root
void escape(Narrator& tell);
void pivot_refuses(Narrator& tell);
void old_root(Narrator& tell);

// experiments/system.cpp: what the container of this chapter has, by its own name
void devices(Narrator& tell);
void masks(Narrator& tell);
void same_name(Narrator& tell);

}  // namespace drydock::chapter::mnt
