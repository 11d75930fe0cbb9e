// The calls that are more than one line: each returns a result or -errno. Grouped by the file that holds them.
#pragma once

#include <drydock/plan/executor/context.hpp>

namespace drydock::plan::executor {

// ops_files.cpp
long op_open_in_root(Context& context, const wire::WireCall& call);
long op_mkdirs_in_root(Context& context, const wire::WireCall& call);
long op_create_file(int directory, const char* path, const char* data, std::size_t size, int mode);
long op_check_cwd();
long op_pipe(long* second);
long op_remove_tree(const char* path);

// ops_mounts.cpp
long op_fsconfig(Context& context, int fs, unsigned command, const char* key, const void* value, int aux);
long op_move_mount(Context& context, const wire::WireCall& call);
long op_mount_setattr(Context& context, const wire::WireCall& call);
long op_mask_path(Context& context, const wire::WireCall& call);
long op_read_only_path(Context& context, const wire::WireCall& call);
long op_pty_open(Context& context, const wire::WireCall& call, long* second);
void read_mount_log(Context& context, int fs);

// ops_process.cpp
long op_clone3(Context& context, const wire::WireCall& call, long* second);
long op_fork_lane(Context& context, const wire::WireCall& call, long* second);
long op_init_fork();
long op_init_clone(const Context& context, const wire::WireCall& call);
long op_exec(Context& context, const wire::WireCall& call);
long op_pidfd_open_checked(Context& context, const wire::WireCall& call);
long op_die_with_parent(Context& context);
long op_wait_go(Context& context);
// A new program begins with a clean slate: blocked and ignored signals survive exec.
void reset_signals();
// Pointers to the strings of a NUL separated block, and a null; the number of strings.
int split(const char* block, std::size_t length, const char** out, int capacity);

// ops_helpers.cpp
long op_run_id_mapper(const Context& context, const wire::WireCall& call);
long op_remove_tree_mapped(const Context& context, const wire::WireCall& call);
long op_start_helper(Context& context, const wire::WireCall& call, long* second);

// ops_credentials.cpp
long op_capset(const Context& context, const wire::WireCall& call);
long op_setgroups(const Context& context, const wire::WireCall& call);
long op_become_user(Context& context, const wire::WireCall& call);
long op_prlimit(const Context& context, const wire::WireCall& call);
long op_seccomp_load(const Context& context, const wire::WireCall& call);
long op_resolve_user(Context& context, const wire::WireCall& call, long* second);

// ops_network.cpp
long op_netlink_open(const Context& context, const wire::WireCall& call);
long op_netlink(Context& context, const wire::WireCall& call);
long op_socket_listen(const Context& context, const wire::WireCall& call);
long op_delete_link(Context& context, const wire::WireCall& call);
long op_proxy_loop(Context& context, const wire::WireCall& call);

// ops_cgroups.cpp
long op_remove_cgroup(const char* path);
// `program`: struct bpf_insn back to back, `size` in bytes. It goes with the group.
long attach_device_filter(int group, const void* program, std::size_t size);

}  // namespace drydock::plan::executor
