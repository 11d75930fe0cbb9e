#include <drydock/kernel/explain.hpp>

#include <cerrno>

#include <drydock/kernel/remedies.hpp>

namespace drydock {

namespace {

constexpr ExplanationRow table[] = {
    {"clone3", EPERM, "creating namespaces needs CAP_SYS_ADMIN", remedies::more_privilege},
    {"clone3", ENOSYS, "this kernel does not have that system call", remedies::newer_kernel},
    {"clone3", ENOSPC, "a limit on nested or total namespaces is reached", "see /proc/sys/user/max_*_namespaces and 'drydock reset'"},
    {"clone3", EAGAIN, "a limit on processes is reached (RLIMIT_NPROC, pids.max or pid_max)", "end some processes or raise the limit"},
    {"clone3", EINVAL, "this kernel does not know one of the flags, or they exclude each other", "check 'uname -r'; Linux 5.7 or newer is needed"},
    {"clone3", EBUSY, "the target cgroup has controllers enabled for its children", "use a cgroup without subtree control"},
    {"mount", ENODEV, "this kernel does not have that type of file system", "see /proc/filesystems; load the module if there is one"},
    {"mount", EPERM, "mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace", "run as root (sudo)"},
    {"fsopen", ENODEV, "this kernel does not have that type of file system", "see /proc/filesystems; load the module if there is one"},
    {"fsopen", ENODEV, "this kernel does not have that type of file system", remedies::overlay_module, "the image's layers"},
    {"fsmount", EPERM, "a user namespace gets no new /proc where parts of the old one are covered, as inside a container", remedies::whole_proc, "proc"},
    {"fsopen", EPERM, "mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace", "run as root (sudo)"},
    {"fsconfig", EINVAL, "the file system refused an option, a layer directory, or their combination", "see dmesg for its own words"},
    {"fsconfig", EINVAL, "the file system of the store cannot hold a writable layer", remedies::own_disk, "the image's layers"},
    {"mount", ENODEV, "this kernel does not have that type of file system", remedies::overlay_module, "the image's layers"},
    {"mount", EINVAL, "the file system of the store cannot hold a writable layer", remedies::own_disk, "the image's layers"},
    {"fsconfig", EINVAL, "the file system of the store cannot hold a writable layer", remedies::own_disk, "the writable layer"},
    {"fsconfig", ENOENT, "a directory that the mount names does not exist", "the image store may be damaged; import the image again"},
    {"move_mount", ENOENT, "the mount point does not exist", "create it in the image, or name another target"},
    {"move_mount", ENOTDIR, "source and target of a mount must both be directories or both be files", "compare the two with 'ls -ld'"},
    {"move_mount", EINVAL, "source and target of a mount must both be directories or both be files", "compare the two with 'ls -ld'"},
    {"open_tree", ENOENT, "the source does not exist on this machine", "create it first, or use a named volume (-v NAME:/path)"},
    {"mount_setattr", EINVAL, "the file system does not support id-mapped mounts on this kernel", "run without --userns, or keep the store on ext4, xfs or btrfs"},
    {"pivot_root", EINVAL, "the new root must be a mount point, and neither root may be on a shared mount", "the root mount must be made private first"},
    {"pivot_root", EBUSY, "the new root is on the current root's mount", "bind-mount the directory onto itself first"},
    {"umount2", EBUSY, "a process has its working directory or an open file there", "end the process, or detach with MNT_DETACH"},
    {"setns", EPERM, "joining needs CAP_SYS_ADMIN over the target's user namespace", "run as the user who started the container, or as root"},
    {"setns", EINVAL, "the descriptor is not a namespace of that kind, or this process may not change it", "a process with threads cannot join a user or mount namespace"},
    {"setns", ESRCH, "the process whose namespaces were to be joined has ended", "see 'drydock ps -a'"},
    {"unshare", EPERM, "creating namespaces needs CAP_SYS_ADMIN", "run as root (sudo)"},
    {"pidfd_open", ESRCH, "the process has ended", "see 'drydock ps -a'"},
    {"prlimit64", EPERM, "raising a hard limit needs CAP_SYS_RESOURCE", "ask for a limit at or below 'ulimit -H'"},
    {"seccomp", EINVAL, "the kernel refused the filter program", "delete the cached filter under the store and try again"},
    {"seccomp", EACCES, "a filter needs no_new_privs or CAP_SYS_ADMIN", "add --security-opt no-new-privileges"},
    {"capset", EPERM, "a capability that the caller does not hold cannot be given", "see 'drydock facts'; leave out --cap-add or --privileged"},
    {"sethostname", EINVAL, "a hostname has at most 64 bytes", "choose a shorter --hostname"},
    {"bind", EADDRINUSE, "another program listens on that port", "publish another port (-p), or see 'ss -ltnp'"},
    {"bind", EACCES, "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE", "publish a higher port"},
    {"bind", EADDRNOTAVAIL, "the address is not configured on this machine", "see 'ip address'"},
    {"netlink", EEXIST, "an object with this name or address exists already", "see 'ip link' and 'ip address'; 'drydock reset' removes Drydock's own leftovers"},
    {"netlink", EPERM, "changing the network needs CAP_NET_ADMIN", remedies::more_privilege},
    {"netlink", ENODEV, "there is no such network device", "see 'ip link'"},
    {"netlink", EOPNOTSUPP, "this kernel lacks that kind of link or table", "see 'drydock version'; --network none and host need neither"},
    {"netlink", ENOENT, "the kernel has nf_tables, but not what translates addresses", remedies::nft_modules, "table ip drydock"},
    {"netlink", ESRCH, "the process that should own the link has ended", "look at the container's own output"},
    {"mkdir", EEXIST, "something with this name is already there, and it is not ours", "'drydock reset' removes Drydock's own leftovers; else remove or rename it"},
    {"symlinkat", EEXIST, "another container has that name", "choose another --name, or remove the other: drydock rm NAME"},
    {"linkat", EEXIST, "a container with this id is already registered", "start again: ids are drawn at random"},
    {"map_ids", ENOENT, "the program is not there", remedies::id_mappers},
    {"map_ids", EPERM, "it refused the map, in its own words above", remedies::grant_ids},
    {"setresuid", EINVAL, "this user namespace has no such id", remedies::grant_ids},
    {"execve", ENOENT, "no such program in the container, or its interpreter is missing", "look inside with 'drydock run -it IMAGE sh'"},
    {"execve", EACCES, "it is a directory, not executable, or on a mount without exec", "check it with 'ls -ld' inside the container"},
    {"execve", ENOEXEC, "the file is no program that this machine can run", "is it for another architecture, or a script without '#!'"},
    {"execve", E2BIG, "arguments and environment together are too long", "pass less, or use a file"},
    {"execve", ENOTDIR, "a part of the path is not a directory", "check the path inside the container"},
    {"start_helper", ENOENT, "the program is not there", remedies::slirp},
    {"start_helper", EIO, "it ended before it was ready", "see 'drydock doctor'"},
    {"chdir", ENOENT, "the working directory does not exist in the container", "create it in the image or choose another with -w"},
    {"chdir", ENOTDIR, "the working directory is a file", "choose another with -w"},
    {"resolve_user", ENOENT, "no such user or group in the container's /etc/passwd or /etc/group", "use a number, or a name that the image knows"},
    {"write", EBUSY, "the kernel object is in use or has members", "see what uses it, then try again"},
    {"write", EINVAL, "the kernel refuses this value", "check the value and its unit"},
    {"write", ERANGE, "the value is out of range for this file", "check the value and its unit"},
    {"write", ENODEV, "no such device", "see 'lsblk' for the devices of this machine"},
    {"write", EIO, "the kernel does not accept this value here", "check the value and its unit"},
    {"write", EOPNOTSUPP, "this kernel was built without that feature", "leave the option out"},
    {"", EROFS, "the control groups are mounted read-only, as inside a container", remedies::writable_cgroups, "control group"},
    {"", EACCES, "these control groups were not handed over to this user", "run as root (sudo), or see 'drydock doctor'", "control group"},
    {"", EPERM, "the kernel wants a privilege that this process lacks", remedies::more_privilege},
    {"", EACCES, "permissions on the path forbid it", "check the owner and mode of each part of the path, or run as root"},
    {"", ENOENT, "there is no such file or directory", "check the path"},
    {"", ENOTDIR, "a part of the path is not a directory", "check the path"},
    {"", EEXIST, "the name is taken, and the object that has it is not ours", "remove or rename it, or choose another name"},
    {"", ENOSPC, "the disk (or a kernel table) is full", remedies::free_space},
    {"", EDQUOT, "a disk quota is used up", "free some space and try again"},
    {"", EROFS, "the file system is mounted read-only", remedies::other_data},
    {"", EMFILE, "this process has too many open files", "raise 'ulimit -n'"},
    {"", ENFILE, "the system has too many open files", "see /proc/sys/fs/file-max"},
    {"", ENOMEM, "the kernel is out of memory, or a memory limit is reached", "free memory or raise the limit"},
    {"", EBUSY, "the object is in use", "end what uses it and try again"},
    {"", ENODEV, "there is no such device, or this kernel does not have that type", "check the name; see /proc/filesystems and 'lsblk'"},
    {"", EOPNOTSUPP, "this kernel or file system does not have that feature", "leave the option out, or see 'drydock version'"},
    {"", E2BIG, "what was handed over is too long", "pass less"},
    {"", ENOEXEC, "the file is no program that this machine can run", "is it for another architecture?"},
    {"", EADDRINUSE, "another program uses that address", "choose another one"},
    {"", EMSGSIZE, "the message is longer than the kernel takes", "ask for fewer things at once"},
    {"", ENOSYS, "this kernel does not have that system call", remedies::newer_kernel},
    {"", EINVAL, "the kernel refuses these arguments", "check the values given"},
    {"", ELOOP, "too many symbolic links, or a link where none is allowed", "name the real path"},
    {"", EXDEV, "the path leads out of the tree that it must stay in", "use a path inside the container"},
    {"", ENAMETOOLONG, "the name is longer than the kernel allows", "choose a shorter name"},
    {"", ESRCH, "the process has ended", "see 'drydock ps -a'"},
    {"", EAGAIN, "a limit is reached, or the resource is busy for now", "try again, or raise the limit"},
    {"", EINTR, "a signal interrupted the call", "try again"},
    {"", EIO, "the device reported an error", "see dmesg"},
    {"", ETIMEDOUT, "no answer came in time", "try again; see 'drydock ps'"},
};

}  // namespace

std::span<const ExplanationRow> explanation_table() {
  return table;
}

namespace {

const ExplanationRow* find(std::string_view call, int code, std::string_view object, bool special) {
  for (const ExplanationRow& row : table)
    if (row.code == code && row.call == call && row.object.empty() != special && object.starts_with(row.object)) return &row;
  return nullptr;
}

}  // namespace

Explanation explain(std::string_view call, int code, std::string_view object) {
  for (const std::string_view wanted : {call, std::string_view{}})
    for (const bool special : {true, false})
      if (const ExplanationRow* row = find(wanted, code, object, special)) return {std::string(row->reason), std::string(row->remedy)};
  return {};
}

}  // namespace drydock
