// The program `drydock`. Everything is in commands.cpp; tests call it there.
#include "commands.hpp"

int main(int argc, char** argv) {
  return drydock::cli::dispatch(drydock::cli::Words(argv + (argc > 0 ? 1 : 0), argv + argc));
}
