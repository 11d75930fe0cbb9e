#!/usr/bin/env python3
"""Start-to-exit of `true` in a container: drydock beside crun, runc, bubblewrap, and a floor of bare system calls.

All are started in turn, in random order, in one run: only ratios within one table mean something. Hot is back to back;
cold waits 150 ms before each start, which is what a person at a keyboard sees.

Example: ./lab bench --rounds 60
Writes table.md, samples.json and plot.png into build/bench.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from bundles import make_bundle, make_root
from race import Competitor, Runner, fresh, in_own_namespaces, leave_memory, race, state_in_memory, table

LIMITS = ["-m", "64M", "--cpus", "1", "--pids-limit", "100"]
FLOOR = "floor"


class Bench:
    def __init__(self, build, output):
        self.bin = build / "bin"
        self.output = output
        self.log = str(output / "errors.log")
        self.root = output / "root"
        self.runner = Runner(self.log)
        self.hidden = None

    def prepare(self):
        """Everything that is not measured: a bridge for the floor, drydock's store, root directory and bundles of the others."""
        make_root(self.root)
        fresh(self.output / "floor")
        subprocess.run([self.bin / "bench-floor", "bridge", "drydockfloor", "172.31.0.1"], check=True)
        subprocess.run([self.bin / "drydock", "run", "--rm", "busybox", "true"], check=True)

    def layers(self):
        """The image's layers as the store has them, so that the floor stacks the same directories."""
        found = sorted((Path(os.environ["DRYDOCK_ROOT"]) / "layers").glob("*"), key=lambda path: path.stat().st_mtime)
        with_files = [str(path) for path in reversed(found) if path.is_dir() and not path.name.startswith(".")]
        return ":".join(with_files) if with_files else str(self.root)

    def seccomp_program(self):
        """The filter that drydock compiled in its first run, without the header of its cache; None when there is none."""
        for path in (Path(os.environ["DRYDOCK_ROOT"]) / "cache").rglob("*"):
            if path.is_file() and (entry := path.read_bytes()).startswith(b"DRYDOCK seccomp\n"):
                program = self.output / "filter.bpf"
                program.write_bytes(entry[64:])
                return str(program)
        return None

    def without_cgroup2(self):
        """crun refuses a machine with both hierarchies: its runner lives in a mount namespace without cgroup2."""
        if not Path("/sys/fs/cgroup/unified").is_dir():
            return self.runner
        if self.hidden is None:
            script = 'umount /sys/fs/cgroup/unified && mount -t tmpfs t /sys/fs/cgroup/unified && exec "$@"'
            self.hidden = Runner(self.log, ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        return self.hidden

    def command(self, name, does, argv, runner=None):
        runner = runner or self.runner
        return Competitor(name, does, lambda number: runner.start([word.replace("{n}", str(number)) for word in argv]))

    def drydock(self):
        program = [str(self.bin / "drydock"), "run", "--rm", *LIMITS]
        same = "image from the store, overlay, five namespaces and a cgroup namespace, limits, seccomp, capabilities, masks, names"
        return [self.command("drydock", f"`drydock run --rm {' '.join(LIMITS)} busybox true`: {same}, a link to the bridge with address",
                             [*program, "busybox", "true"]),
                self.command("drydock, no network", "the same with `--network none`", [*program, "--network", "none", "busybox", "true"])]

    def floors(self):
        argv = [str(self.bin / "bench-floor"), "run", "--lower", self.layers(), "--work", str(self.output / "floor")]
        filter_file = self.seccomp_program()
        if filter_file:
            argv += ["--seccomp", filter_file]
        words = "the system calls of the same container (overlay, namespaces, limits, device list, masks, names) and no other: no store, no records"
        words += ", drydock's compiled seccomp filter" if filter_file else ", no seccomp filter"
        return [self.command(FLOOR, words, [*argv, "--bridge", "drydockfloor", "--", "/bin/true"]),
                self.command("floor, no network", "the same without a link", [*argv, "--", "/bin/true"])]

    def peers(self):
        rows = []
        bare = "a bundle on a plain directory: five namespaces, limits, device list, capabilities, masks; no overlay, no link, no seccomp"
        for name in ("crun", "runc"):
            if shutil.which(name):
                bundle = make_bundle(self.output / f"bundle-{name}", self.root, f"/drydock-bench-{name}")
                runner = self.without_cgroup2() if name == "crun" else self.runner
                rows.append(self.command(name, f"`{name} run`: {bare}",
                                         [shutil.which(name), "run", "-b", bundle, f"drydock-bench-{name}-{{n}}"], runner))
        if shutil.which("bwrap"):
            argv = [shutil.which("bwrap"), "--unshare-all", "--bind", str(self.root), "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"]
            rows.append(self.command("bubblewrap", "`bwrap --unshare-all`: six namespaces and a bind mount; no limits, no overlay, no link",
                                     argv))
        busybox = str(self.root / "bin" / "busybox")
        rows.append(self.command("bare exec", "posix_spawn of busybox itself: no container", [busybox, "true"]))
        return rows

    def competitors(self):
        return [*self.drydock(), *self.floors(), *self.peers()]

    def close(self):
        for runner in (self.runner, self.hidden):
            if runner:
                runner.close()


def plot(results, path):
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        print("no plot: python3-matplotlib is missing", file=sys.stderr)
        return
    figure, axes = pyplot.subplots(1, len(results), figsize=(6.5 * len(results), 4.5), sharey=True, squeeze=False)
    for axis, (title, competitors) in zip(axes[0], results.items()):
        shown = [competitor for competitor in reversed(competitors) if competitor.good()]
        for row, competitor in enumerate(shown):
            good = competitor.good()
            colour = "tab:blue" if competitor.name.startswith("drydock") else "tab:grey"
            axis.scatter(good, [row] * len(good), s=8, alpha=0.35, color=colour)
            axis.plot([statistics.median(good)] * 2, [row - 0.35, row + 0.35], color="tab:red", linewidth=2)
        axis.set_yticks(range(len(shown)), [competitor.name for competitor in shown])
        axis.set_xscale("log")
        axis.set_xlabel("milliseconds from start to exit (red: median)")
        axis.set_title(title)
        axis.grid(axis="x", which="both", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


def report(results, output):
    words = next(iter(results.values()))
    parts = [f"Linux {platform.release()}, {os.cpu_count()} processors.\n"]
    for title, competitors in results.items():
        parts.append(f"## {title}\n\n{table(competitors, FLOOR)}\n")
    parts.append("What each does:\n\n" + "\n".join(f"- **{competitor.name}**: {competitor.does}" for competitor in words) + "\n")
    text = "\n".join(parts)
    (output / "table.md").write_text(text)
    (output / "samples.json").write_text(json.dumps(
        {title: {competitor.name: [[sample.milliseconds, sample.status] for sample in competitor.samples] for competitor in competitors}
         for title, competitors in results.items()}))
    plot(results, output / "plot.png")
    print(text)
    print(f"written: {output}/table.md, samples.json, plot.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="the build to measure")
    parser.add_argument("--output", type=Path, help="default: bench/ beside the build")
    parser.add_argument("--rounds", type=int, default=60, help="hot rounds (default 60)")
    parser.add_argument("--cold-rounds", type=int, default=30, help="cold rounds (default 30)")
    parser.add_argument("--gap", type=float, default=0.15, help="seconds of idleness before a cold start (default 0.15)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("start.py: needs root, for namespaces and cgroups: run it with sudo")
    in_own_namespaces("DRYDOCK_BENCH_INSIDE")
    build = options.build.resolve()
    output = (options.output or build.parent / "bench").resolve()
    output.mkdir(parents=True, exist_ok=True)
    os.environ.update(DRYDOCK_ROOT=str(fresh(output / "data")), DRYDOCK_STATE=state_in_memory())
    bench = Bench(build, output)
    bench.prepare()
    results = {}
    for title, rounds, gap in (("hot: back to back", options.rounds, 0.0), (f"cold: {options.gap * 1000:.0f} ms idle before", options.cold_rounds, options.gap)):
        competitors = bench.competitors()
        race(competitors, 2, 0, "warming up")
        for competitor in competitors:
            competitor.samples.clear()
        race(competitors, rounds, gap, title)
        results[title] = competitors
    bench.close()
    subprocess.run([build / "bin" / "drydock", "reset", "--all"], check=False, stdout=subprocess.DEVNULL)
    report(results, output)
    leave_memory()
    return 1 if any(competitor.failures() for competitors in results.values() for competitor in competitors) else 0


if __name__ == "__main__":
    sys.exit(main())
