#!/bin/sh
# Makes a fresh Debian machine ready for Drydock: the packages of packages.txt, the build, `drydock` in the PATH.
# May run again at any time. Usage: provision.sh FOLDER USER (as root)
set -eu
folder=$1
user=$2

"$folder/lab" setup
# Built by the user whose folder it is, so that ./lab works for them without sudo.
runuser -u "$user" -- "$folder/lab" build
# drydock-monitor and the base image are found beside the program that the link leads to.
ln -sf "$folder/build/release/bin/drydock" /usr/local/bin/drydock
echo "ready: log in, then try: sudo drydock run --rm busybox hostname"
