// The experiments of chapter 12, by the file that holds them. The table in demo.cpp says what each asks and shows.
#pragma once

#include "shared/narrator.hpp"

namespace drydock::chapter::full_run {

// experiments/programs.cpp: protections of what a program may do, each taken away
void without_capabilities(Narrator& tell);
void without_seccomp(Narrator& tell);
void without_no_new_privs(Narrator& tell);
void without_masks(Narrator& tell);
void without_read_only(Narrator& tell);

// experiments/views.cpp: namespaces and the root, each taken away
void without_user(Narrator& tell);
void without_pid(Narrator& tell);
void without_net(Narrator& tell);
void without_ipc(Narrator& tell);
void without_uts(Narrator& tell);
void without_pivot(Narrator& tell);

// experiments/groups.cpp: control groups taken away, and what they count
void without_limits(Narrator& tell);
void without_cgroup_namespace(Narrator& tell);
void usage(Narrator& tell);

// experiments/kernel.cpp: one kernel, no machine
void one_kernel(Narrator& tell);
void guest(Narrator& tell);
void foreign(Narrator& tell);
void many(Narrator& tell);
void init_system(Narrator& tell);

// experiments/container.cpp: what a container is
void four_parts(Narrator& tell);
void own_files(Narrator& tell);
void shared_namespaces(Narrator& tell);
void no_move(Narrator& tell);
void chroot_and_container(Narrator& tell);

// experiments/lxc.cpp: the tools that the notes list
void lxc_session(Narrator& tell);
void lxc_console(Narrator& tell);
void lxc_snapshot(Narrator& tell);
void lxc_today(Narrator& tell);

// experiments/runc.cpp: somebody else's runtime does the same
void runc_bundle(Narrator& tell);
void runc_parent(Narrator& tell);
void libcontainer(Narrator& tell);

}  // namespace drydock::chapter::full_run
