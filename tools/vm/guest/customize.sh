#!/bin/sh
# A hook of mmdebstrap: turns a fresh root into the guest's. The kernel package is unpacked, not installed: no boot loader, no
# initramfs-tools. Leaves /boot/vmlinuz and /boot/initrd behind. Usage: customize.sh ROOT KERNEL-PACKAGE FOLDER-OF-THIS-SCRIPT
set -eu
root=$1 package=$2 here=$3
[ -z "${MMDEBSTRAP_APT_CONFIG-}" ] || export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG

# --- kernel: a name without a version ("linux-image-cloud-amd64") depends on the newest one
real=$(apt-cache depends "$package" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
unpacked=$root/kernel
mkdir "$unpacked"
(cd "$unpacked" && apt-get download "${real:-$package}" && dpkg-deb -x ./*.deb .)
modules=$unpacked/lib/modules
[ -d "$modules" ] || modules=$unpacked/usr/lib/modules  # Debian 13
version=$(ls "$modules")
mkdir -p "$root/usr/lib/modules"
mv "$modules/$version" "$root/usr/lib/modules/"
mv "$unpacked/boot/vmlinuz-$version" "$root/boot/vmlinuz"
rm -r "$unpacked"
depmod -b "$root" "$version"

# --- initramfs: busybox and the modules that lead to the root, in the order in which they load
tree=$root/boot/tree
mkdir -p "$tree/bin" "$tree/modules" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/lower" "$tree/writable" "$tree/root"
cp "$root/bin/busybox" "$tree/bin/"
install -m 755 "$here/init" "$tree/init"
for module in virtio_pci virtio_blk squashfs overlay; do
  modprobe -d "$root" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' | while read -r file; do
  name=$(basename "$file")
  case $name in
    *.xz) name=${name%.xz}; xz -dc "$file" >"$tree/modules/$name" ;;
    *.zst) name=${name%.zst}; zstd -dcq "$file" >"$tree/modules/$name" ;;
    *) cp "$file" "$tree/modules/$name" ;;
  esac
  echo "$name" >>"$tree/modules/order"
done
(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$root/boot/initrd"
rm -r "$tree"

# --- an ordinary account: a range of ids, and all controllers in the part of the control group tree that systemd hands it
chroot "$root" useradd --uid 1000 --create-home --shell /bin/sh student
printf 'student:100000:65536\n' | tee "$root/etc/subuid" >"$root/etc/subgid"
install -D -m 644 "$here/delegate.conf" "$root/etc/systemd/system/user@.service.d/delegate.conf"

# --- the job
install -D -m 755 "$here/job.sh" "$root/usr/lib/drydock/job.sh"
for unit in drydock-job.service drydock-job.target; do install -m 644 "$here/$unit" "$root/etc/systemd/system/$unit"; done
echo drydock-vm >"$root/etc/hostname"
printf '127.0.0.1 localhost drydock-vm\n' >"$root/etc/hosts"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"  # no first-boot work
