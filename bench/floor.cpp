#include "floor.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace drydock::bench {

void die(const char* what) {
  dprintf(2, "floor: %s: %s\n", what, strerror(errno));
  _exit(125);
}

long must(long result, const char* what) {
  if (result < 0) die(what);
  return result;
}

void write_file(const char* directory, const char* name, const char* text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  const int fd = static_cast<int>(must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), path));
  must(write(fd, text, strlen(text)), text);
  close(fd);
}

void mount_at(const char* source, const char* target, const char* type, unsigned long flags, const char* data) {
  must(mount(source, target, type, flags, data), target);
}

namespace {

struct Options {
  const char* lower = nullptr;    // overlay lower directories, colon separated
  const char* work = nullptr;     // an existing directory on the file system that shall hold the upper layer
  const char* bridge = nullptr;   // empty: no link
  const char* address = "172.31.0.2";
  const char* gateway = "172.31.0.1";
  const char* seccomp = nullptr;  // file with struct sock_filter[]
  char** argv = nullptr;
};

void make_directories(Container& c, const Options& o) {
  snprintf(c.upper, sizeof c.upper, "%s/%s-upper", o.work, c.name);
  snprintf(c.inner_work, sizeof c.inner_work, "%s/%s-work", o.work, c.name);
  snprintf(c.merged, sizeof c.merged, "%s", o.work);  // seen in the container's mount namespace only
  must(mkdir(c.upper, 0755), c.upper);
  must(mkdir(c.inner_work, 0755), c.inner_work);
  // Without `volatile` the end of the container waits until the whole file system is on the disk.
  snprintf(c.overlay, sizeof c.overlay, "lowerdir=%s,upperdir=%s,workdir=%s,volatile", o.lower, c.upper, c.inner_work);
}

void make_dev() {
  mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  struct Node {
    const char* path;
    unsigned minor, major;
  };
  constexpr Node nodes[] = {{"dev/null", 3, 1}, {"dev/zero", 5, 1}, {"dev/full", 7, 1},
                            {"dev/random", 8, 1}, {"dev/urandom", 9, 1}, {"dev/tty", 0, 5}};
  umask(0);
  for (const Node& node : nodes) must(mknod(node.path, S_IFCHR | 0666, makedev(node.major, node.minor)), node.path);
  umask(022);
  constexpr const char* links[][2] = {{"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
                                      {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
                                      {"pts/ptmx", "dev/ptmx"}};
  for (const auto& link : links) must(symlink(link[0], link[1]), link[1]);
  for (const char* directory : {"dev/pts", "dev/shm", "dev/mqueue"}) must(mkdir(directory, 0755), directory);
  mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_at("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k");
  mount_at("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

// What is not there on this kernel is nothing to hide.
bool absent(const char* path) {
  return errno == ENOENT || errno == ENOTDIR || (die(path), false);
}

void hide_paths() {
  for (const char* path : {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"}) {
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) < 0 && absent(path)) continue;
    mount_at(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  }
  for (const char* path : {"proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/timer_list",
                           "proc/timer_stats"})
    if (mount("dev/null", path, nullptr, MS_BIND, nullptr) < 0) absent(path);
  for (const char* path : {"proc/acpi", "proc/asound", "proc/scsi", "sys/devices/virtual/powercap", "sys/firmware",
                           "sys/devices/system/cpu/cpu0/thermal_throttle"})
    if (mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k") < 0) absent(path);
}

// The names never touch the disk: written in /dev, which is in memory, and bound over the image's files. Written into the
// container's /etc they would be copied up, and the directory that this makes in the upper layer costs 0.3 ms at the end.
void make_names() {
  constexpr const char* names[][2] = {{"hostname", "floor\n"},
                                      {"hosts", "127.0.0.1 localhost\n172.31.0.2 floor\n"},
                                      {"resolv.conf", "nameserver 192.0.2.1\n"}};
  for (const auto& name : names) {
    char from[32], to[32];
    snprintf(from, sizeof from, "dev/%s", name[0]);
    snprintf(to, sizeof to, "etc/%s", name[0]);
    write_file("dev", name[0], name[1]);
    mount_at(from, to, nullptr, MS_BIND, nullptr);
    must(unlink(from), from);
  }
}

void make_root(const Container& c) {
  mount_at(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  mount_at("overlay", c.merged, "overlay", 0, c.overlay);
  must(chdir(c.merged), "chdir");
  mount_at("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  make_dev();
  make_names();
  mount_at("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, nullptr);
}

// Read before the clone: the child no longer sees the file.
sock_filter filter_program[BPF_MAXINSNS];
sock_fprog filter{0, filter_program};

void read_filter(const char* path) {
  const int fd = static_cast<int>(must(open(path, O_RDONLY | O_CLOEXEC), path));
  const long size = must(read(fd, filter_program, sizeof filter_program), path);
  close(fd);
  filter.len = static_cast<unsigned short>(static_cast<std::size_t>(size) / sizeof(sock_filter));
}

// Docker's fourteen capabilities stay.
void drop_capabilities() {
  constexpr int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP,
                          CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT, CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP};
  std::uint64_t mask = 0;
  for (const int capability : kept) mask |= 1ULL << capability;
  for (int i = 0; i <= CAP_LAST_CAP; i++)
    if ((mask >> i & 1) == 0 && prctl(PR_CAPBSET_DROP, i) < 0 && errno != EINVAL) die("PR_CAPBSET_DROP");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].effective = data[0].permitted = static_cast<std::uint32_t>(mask);
  data[1].effective = data[1].permitted = static_cast<std::uint32_t>(mask >> 32);
  must(syscall(SYS_capset, &header, data), "capset");
}

[[noreturn]] void inside(Container& c, const Options& o) {
  open_tasks(c);
  attach(c, 0, 2);
  must(sethostname("floor", 5), "sethostname");
  make_root(c);
  if (o.bridge != nullptr) {
    char byte;
    if (read(c.go[0], &byte, 1) != 1) die("waiting for the link");
    configure_inside(o.address, o.gateway);
  }
  attach(c, 3, 3);  // a child in a group with a share loses the processor to other work during its own set-up
  if (!c.v2) must(unshare(CLONE_NEWCGROUP), "unshare(CLONE_NEWCGROUP)");
  mount_groups(c);
  hide_paths();
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount2");
  must(chdir("/"), "chdir /");
  must(setsid(), "setsid");
  const int null = static_cast<int>(must(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"));
  must(dup2(null, 0), "dup2");
  if (filter.len > 0) must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
  drop_capabilities();
  char* const environment[] = {const_cast<char*>("PATH=/usr/bin:/bin"), nullptr};
  execve(o.argv[0], o.argv, environment);
  die(o.argv[0]);
}

int clone_inside(int group, bool v2) {
  clone_args args{};
  args.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  if (v2) args.flags |= CLONE_NEWCGROUP;
  if (group >= 0) args.flags |= CLONE_INTO_CGROUP;
  args.cgroup = static_cast<std::uint64_t>(group >= 0 ? group : 0);
  args.exit_signal = SIGCHLD;
  return static_cast<int>(must(syscall(SYS_clone3, &args, sizeof args), "clone3"));
}

// The two directories of the overlay, and those that overlayfs made in the second.
void remove_leftovers(const Container& c) {
  remove_groups(c);
  char path[320];
  must(rmdir(c.upper), c.upper);
  snprintf(path, sizeof path, "%s/work/incompat/volatile/dirty", c.inner_work);
  unlink(path);
  for (const char* name : {"work/incompat/volatile", "work/incompat", "work"}) {
    snprintf(path, sizeof path, "%s/%s", c.inner_work, name);
    rmdir(path);
  }
  must(rmdir(c.inner_work), c.inner_work);
}

int run(const Options& o) {
  char name[32];
  snprintf(name, sizeof name, "drydockfloor-%d", getpid());
  Container c{};
  c.name = name;
  const int group = make_groups(c);
  make_directories(c, o);
  if (o.seccomp != nullptr) read_filter(o.seccomp);
  must(pipe2(c.go, O_CLOEXEC), "pipe2");
  const int pid = clone_inside(group, c.v2);
  if (pid == 0) inside(c, o);
  if (o.bridge != nullptr) {
    char link[16];
    snprintf(link, sizeof link, "dfl%d", getpid());
    const unsigned index = if_nametoindex(o.bridge);
    if (index == 0) die(o.bridge);
    make_veth(link, index, pid);
    must(write(c.go[1], "g", 1), "go");
  }
  int status = 0;
  must(waitpid(pid, &status, __WALL), "waitpid");
  remove_leftovers(c);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int usage() {
  dprintf(2, "usage: bench-floor bridge NAME ADDRESS\n"
             "       bench-floor run --lower DIR[:DIR] --work DIR [--bridge NAME] [--seccomp FILE] -- PROGRAM [ARG...]\n");
  return 2;
}

int run_command(int argc, char** argv) {
  Options o;
  int i = 2;
  for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
    const char* value = argv[i + 1];
    if (strcmp(argv[i], "--lower") == 0) o.lower = value;
    else if (strcmp(argv[i], "--work") == 0) o.work = value;
    else if (strcmp(argv[i], "--bridge") == 0) o.bridge = value;
    else if (strcmp(argv[i], "--seccomp") == 0) o.seccomp = value;
    else return usage();
  }
  if (i + 1 >= argc || o.lower == nullptr || o.work == nullptr) return usage();
  o.argv = argv + i + 1;
  return run(o);
}

}  // namespace
}  // namespace drydock::bench

int main(int argc, char** argv) {
  using namespace drydock::bench;
  if (argc == 4 && strcmp(argv[1], "bridge") == 0) {
    make_bridge(argv[2], argv[3]);
    return 0;
  }
  if (argc > 2 && strcmp(argv[1], "run") == 0) return run_command(argc, argv);
  return usage();
}
