// The probe: a program that does what its words say, one after the other, and then stands still to be looked at.
//
// The grader finds it from outside by its contents, and reads the kernel's facts about it; nothing that it prints counts.
//
//   hold [TOKEN]                   stands still until it is killed
//   exit N                         ends with status N
//   signal N                       ends itself by signal N
//   sleep MS                       goes on after a while
//   masked                         blocks SIGTERM, also for the program that it becomes, and goes on
//   term N                         stands still until SIGTERM, then ends with status N; wants to be masked before
//   then WORDS...                  is executed anew with these words: they are its command line from then on
//   orphans N                      makes N orphans that live for a moment, and goes on
//   orphan WORDS...                a grandchild whose parent has ended goes on with the words; this process ends with 0
//   pidns WORDS...                 a child goes on with the words as process 1 of a new pid namespace; this one ends as it does
//   uts NAME                       goes on in a UTS namespace of its own, with that host name
//   mntns                          goes on in a mount namespace of its own, all of it private
//   stage DIR                      makes DIR, a file system in memory that tells its copies what is mounted in it, and goes on
//   rootfs DIR TOKEN               makes DIR with this program as DIR/probe and the token in DIR/token, and goes on
//   escape                         leaves a chroot, as one can with its old root still above, and goes on
//   beside WORDS... -- PROGRAM...  a child goes on with the words; when it stands still the program is executed, '@' is the child
//   first WORDS... -- PROGRAM...   the same when the child has ended
//   run PROGRAM...                 executes the program
//   produce FILE PROGRAM...        runs the program with its output on standard error; if it ends with 0, writes the file to
//                                  standard output
// Source: execve(2), signal(7). It is static: it works below any root.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr int said_nothing = 2, cannot = 126;
const char* own_path = "/lab/probe";

[[noreturn]] void give_up(const char* what) {
  fputs("probe: ", stderr);
  perror(what);
  _exit(cannot);
}

[[noreturn]] void execute(char** words) {
  if (words[0] == nullptr) _exit(said_nothing);
  execv(words[0], words);
  give_up(words[0]);
}

[[noreturn]] void hold() {
  close_range(3, ~0U, 0);  // whoever waits for us to stand still sees an end of file
  for (;;) pause();
}

void sleep_ms(long ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1'000'000};
  nanosleep(&time, nullptr);
}

pid_t fork_or_give_up() {
  const pid_t pid = fork();
  if (pid < 0) give_up("fork");
  return pid;
}

// The same program with other words: what it stands for is seen in its command line.
[[noreturn]] void become(char** words) {
  static char* argv[256];
  argv[0] = const_cast<char*>(own_path);
  int count = 1;
  for (; words[count - 1] != nullptr && count < 255; ++count) argv[count] = words[count - 1];
  argv[count] = nullptr;
  execv(own_path, argv);
  give_up(own_path);
}

