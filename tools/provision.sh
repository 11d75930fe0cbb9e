#!/bin/sh
# Makes a fresh Debian machine ready for Drydock: the packages of packages.txt, the build, `lab` and `drydock` in the PATH, and
# what containers without root want. Ends with the doctor. May run again at any time; what is there already stays as it is.
#
# Usage, as root: provision.sh [FOLDER [USER]]    the tree, and who works in it (its owner). Settings from the environment:
#   DRYDOCK_APT_MIRROR=http://mirror.example/debian     in place of deb.debian.org and archive.ubuntu.com (security stays where it is)
#   DRYDOCK_PIP_INDEX=https://mirror.example/simple     in place of pypi.org, for pip
#   DRYDOCK_JUPYTER_IP=0.0.0.0                          where Jupyter listens, in place of loopback (the Vagrantfile sets it)
set -eu
say() { printf 'provision: %s\n' "$*"; }
refuse() { printf 'provision: %s\n' "$*" >&2; exit 1; }

folder=$(readlink -f "${1:-$(dirname "$0")/..}")
[ -x "$folder/lab" ] || refuse "$folder is not Drydock's folder: provision.sh FOLDER [USER]"
user=${2:-$(stat -c %U "$folder")}
[ "$(id -u)" = 0 ] || refuse "this installs packages: run it as root, 'sudo $0'"
id "$user" >/dev/null 2>&1 || refuse "there is no user '$user' here"
as_user() { runuser -u "$user" -- env HOME="$(getent passwd "$user" | cut -d: -f6)" "$@"; }

# keep FILE MODE <TEXT: written only when it is another one.
keep() {
  text=$(cat)
  [ -e "$1" ] && [ "$(cat "$1")" = "$text" ] && return
  say "writing $1"
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$text" >"$1"
  chmod "$2" "$1"
}

# Cloud images name their mirrors in /etc/apt/mirrors, others in sources.list or a file of sources.list.d.
use_apt_mirror() {
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/apt/mirrors/*.list; do
    [ -f "$file" ] || continue
    sed -E "s#https?://(deb\.debian\.org/debian|archive\.ubuntu\.com/ubuntu)/?( |\$)#$1\2#" "$file" | keep "$file" 644
  done
}

[ -z "${DRYDOCK_APT_MIRROR-}" ] || use_apt_mirror "${DRYDOCK_APT_MIRROR%/}"
[ -z "${DRYDOCK_PIP_INDEX-}" ] || printf '[global]\nindex-url = %s\n' "$DRYDOCK_PIP_INDEX" | keep /etc/pip.conf 644
[ -z "${DRYDOCK_JUPYTER_IP-}" ] ||
  printf '{"ServerApp": {"ip": "%s", "open_browser": false}}\n' "$DRYDOCK_JUPYTER_IP" | keep /etc/jupyter/jupyter_server_config.json 644

"$folder/lab" setup build
# By the one whose folder it is: nothing in it may become root's.
as_user "$folder/lab" build drydock_cli chapters

# Containers without root: a range of ids, and every controller in the user's own part of the control group tree.
grep -q "^$user:" /etc/subuid 2>/dev/null || usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$user"
keep /etc/systemd/system/user@.service.d/delegate.conf 644 <"$folder/tools/vm/guest/delegate.conf"
# Modules that only root can load; where there are none (a container), the machine below has them.
printf 'overlay\ntun\n' | keep /etc/modules-load.d/drydock.conf 644
modprobe -qa overlay tun 2>/dev/null || true

# lab finds its tree by the place of its own file, so this is not a link. drydock follows links to what stands beside it.
printf '#!/bin/sh\nexec %s/lab "$@"\n' "$folder" | keep /usr/local/bin/lab 755
[ "$(readlink /usr/local/bin/drydock)" = "$folder/build/release/bin/drydock" ] ||
  ln -sfn "$folder/build/release/bin/drydock" /usr/local/bin/drydock

# As root, which is what sudo gives; without sudo, the user asks in a session of their own.
lab doctor || say "something is missing: the lines above say what repairs it"
say "ready: as $user, type 'lab run'"
