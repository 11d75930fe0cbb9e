# Runs inside the container that `./lab run` starts: what a container is, read from where the kernel says it.
say() { printf '\n%s\n' "$*"; }
limit() {  # NAME, then files of cgroup v2 and v1; the first that is there is shown
  name=$1; shift
  for file in "$@"; do
    [ -r "/sys/fs/cgroup/$file" ] && { printf '  %-10s %-28s %s\n' "$name" "$(head -n 1 "/sys/fs/cgroup/$file")" "$file"; return; }
  done
  printf '  %-10s %s\n' "$name" "(not visible in here)"
}

say "1. Its own name (UTS namespace): sethostname in here changes nothing outside"
echo "  $(hostname)"

say "2. It is process 1 (PID namespace): the processes of the machine are not there at all"
ps -o pid,comm | sed 's/^/  /'

say "3. Its own mounts (mount namespace): an overlay of the image's layers is /, the rest is made for it"
{ grep ' / ' /proc/mounts; grep -v ' / ' /proc/mounts; } | awk '{ printf "  %-22s %s\n", $2, $3 }' | head -n 12
echo "  … $(grep -c . /proc/mounts) in all"

say "4. Its own network (network namespace): lo, and one end of a virtual cable whose other end is on a bridge outside"
ip -o -4 addr 2>/dev/null | awk '{ printf "  %-8s %s\n", $2, $4 }'

say "5. Its limits (cgroups): counted by the kernel, for all its processes together"
limit memory memory.max memory/memory.limit_in_bytes
limit processes pids.max pids/pids.max
limit cpu cpu.max cpu/cpu.cfs_quota_us

say "6. What root may do in here (capabilities, seccomp): less than root outside"
grep -E '^(CapBnd|Seccomp):' /proc/self/status | sed 's/^/  /'
