// The experiments of chapter 10, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::veth_bridge {

// experiments/by_hand.cpp
void by_hand(Narrator& tell);

// experiments/leftovers.cpp
void symlink(Narrator& tell);

// experiments/old_tools.cpp
void old_tools(Narrator& tell);

// experiments/addresses.cpp: who hands them out, and which may be
void by_guess(Narrator& tell);
void wide_subnet(Narrator& tell);
void daemon_json(Narrator& tell);

// experiments/bridges.cpp: who is on a bridge, and where it comes from
void default_bridge(Narrator& tell);
void connected_route(Narrator& tell);
void made_when(Narrator& tell);
void second_bridge(Narrator& tell);
void live(Narrator& tell);

// experiments/nat.cpp: out of the bridge, and into it
void leaving(Narrator& tell);
void open_router(Narrator& tell);
void published(Narrator& tell);
void hairpin(Narrator& tell);

// experiments/packets.cpp: who carries a packet
void same_buffer(Narrator& tell);
void kernel_forwards(Narrator& tell);

// experiments/modes.cpp: whose network a container has, and what is in it
void modes(Narrator& tell);
void shared(Narrator& tell);
void host_mode(Narrator& tell);
void endpoints(Narrator& tell);
void inspected(Narrator& tell);

// experiments/names.cpp
void names(Narrator& tell);
void run_exec(Narrator& tell);

// experiments/segments.cpp: beyond one host
void macvlan(Narrator& tell);
void vxlan(Narrator& tell);

}  // namespace drydock::chapter::veth_bridge
