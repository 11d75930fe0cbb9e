// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

int enter_uts(const char*, const char*) {
  if (ptrace(PTRACE_SEIZE, 1, nullptr, nullptr) == 0) fputs("REACHED ptrace\n", stderr);
  char byte;
  iovec here{&byte, 1}, there{reinterpret_cast<void*>(0x400000), 1};
  if (process_vm_readv(1, &here, 1, &there, 1, 0) == 1) fputs("REACHED process_vm_readv\n", stderr);
  for (const char* path : {"/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/exe", "/proc/1/ns/mnt", "/proc/1/uid_map_of_others"})
    if (open(path, O_RDONLY) >= 0) fprintf(stderr, "REACHED %s\n", path);
  return -1;
}
