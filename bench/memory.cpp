// A process of a chosen size that starts containers through the library, for bench/memory.py: does the caller's memory matter?
//
// Reads a line from standard input, runs `busybox true` in a container, writes "<nanoseconds> <exit status>" and waits for the
// next. A start by fork would copy the page tables: 9-13 ms at 300 MB. Drydock spawns a monitor, so the size should not be seen.
//
// Example: echo go | bench-memory 1024
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include <drydock/container/container.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace {

// Resident memory in pages of 4 KiB, which is what makes page tables long.
void take_memory(std::size_t megabytes) {
  const std::size_t size = megabytes << 20;
  void* ballast = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (ballast == MAP_FAILED) throw drydock::Error::refused("ballast", "no memory for it", "free some, or ask for less");
  madvise(ballast, size, MADV_NOHUGEPAGE);
  std::memset(ballast, 1, size);
}

drydock::container::Spec true_spec() {
  drydock::container::Spec spec;
  spec.image = "busybox";
  spec.command = {"true"};
  spec.remove = true;
  spec.limits.memory = 64U << 20;
  spec.limits.cpus = 1.0;
  spec.limits.pids = 100;
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::atol(argv[1]) > 2) take_memory(static_cast<std::size_t>(std::atol(argv[1])));
    drydock::container::Engine engine;
    const drydock::container::Spec spec = true_spec();
    std::string line;
    while (std::getline(std::cin, line)) {
      const std::uint64_t start = drydock::sys::monotonic_ns();
      const drydock::container::Outcome outcome = engine.run(spec);
      const std::uint64_t end = drydock::sys::monotonic_ns();
      std::cout << end - start << ' ' << outcome.exit_code << std::endl;
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench-memory: " << error.what() << '\n';
    return 125;
  }
}
