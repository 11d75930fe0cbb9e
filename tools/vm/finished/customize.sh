#!/bin/sh
# Runs in the root of a provisioned lab, as root: makes it a machine that boots anywhere, for USER. Usage: customize.sh USER VAGRANT-KEY
set -eu
user=$1 key=$2

echo drydock >/etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 drydock\n' >/etc/hosts
printf 'LABEL=drydock / ext4 defaults,errors=remount-ro 0 1\n' >/etc/fstab

# Whatever the network card is called.
printf '[Match]\nType=ether\nName=e*\n\n[Network]\nDHCP=yes\n' >/etc/systemd/network/80-dhcp.network
systemctl enable systemd-networkd systemd-resolved >/dev/null 2>&1
rm -f /etc/resolv.conf
ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

# As in every box of Vagrant: the public key that everybody knows, which Vagrant replaces at the first start. Over the network nobody
# gets in by the password; on the console it is the user's name.
printf '%s:%s\n' "$user" "$user" | chpasswd
install -d -o "$user" -g "$user" -m 700 "/home/$user/.ssh"
printf '%s\n' "$key" >"/home/$user/.ssh/authorized_keys"
chown "$user:" "/home/$user/.ssh/authorized_keys"
chmod 600 "/home/$user/.ssh/authorized_keys"
printf 'PasswordAuthentication no\nPermitRootLogin no\nUseDNS no\n' >/etc/ssh/sshd_config.d/drydock.conf

# Each machine its own keys and id: made at the first start.
rm -f /etc/ssh/ssh_host_*
cat >/etc/systemd/system/ssh-keys.service <<'END'
[Unit]
Description=host keys of this machine
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
END
systemctl enable ssh-keys >/dev/null 2>&1
: >/etc/machine-id

# WSL has a kernel and an init of its own; with systemd there are control groups and a user's session.
printf '[boot]\nsystemd=true\n\n[user]\ndefault=%s\n' "$user" >/etc/wsl.conf

# Boot: the links /vmlinuz and /initrd.img lead to the newest kernel, also after an upgrade.
install -d /boot/grub
cat >/boot/grub/grub.cfg <<'END'
set timeout=1
menuentry "Drydock" {
  linux /vmlinuz root=LABEL=drydock ro console=tty0 console=ttyS0,115200
  initrd /initrd.img
}
menuentry "Drydock, to repair it" {
  linux /vmlinuz root=LABEL=drydock ro single
  initrd /initrd.img
}
END

# Nothing of the machine that made this stays: mirrors, settings of apt, lists.
. /etc/os-release
release=$VERSION_CODENAME
rm -f /etc/apt/apt.conf.d/99mmdebstrap /etc/apt/sources.list.d/*
cat >/etc/apt/sources.list <<END
deb http://deb.debian.org/debian $release main
deb http://deb.debian.org/debian $release-updates main
deb http://security.debian.org/debian-security $release-security main
END
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt/* /tmp/* /root/.cache
