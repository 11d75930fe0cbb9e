#include <drydock/security/seccomp_policy.hpp>

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <sstream>

namespace drydock::security {

namespace {

// Names of calls by what they are for; the 32-bit architectures have several generations of the same call.
struct Family {
  std::string_view purpose;
  std::string_view calls;
};

constexpr Family always_allowed[] = {
    {"read, write and seek",
     "read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek _llseek readahead sendfile sendfile64 "
     "splice tee "
     "copy_file_range fadvise64 fadvise64_64 arm_fadvise64_64 sync_file_range arm_sync_file_range sync_file_range2"},
    {"open, close, duplicate",
     "open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock pipe pipe2 memfd_create memfd_secret "
     "name_to_handle_at"},
    {"names and directories",
     "mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat readlink "
     "readlinkat "
     "getdents getdents64 readdir chdir fchdir getcwd umask"},
    {"what a file is",
     "stat stat64 fstat fstat64 lstat lstat64 newfstatat fstatat64 statx statfs statfs64 fstatfs fstatfs64 access faccessat "
     "faccessat2 "
     "getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat cachestat file_getattr"},
    {"change a file",
     "chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 lchown lchown32 fchownat truncate truncate64 ftruncate "
     "ftruncate64 "
     "fallocate utime utimes futimesat utimensat utimensat_time64 setxattr lsetxattr fsetxattr setxattrat removexattr "
     "lremovexattr "
     "fremovexattr removexattrat file_setattr fsync fdatasync sync syncfs"},
    {"wait for files",
     "select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old "
     "epoll_wait "
     "epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd timerfd_create timerfd_settime "
     "timerfd_settime64 "
     "timerfd_gettime timerfd_gettime64 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark"},
    {"asynchronous input and output (not io_uring: its operations pass by every filter)",
     "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64"},
    {"device control, told apart by the device rules", "ioctl"},
    {"memory",
     "brk mmap mmap2 munmap mremap mprotect madvise msync mincore mlock mlock2 munlock mlockall munlockall remap_file_pages "
     "membarrier "
     "pkey_alloc pkey_free pkey_mprotect map_shadow_stack mseal process_mrelease"},
    {"processes and threads",
     "fork vfork execve execveat exit exit_group wait4 waitpid waitid getpid getppid gettid getpgid getpgrp setpgid getsid "
     "setsid "
     "set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area set_tls rseq prctl capget capset seccomp "
     "landlock_create_ruleset landlock_add_rule landlock_restrict_self ptrace process_vm_readv process_vm_writev pidfd_open "
     "pidfd_send_signal syscall restart_syscall breakpoint cacheflush lsm_get_self_attr lsm_set_self_attr lsm_list_modules"},
    {"locks", "futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue"},
    {"users and groups",
     "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32 getgroups "
     "getgroups32 "
     "setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 "
     "setgroups "
     "setgroups32 setfsuid setfsuid32 setfsgid setfsgid32"},
    {"signals",
     "kill tkill tgkill signal sigaction sigprocmask sigpending sigsuspend sigreturn sigaltstack rt_sigaction rt_sigprocmask "
     "rt_sigpending rt_sigsuspend rt_sigreturn rt_sigtimedwait rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo pause "
     "alarm"},
    {"time",
     "time times gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep clock_nanosleep "
     "clock_nanosleep_time64 getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
     "timer_settime "
     "timer_settime64 adjtimex clock_adjtime clock_adjtime64"},
    {"scheduling and limits",
     "sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam "
     "sched_getscheduler "
     "sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 "
     "getpriority "
     "setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64 getrusage getcpu"},
    {"sockets (socket itself has a condition)",
     "socketpair bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown send sendto sendmsg "
     "sendmmsg "
     "recv recvfrom recvmsg recvmmsg recvmmsg_time64 socketcall"},
    {"System V and POSIX IPC",
     "ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget mq_open "
     "mq_unlink "
     "mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64"},
    {"about the system", "uname sysinfo getrandom statmount listmount"},
    {"processor state (x86)", "arch_prctl modify_ldt"},
};

struct CapabilityFamily {
  int capability;
  std::string_view calls;
};

constexpr CapabilityFamily allowed_with[] = {
    {CAP_SYS_ADMIN,
     "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree "
     "open_tree_attr "
     "perf_event_open pivot_root quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare"},
    {CAP_DAC_READ_SEARCH, "open_by_handle_at"},
    {CAP_SYS_BOOT, "reboot"},
    {CAP_SYS_CHROOT, "chroot"},
    {CAP_SYS_MODULE, "delete_module init_module finit_module"},
    {CAP_SYS_PACCT, "acct"},
    {CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise"},
    {CAP_SYS_RAWIO, "iopl ioperm"},
    {CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64"},
    {CAP_SYS_TTY_CONFIG, "vhangup"},
    {CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {CAP_SYSLOG, "syslog"},
    {CAP_BPF, "bpf"},
    {CAP_PERFMON, "perf_event_open"},
};

void allow(Policy& policy, std::string_view calls) {
  std::istringstream words{std::string(calls)};
  for (std::string call; words >> call;) policy.rules.push_back({call, act_allow(), {}});
}

constexpr std::uint64_t low_word = 0xffffffff;

// personality(2): the plain ones, and 0xffffffff which only asks.
void allow_personalities(Policy& policy) {
  for (const std::uint64_t persona : {0x0UL, 0x8UL /* PER_LINUX32 */, 0x20000UL /* UNAME26 */, 0x20008UL, 0xffffffffUL})
    policy.rules.push_back({"personality", act_allow(), {{0, Compare::masked_equal, persona, low_word}}});
}

// Sockets of every family but AF_VSOCK, which talks to the hypervisor around every network namespace.
void allow_sockets(Policy& policy) {
  policy.rules.push_back({"socket", act_errno(EPERM), {{0, Compare::masked_equal, AF_VSOCK, low_word}}});
  policy.rules.push_back({"socket", act_allow(), {}});
}

void allow_clone_without_namespaces(Policy& policy) {
  constexpr std::uint64_t namespaces =
      CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
  policy.rules.push_back({"clone", act_allow(), {{0, Compare::masked_equal, 0, namespaces}}});
  policy.rules.push_back({"clone3", act_errno(ENOSYS), {}});
}

}  // namespace

Action act_allow() {
  return SECCOMP_RET_ALLOW;
}

Action act_errno(int code) {
  return SECCOMP_RET_ERRNO | (static_cast<Action>(code) & SECCOMP_RET_DATA);
}

Policy default_policy(std::uint64_t capabilities) {
  Policy policy;
  policy.default_action = act_errno(EPERM);
  for (const Family& family : always_allowed) allow(policy, family.calls);
  for (const CapabilityFamily& family : allowed_with)
    if ((capabilities >> family.capability & 1) != 0) allow(policy, family.calls);
  allow_personalities(policy);
  allow_sockets(policy);
  if ((capabilities >> CAP_SYS_ADMIN & 1) == 0) allow_clone_without_namespaces(policy);
  return policy;
}

}  // namespace drydock::security
