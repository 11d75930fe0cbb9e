// What to do about a defect of the machine, in words that the doctor and the error of a run share: a reader who meets one finds
// the other. Each is a command where there is one.
//
// Example: {"fsopen", ENODEV, "this kernel does not have that type of file system", remedies::overlay_module, "overlay"}
// Source: the manual page that each command names; checked by tests/container/doctor_test.cpp.
#pragma once

#include <string>

namespace drydock::remedies {

inline constexpr const char* newer_kernel = "install a newer kernel: Debian 12 has 6.1, Debian 13 has 6.12";
inline constexpr const char* outer_privileged = "run on the machine itself, or start the outer container with --privileged";
inline constexpr const char* more_privilege =
    "run as root (sudo); as root inside a container: run on the machine itself, or start the outer container with --privileged";
inline constexpr const char* whole_proc = "start the outer container with --security-opt systempaths=unconfined or --privileged";
inline constexpr const char* mount_cgroups = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";
inline constexpr const char* writable_cgroups =
    "inside a container: start it with a writable /sys/fs/cgroup; else mount -o remount,rw /sys/fs/cgroup";
inline constexpr const char* grant_ids = "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER";
inline constexpr const char* id_mappers = "sudo apt-get install uidmap";
inline constexpr const char* slirp = "sudo apt-get install slirp4netns";
inline constexpr const char* tun_module = "sudo modprobe tun";
inline constexpr const char* open_tun = "sudo chmod 666 /dev/net/tun";
inline constexpr const char* nft_modules = "modprobe nf_tables nft_nat nft_masq";
inline constexpr const char* overlay_module = "modprobe overlay";
inline constexpr const char* swap_space =
    "fallocate -l 1G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile";
inline constexpr const char* other_data = "use another one: drydock --root DIR run ..., or DRYDOCK_ROOT=DIR";
inline constexpr const char* other_state = "use another one: drydock --state DIR run ..., or DRYDOCK_STATE=DIR";
inline constexpr const char* own_disk = "use a directory on the machine's own disk: DRYDOCK_ROOT=/path";
inline constexpr const char* free_space = "free some space ('drydock rm', 'drydock image rm'), or use DRYDOCK_ROOT=/path";
inline constexpr const char* monitor = "install the one of this build beside drydock (./lab build does), or say where it is: DRYDOCK_MONITOR=/path/to/drydock-monitor";

// `disk` as in /sys/block; empty when none was seen.
inline std::string bfq(const std::string& disk) {
  return "echo bfq > /sys/block/" + (disk.empty() ? "DISK" : disk) + "/queue/scheduler";
}

}  // namespace drydock::remedies
