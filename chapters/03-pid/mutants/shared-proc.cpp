// MUTANT spawn_init
// FAIL 1b
// The new proc lies over everybody's /proc.
int spawn_init(char* const argv[]) {
  clone_args args{};
  args.flags = CLONE_NEWPID;
  args.exit_signal = SIGCHLD;
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return -errno;
  if (pid > 0) return static_cast<int>(pid);
  if (mount("proc", "/proc", "proc", 0, nullptr) != 0) _exit(127);
  execv(argv[0], argv);
  _exit(127);
}
