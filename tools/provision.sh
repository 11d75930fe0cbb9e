#!/bin/sh
# Makes a fresh Debian machine ready for Drydock: the packages of packages.txt, the build, `drydock` in the PATH, and what
# containers without root want.
# May run again at any time. Usage: provision.sh FOLDER USER (as root)
set -eu
folder=$1
user=$2

"$folder/lab" setup
# Built by the user whose folder it is, so that ./lab works for them without sudo.
runuser -u "$user" -- "$folder/lab" build
# Containers without root: a range of ids, and every controller in the user's own part of the control group tree.
grep -q "^$user:" /etc/subuid 2>/dev/null || usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$user"
install -D -m 644 "$folder/tools/vm/guest/delegate.conf" /etc/systemd/system/user@.service.d/delegate.conf
# drydock-monitor and the base image are found beside the program that the link leads to.
ln -sf "$folder/build/release/bin/drydock" /usr/local/bin/drydock
echo "ready: log in, then try: sudo drydock run --rm busybox hostname"
