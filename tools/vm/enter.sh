#!/bin/sh
# Runs a command in another root directory as if it were the machine's: pivot_root and not chroot, because a container's runtime may
# not be below a chroot (clone3 with a user namespace refuses). Runs as process 1 of a PID namespace, in a mount namespace of its own.
# Usage, as root: unshare -mpf --kill-child --propagation private sh enter.sh ROOT rw|ro NAME=VALUE... COMMAND...
# ro: /proc/sys is read-only, for what installs packages; their scripts would set up this machine. rw wants a network of its own (-n).
set -eu
root=$1 settings=$2
shift 2
mount --bind "$root" "$root"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
if [ "$settings" = ro ]; then
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
fi
mount -t tmpfs -o mode=755 run "$root/run"
if [ -e /etc/resolv.conf ] && ! cmp -s /etc/resolv.conf "$root/etc/resolv.conf"; then
  rm -f "$root/etc/resolv.conf"  # it may be a link
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
fi
cd "$root"
mkdir -p .outside
pivot_root . .outside
umount -l /.outside
rmdir /.outside
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
