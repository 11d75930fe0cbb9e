// The directory a layer is unpacked into. Every path is resolved inside it by the kernel, and nothing is ever followed out.
//
// A name of an archive is split into parent and last component. The parent is opened with RESOLVE_IN_ROOT, so a symbolic link
// that an earlier entry made means what it will mean in the container; the last component is never followed.
//
// Example: LayerRoot root(sys::open(dir, O_RDONLY | O_DIRECTORY)); root.make_directory(clean_name("etc/ssl/", "layer"));
// Errors: Error::refused for names and links that lead out or nowhere; Error::from_errno for the kernel's own refusals (full
// disk). Source: openat2(2), Linux 5.6; CVE-2018-15664, CVE-2019-14271, CVE-2024-21626 for what path strings led to elsewhere;
//         layer.md of the OCI image specification (whiteouts); overlayfs.rst (their form on disk).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <drydock/kernel/fd.hpp>

namespace drydock::image {

struct EntryName {
  std::string parent;  // "" for the root, "usr/lib" without slashes at either end
  std::string base;    // the last component; "" for the root itself
  std::string path() const { return parent.empty() ? base : parent + "/" + base; }
};

// "./usr//lib/" -> {"usr", "lib"}; "/etc" -> {"", "etc"} (a leading slash means the root of the layer, as for Docker and tar).
// Throws Error::refused for "..", for components above 255 bytes and for paths above 4,095.
EntryName clean_name(std::string_view name, const std::string& where);
// For messages: control characters of hostile names must not reach a terminal.
std::string printable(std::string_view name);

struct Metadata {
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t mode = 0755;  // permission bits with setuid, setgid, sticky
  std::int64_t mtime = 0;     // seconds
  std::uint32_t mtime_ns = 0;
};

class LayerRoot {
 public:
  // `where` names the layer in messages.
  LayerRoot(Fd root, std::string where);

  // The mode of directories and their times are set by finish(): a directory without write permission still gets its files.
  void make_directory(const EntryName& name, const Metadata& metadata);
  // A new regular file, open for writing, whatever was there before (a directory with all it has).
  Fd make_file(const EntryName& name);
  void make_symlink(const EntryName& name, const std::string& target, const Metadata& metadata);
  void make_fifo(const EntryName& name, const Metadata& metadata);
  // `target` is a name of the same layer; a link to a directory, to nothing, or out of the layer is refused.
  void make_hard_link(const EntryName& name, const EntryName& target);
  // The lower layers' entry of this name is hidden: a character device 0:0. What this layer itself has there stays.
  void make_whiteout(const EntryName& name);
  // What lower layers have in directory `path` is hidden.
  void make_opaque(const std::string& path);
  void set_directory_xattr(const EntryName& name, const std::string& key, std::string_view value);

  // Owner, mode, time of an open file, in the order in which none undoes another (chown clears setuid and capabilities).
  void set_metadata(const Fd& file, const Metadata& metadata, const std::string& path);
  void set_xattr(const Fd& file, const std::string& key, std::string_view value, const std::string& path);
  // Directory modes and times, deepest first.
  void finish();

 private:
  const Fd& parent(const EntryName& name);
  Fd open_parent(const std::string& path);
  Fd make_parents(const std::string& path);
  void clear_way(const Fd& dir, const EntryName& name);
  void set_link_metadata(const Fd& dir, const EntryName& name, const Metadata& metadata);
  void own(const Fd& dir, const std::string& base, const Metadata& metadata, const std::string& path);
  [[noreturn]] void refuse(const std::string& path, const std::string& reason) const;
  [[noreturn]] void fail(const char* call, const std::string& path, long result) const;

  Fd root_;
  std::string where_;
  bool superuser_;
  std::map<std::string, Metadata> directories_;
  std::string cached_path_;  // parents repeat: one openat2 per directory, not per file
  Fd cached_parent_;
};

}  // namespace drydock::image
