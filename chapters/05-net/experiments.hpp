// The experiments of chapter 05, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::net {

// experiments/empty.cpp: what a new network namespace has
void empty(Narrator& tell);
void loopback(Narrator& tell);
void sysfs(Narrator& tell);
void own_tables(Narrator& tell);

// experiments/sockets.cpp: to which namespace a socket belongs
void same_port(Narrator& tell);
void abstract_names(Narrator& tell);
void old_socket(Narrator& tell);

// experiments/named.cpp: ip netns, by hand and by itself
void named(Narrator& tell);
void ip_netns(Narrator& tell);
void deletion(Narrator& tell);

// experiments/cable.cpp: a veth pair between two namespaces
void cable(Narrator& tell);
void subnets(Narrator& tell);
void moving(Narrator& tell);

}  // namespace drydock::chapter::net