[[noreturn]] void end_like(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

[[noreturn]] void in_pid_namespace(char** words) {
  if (unshare(CLONE_NEWPID) != 0) give_up("pidns");
  const pid_t child = fork_or_give_up();
  if (child == 0) become(words);
  end_like(child);
}

sigset_t term_alone() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

[[noreturn]] void await_term(int status) {
  const sigset_t set = term_alone();
  int number = 0;
  sigwait(&set, &number);
  _exit(status);
}

// Words before "--" for the child, words after it for us.
[[noreturn]] void with_child(char** words, bool until_it_ends) {
  char** rest = words;
  while (*rest != nullptr && strcmp(*rest, "--") != 0) ++rest;
  if (*rest == nullptr) _exit(said_nothing);
  *rest++ = nullptr;
  int still[2];
  if (pipe(still) != 0) give_up("pipe");
  const pid_t child = fork_or_give_up();
  if (child == 0) {
    close(still[0]);
    become(words);
  }
  close(still[1]);
  char byte;
  if (!until_it_ends && read(still[0], &byte, 1) < 0) give_up("read");
  close(still[0]);
  if (until_it_ends) waitpid(child, nullptr, 0);
  static char number[16];
  snprintf(number, sizeof number, "%d", static_cast<int>(child));
  for (char** word = rest; *word != nullptr; ++word)
    if (strcmp(*word, "@") == 0) *word = number;
  execute(rest);
}

void orphans(int count) {
  for (int index = 0; index < count; ++index) {
    const pid_t child = fork_or_give_up();
    if (child == 0) {
      if (fork_or_give_up() == 0) sleep_ms(50);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }
}

[[noreturn]] void produce(const char* file, char** program) {
  const pid_t child = fork_or_give_up();
  if (child == 0) {
    dup2(2, 1);
    execute(program);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  const int from = open(file, O_RDONLY | O_NOFOLLOW);
  if (from < 0) give_up(file);
  static char buffer[65536];
  for (ssize_t size; (size = read(from, buffer, sizeof buffer)) > 0;)
    for (ssize_t at = 0, wrote; at < size; at += wrote)
      if ((wrote = write(1, buffer + at, static_cast<size_t>(size - at))) < 0) give_up("write");
  _exit(0);
}

void write_file(const char* path, const char* data, size_t size, mode_t mode) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) give_up(path);
  close(fd);
}

void make_rootfs(const char* directory, const char* token) {
  static char program[8 << 20];
  char path[256];
  if (mkdir(directory, 0755) != 0) give_up(directory);
  const int own = open("/proc/self/exe", O_RDONLY);
  const ssize_t size = read(own, program, sizeof program);
  if (size <= 0) give_up("/proc/self/exe");
  close(own);
  snprintf(path, sizeof path, "%s/probe", directory);
  write_file(path, program, static_cast<size_t>(size), 0755);
  snprintf(path, sizeof path, "%s/token", directory);
  write_file(path, token, strlen(token), 0644);
}

// A second chroot forgets the first one: from a directory outside of the new root the way up has no end but the real root.
void escape() {
  mkdir("way", 0755);
  if (chroot("way") != 0) return;
  for (int level = 0; level < 64; ++level)
    if (chdir("..") != 0) return;
  if (chroot(".") != 0) return;
}

// One word of behaviour; the words that it did not use.
char** act(char** words) {
  const char* verb = words[0];
  const char* value = words[1] != nullptr ? words[1] : "0";
  if (strcmp(verb, "hold") == 0) hold();
  if (strcmp(verb, "exit") == 0) _exit(atoi(value));
  if (strcmp(verb, "signal") == 0) {
    kill(getpid(), atoi(value));
    for (;;) pause();
  }
  if (strcmp(verb, "masked") == 0) {
    const sigset_t set = term_alone();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return words + 1;
  }
  if (strcmp(verb, "term") == 0) await_term(atoi(value));
  if (strcmp(verb, "then") == 0) become(words + 1);
  if (strcmp(verb, "pidns") == 0) in_pid_namespace(words + 1);
  if (strcmp(verb, "run") == 0) execute(words + 1);
  if (strcmp(verb, "produce") == 0) produce(value, words + 2);
  if (strcmp(verb, "beside") == 0) with_child(words + 1, false);
  if (strcmp(verb, "first") == 0) with_child(words + 1, true);
  if (strcmp(verb, "escape") == 0) {
    escape();
    return words + 1;
  }
  if (strcmp(verb, "mntns") == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up("mntns");
    return words + 1;
  }
  if (strcmp(verb, "rootfs") == 0 && words[1] != nullptr && words[2] != nullptr) {
    make_rootfs(words[1], words[2]);
    return words + 3;
  }
  if (strcmp(verb, "sleep") == 0) {
    sleep_ms(atol(value));
  } else if (strcmp(verb, "orphans") == 0) {
    orphans(atoi(value));
  } else if (strcmp(verb, "orphan") == 0) {
    const pid_t parent = getpid();
    if (fork_or_give_up() == 0) {
      while (getppid() == parent) sleep_ms(1);
      become(words + 1);
    }
    _exit(0);
  } else if (strcmp(verb, "stage") == 0) {
    if (mkdir(value, 0755) != 0 || mount("stage", value, "tmpfs", 0, nullptr) != 0 ||
        mount(nullptr, value, nullptr, MS_SHARED, nullptr) != 0)
      give_up("stage");
  } else if (strcmp(verb, "uts") == 0) {
    if (unshare(CLONE_NEWUTS) != 0 || sethostname(value, strlen(value)) != 0) give_up("uts");
  } else {
    _exit(said_nothing);
  }
  return words + 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return said_nothing;
  for (char** words = argv + 1; *words != nullptr;) words = act(words);
  return 0;
}
