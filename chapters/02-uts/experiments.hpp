// The experiments of chapter 02, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::uts {

// experiments/names.cpp: what the namespace holds
void two_names(Narrator& tell);
void same_namespace(Narrator& tell);
void not_the_network(Narrator& tell);
void nis_domain_only(Narrator& tell);
void who_may(Narrator& tell);

// experiments/links.cpp: /proc/PID/ns
void links(Narrator& tell);
void eight_kinds(Narrator& tell);
void own_pid(Narrator& tell);
void one_view(Narrator& tell);

// experiments/calls.cpp: clone3, unshare, setns, ioctl
void three_calls(Narrator& tell);
void join(Narrator& tell);

// experiments/lifetime.cpp: who keeps a namespace alive
void descriptor(Narrator& tell);
void pin(Narrator& tell);
void dead_init(Narrator& tell);
void last_holder(Narrator& tell);

}  // namespace drydock::chapter::uts
