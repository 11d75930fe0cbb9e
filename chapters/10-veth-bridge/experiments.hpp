// The experiments of chapter 10, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::veth_bridge {

// experiments/by_hand.cpp
void by_hand(Narrator& tell);

}  // namespace drydock::chapter::veth_bridge
