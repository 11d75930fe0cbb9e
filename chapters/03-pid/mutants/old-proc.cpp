// MUTANT spawn_init
// FAIL 1b
// The namespace is there, /proc still shows the old one.
int spawn_init(char* const argv[]) {
  clone_args args{};
  args.flags = CLONE_NEWPID | CLONE_NEWNS;
  args.exit_signal = SIGCHLD;
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return -errno;
  if (pid > 0) return static_cast<int>(pid);
  execv(argv[0], argv);
  _exit(127);
}
