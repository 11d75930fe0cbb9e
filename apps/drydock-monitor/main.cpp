// drydock-monitor: executes one launch plan, stays with the container, undoes it, reports.
//
// Never started by hand: the library spawns it with its socket on descriptor 3, and sends it the ledger.
#include <unistd.h>

#include <drydock/plan/executor/context.hpp>

int main(int argc, char**) {
  if (argc < 2) {
    static const char text[] = "drydock-monitor: this program is started by drydock and has no use of its own; see 'drydock --help'\n";
    [[maybe_unused]] const auto written = write(2, text, sizeof text - 1);
    return 2;
  }
  return drydock::plan::executor::monitor_main();
}
