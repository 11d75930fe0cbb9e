// The program `drydock`. Everything is in commands.cpp; tests call it there.
#include <malloc.h>

#include "commands.hpp"

int main(int argc, char** argv) {
  // A plan and its ledger take half a megabyte for a millisecond: it is asked for once, and not given back on the way.
  ::mallopt(M_TOP_PAD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  return drydock::cli::dispatch(drydock::cli::Words(argv + (argc > 0 ? 1 : 0), argv + argc));
}
