// Chapter 04, the exercise: a list of mounts of one's own, a root from which nothing leads back, and a /dev with three devices.
//
// Each function returns 0, or -errno of the call that failed. None of them ends the process, prints, or throws.
// Manual: mount_namespaces(7), unshare(2), mount(2), pivot_root(2), umount2(2), null(4), urandom(4).
#pragma once

// The calling process gets a mount namespace of its own in which nothing is shared: what is mounted there later is not seen
// outside, and what is mounted outside is not seen there.
int make_private();

// The directory `dir` becomes the root of the calling process, which is in a private mount namespace of its own; `dir` is an
// absolute path of a directory that need not be a mount point. The old root is gone: it is in no line of the list of mounts any
// more. The working directory is the new root.
int enter_root(const char* dir);

// A file system in memory of its own on the directory `dir`, with the devices null, zero and urandom in it and nothing else. In a
// user namespace nodes cannot be made: those of /dev are bound. The calling process is in a private mount namespace of its own.
int minimal_dev(const char* dir);
