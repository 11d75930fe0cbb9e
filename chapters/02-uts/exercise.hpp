// Chapter 02, the exercise: a host name of one's own, entered and kept by system calls.
//
// Each function returns 0, or -errno of the call that failed. None of them ends the process, prints, or throws.
// Manual: unshare(2), sethostname(2), setdomainname(2), setns(2), namespaces(7), mount(2).
#pragma once

// The calling process gets a UTS namespace of its own, with this host name and this NIS domain name (both NUL terminated, at most
// 64 bytes). The names of the namespace that it comes from stay as they are.
int enter_uts(const char* host, const char* domain);

// The calling process joins the UTS namespace of process `pid`. Its other namespaces stay.
// -ESRCH or -ENOENT when there is no such process. No descriptor stays open.
int join_uts(int pid);

// Keeps the calling process's UTS namespace alive without any process in it: afterwards `path`, a new file that this function
// makes, is the namespace, and setns(2) works on it. -EEXIST when there is something at `path`.
int pin_uts(const char* path);
