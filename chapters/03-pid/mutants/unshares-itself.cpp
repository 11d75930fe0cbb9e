// MUTANT spawn_init
// FAIL 1a
// BLOCKED 1b
// unshare(2) moves children that come later, not the process that calls it.
int spawn_init(char* const argv[]) {
  const pid_t pid = fork();
  if (pid < 0) return -errno;
  if (pid > 0) return pid;
  if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) _exit(127);
  execv(argv[0], argv);
  _exit(127);
}
