#!/bin/sh
# Runs in the guest as drydock-job.service: unpacks the payload where it stood on the machine that built it, runs the suites, and
# leaves the results on the last disk. Disks: root, payload, scratch, swap, results, as tools/vm/machine.py gives them.
set -u
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 raw -echo

# The root's upper layer is in memory and an overlay itself: containers want a file system of their own below them.
mkfs.ext4 -q -E lazy_itable_init=1,nodiscard /dev/vdc
mkdir /scratch
mount /dev/vdc /scratch
for directory in tmp var/tmp var/lib; do
  mkdir -p "/scratch/$directory"
  [ "$directory" != var/lib ] || cp -a /var/lib/. /scratch/var/lib/
  mount --bind "/scratch/$directory" "/$directory"
done
chmod 1777 /tmp /var/tmp
mkswap -q /dev/vdd >/dev/null && swapon /dev/vdd
modprobe -a loop fuse veth bridge nf_tables overlay bfq || true
echo bfq >/sys/block/vdc/queue/scheduler

tar -xf /dev/vdb -C /
. /drydock-job  # TOP, BUILD, ARGUMENTS and the environment
echo "guest: $(. /etc/os-release; echo "$PRETTY_NAME"), Linux $(uname -r), $(systemctl --version | head -n 1 | cut -d' ' -f1,2)"
echo "guest: cgroup $(stat -fc %T /sys/fs/cgroup) with $(cat /sys/fs/cgroup/cgroup.controllers), up $(cut -d. -f1 /proc/uptime) s"
cd "$TOP"
mkdir -p "$BUILD/results"
status=0
if [ -n "${SHELL_WANTED-}" ]; then
  stty -F /dev/ttyS1 sane
  setsid -c -w bash -i </dev/ttyS1 || true
else
  # What doctor says here, as root and as an ordinary user who stands in the part of the tree that systemd hands over.
  "$BUILD/bin/drydock" doctor --json >"$BUILD/results/doctor-root.json" || true
  systemctl start user@1000 && setpriv --reuid 1000 --regid 1000 --init-groups env HOME=/tmp XDG_RUNTIME_DIR=/run/user/1000 \
    systemd-run --user --scope -q -p Delegate=yes "$BUILD/bin/drydock" doctor --json >"$BUILD/results/doctor-user.json" || true
  # No terminal for the runner: it would redraw its line five times a second.
  { eval "python3 -B tools/run_tests.py $ARGUMENTS" || echo $? >/run/job-status; } | cat
  status=$(cat /run/job-status 2>/dev/null || echo 0)
fi
echo "$status" >"$BUILD/results/status"
tar -cf /dev/vde -C "$BUILD" results
sync
