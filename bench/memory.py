#!/usr/bin/env python3
"""Does the size of the caller matter? Start time from a process with 2 MB and from one with 1 GB resident, in turn.

Example: sudo bench/memory.py --build build/release
Exit status 1 when the median of the big one is over 1.3 times that of the small one.
"""
import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from race import Competitor, Server, fresh, in_own_namespaces, leave_memory, race, state_in_memory, table

LIMIT = 1.3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--megabytes", type=int, default=1024)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("memory.py: needs root, for namespaces and cgroups: run it with sudo")
    in_own_namespaces("DRYDOCK_BENCH_INSIDE")
    build = options.build.resolve()
    data = fresh(build.parent / "bench" / "data")
    os.environ.update(DRYDOCK_ROOT=str(data), DRYDOCK_STATE=state_in_memory(), DRYDOCK_MONITOR=str(build / "bin" / "drydock-monitor"))
    subprocess.run([build / "bin" / "drydock", "run", "--rm", "busybox", "true"], check=True)
    program = str(build / "bin" / "bench-memory")
    servers = [Server([program, "2"]), Server([program, str(options.megabytes)])]
    small, big = (Competitor(name, "", server.start) for name, server in zip(("2 MB", f"{options.megabytes} MB"), servers))
    race([small, big], 3, 0, "warming up")
    small.samples.clear()
    big.samples.clear()
    race([small, big], options.rounds, 0.02, "measuring")
    for server in servers:
        server.close()
    subprocess.run([build / "bin" / "drydock", "reset", "--all"], check=False, stdout=subprocess.DEVNULL)
    leave_memory()
    print(table([small, big], "2 MB"))
    if not small.good() or not big.good():
        sys.exit("memory.py: no start succeeded")
    ratio = statistics.median(big.good()) / statistics.median(small.good())
    print(f"\na caller with {options.megabytes} MB takes {ratio:.2f} times as long as one with 2 MB; {LIMIT} is allowed")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
