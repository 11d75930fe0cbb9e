#!/bin/sh
# Level 0 of the doctor: what building needs, in plain shell, before anything is built. `./lab doctor` calls it.
# Prints a line for each thing that is looked at; ends with 1 when something is missing.
set -u
cd "$(dirname "$0")/.." || exit 1
missing=0

ok() { printf 'ok        %-20s %s\n' "$1" "$2"; }
degraded() { printf 'degraded  %-20s %s\n%-30s repair: %s\n' "$1" "$2" '' "$3"; }
missing() { printf 'missing   %-20s %s\n%-30s repair: %s\n' "$1" "$2" '' "$3"; missing=1; }

system() {
  name=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null)
  if [ "$(uname -s)" != Linux ]; then missing system "$(uname -s) has no containers" "vagrant up makes a Debian machine that has them"
  elif command -v apt-get >/dev/null 2>&1; then ok system "$name, $(uname -m)"
  else missing system "${name:-unknown}: not Debian-like, packages cannot be installed" "vagrant up, or Debian 12 or 13"; fi
}

compiler() {
  if ! command -v c++ >/dev/null 2>&1; then missing compiler "there is no c++" "./lab setup"; return; fi
  version=$(c++ -dumpversion | cut -d. -f1)
  if [ "$version" -ge 12 ] 2>/dev/null; then ok compiler "$(c++ --version | head -n 1)"
  else missing compiler "version $version; C++20 as used here needs 12" "Debian 12 or 13, or ./lab setup"; fi
}

build_tools() {
  for tool in cmake ninja pkg-config; do
    command -v "$tool" >/dev/null 2>&1 || { missing 'build tools' "there is no $tool" "./lab setup"; return; }
  done
  ok 'build tools' "$(cmake --version | head -n 1), ninja $(ninja --version)"
}

privilege() {
  if [ "$(id -u)" = 0 ]; then ok privilege root
  elif command -v sudo >/dev/null 2>&1; then ok privilege "$(id -un), with sudo"
  else degraded privilege "$(id -un), no sudo" "log in as root for what needs it; the rest runs without"; fi
}

disk() {
  free=$(df -Pm . | awk 'NR == 2 { print $4 }')
  if [ "${free:-0}" -ge 1500 ]; then ok disk "$free MB free here"
  else missing disk "$free MB free here, a build needs 1500" "make room, or move the folder"; fi
}

# A shared folder of a virtual machine has no device nodes, no file owners, and hours that differ.
file_system() {
  type=$(stat -f -c %T . 2>/dev/null)
  case $type in
    vboxsf | 9p | v9fs | prl_fs | fuseblk | msdos | cifs | smb2 | UNKNOWN*)
      degraded 'file system' "$type: a shared folder" "work in a copy on the machine's own disk: cp -a . ~/drydock" ;;
    *) ok 'file system' "$type" ;;
  esac
  [ -w . ] || degraded 'file system' "this folder is not yours to write" "cp -a . ~/drydock"
}

line_ends() {
  carriage=$(printf '\r')
  if grep -q "$carriage" lab tools/*.sh packages.txt 2>/dev/null; then
    missing 'line ends' "the files have Windows line ends" "git config core.autocrlf input, then clone again"
  else ok 'line ends' 'as on Linux'; fi
}

clock() {
  if [ "$(date +%Y)" -ge 2024 ]; then ok clock "$(date -u '+%Y-%m-%d %H:%M UTC')"
  else missing clock "it stands in $(date +%Y): package lists are refused" "sudo date -s 'YYYY-MM-DD HH:MM'"; fi
}

system; compiler; build_tools; privilege; disk; file_system; line_ends; clock
exit $missing
