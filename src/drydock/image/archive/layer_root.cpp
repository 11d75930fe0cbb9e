#include <drydock/image/archive/layer_root.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>

#include <drydock/image/archive/tree.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

constexpr std::uint64_t inside = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

long open_directory(const Fd& root, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = inside;
  return raw::call(SYS_openat2, root.get(), path.empty() ? "." : path.c_str(), &how, sizeof how);
}

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

}  // namespace

std::string printable(std::string_view name) {
  constexpr std::size_t longest = 120;
  std::string text;
  for (const char c : name.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view digits = "0123456789abcdef";
    if (byte >= 0x20 && byte != 0x7f)
      text += c;
    else
      text += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return name.size() > longest ? text + "..." : text;
}

EntryName clean_name(std::string_view name, const std::string& where) {
  const auto refuse = [&](const char* reason) {
    throw Error::refused(where, "entry '" + printable(name) + "' " + reason,
                         "the archive is hostile or broken; nothing of it was kept");
  };
  EntryName result;
  if (name.size() > 4095) refuse("has a name of more than 4,095 bytes");
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") refuse("leads out of the layer with '..'");
    if (part.size() > 255) refuse("has a name component of more than 255 bytes");
    if (!result.base.empty()) result.parent += (result.parent.empty() ? "" : "/") + result.base;
    result.base = part;
  }
  return result;
}

LayerRoot::LayerRoot(Fd root, std::string where)
    : root_(std::move(root)), where_(std::move(where)), superuser_(sys::geteuid() == 0) {
  // Many layers do not name their root; the caller's umask must not decide who may enter a container's "/".
  raw::call(SYS_fchmod, root_.get(), 0755);
}

void LayerRoot::refuse(const std::string& path, const std::string& reason) const {
  throw Error::refused(where_, "entry '" + printable(path) + "' " + reason,
                       "the archive is hostile or broken; nothing of it was kept");
}

void LayerRoot::fail(const char* call, const std::string& path, long result) const {
  throw Error::from_errno(call, "\"" + printable(path) + "\" of " + where_, raw::error_of(result));
}

Fd LayerRoot::open_parent(const std::string& path) {
  const long result = open_directory(root_, path);
  if (!raw::failed(result)) return Fd(static_cast<int>(result));
  if (result == -ENOENT) return make_parents(path);
  if (result == -ENOTDIR) refuse(path, "is used as a directory and is none");
  if (result == -ELOOP) refuse(path, "runs through a loop of symbolic links");
  if (result == -EXDEV) refuse(path, "leads out of the layer");
  fail("openat2", path, result);
}

// Archives need not name the directories above a file: they get mode 0755, as Docker gives them.
Fd LayerRoot::make_parents(const std::string& path) {
  const EntryName name = clean_name(path, where_);
  const Fd above = open_parent(name.parent);
  const long made = raw::call(SYS_mkdirat, above.get(), name.base.c_str(), 0755);
  if (raw::failed(made) && made != -EEXIST) fail("mkdir", path, made);
  const long result = open_directory(root_, path);
  if (result == -ENOENT) refuse(path, "goes through a symbolic link that leads nowhere inside the layer");
  if (raw::failed(result)) fail("openat2", path, result);
  Fd directory(static_cast<int>(result));
  // O_CREAT-like mode bits pass the umask, which is nobody's business here.
  if (made == 0) raw::call(SYS_fchmod, directory.get(), 0755);
  return directory;
}

const Fd& LayerRoot::parent(const EntryName& name) {
  if (cached_parent_ && cached_path_ == name.parent) return cached_parent_;
  cached_parent_ = open_parent(name.parent);
  cached_path_ = name.parent;
  return cached_parent_;
}

// Later entries of an archive replace earlier ones.
void LayerRoot::clear_way(const Fd& dir, const EntryName& name) {
  if (name.base.empty()) refuse("/", "would replace the root of the layer by something that is no directory");
  const long removed = raw::call(SYS_unlinkat, dir.get(), name.base.c_str(), 0);
  if (removed == -ENOENT) return;
  if (removed == -EISDIR || removed == -EPERM) {
    const std::string path = name.path();
    directories_.erase(path);
    directories_.erase(directories_.lower_bound(path + "/"), directories_.lower_bound(path + "0"));  // '0' follows '/'
    remove_at(dir, name.base);
  } else if (raw::failed(removed)) {
    fail("unlink", name.path(), removed);
  }
}

void LayerRoot::make_directory(const EntryName& name, const Metadata& metadata) {
  if (name.base.empty()) {
    directories_[""] = metadata;
    return;
  }
  const Fd& dir = parent(name);
  long made = raw::call(SYS_mkdirat, dir.get(), name.base.c_str(), 0700);
  bool opaque = false;
  if (made == -EEXIST) {
    const struct stat status = stat_at(dir, name.base);
    if (!S_ISDIR(status.st_mode)) {
      opaque = is_whiteout(status);  // a deleted directory that was made anew shows nothing of the old one
      clear_way(dir, name);
      made = raw::call(SYS_mkdirat, dir.get(), name.base.c_str(), 0700);
      if (raw::failed(made)) fail("mkdir", name.path(), made);
      cached_parent_.reset();  // a link on the way to the cached directory may be what was replaced
    }
  } else if (raw::failed(made)) {
    fail("mkdir", name.path(), made);
  }
  directories_[name.path()] = metadata;
  if (opaque) make_opaque(name.path());
}

Fd LayerRoot::make_file(const EntryName& name) {
  const Fd& dir = parent(name);
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  if (name.base.empty()) clear_way(dir, name);
  long result = raw::call(SYS_openat, dir.get(), name.base.c_str(), flags, 0600);
  if (result == -EEXIST) {
    clear_way(dir, name);
    result = raw::call(SYS_openat, dir.get(), name.base.c_str(), flags, 0600);
    cached_parent_.reset();
  }
  if (raw::failed(result)) fail("openat", name.path(), result);
  return Fd(static_cast<int>(result));
}

void LayerRoot::make_symlink(const EntryName& name, const std::string& target, const Metadata& metadata) {
  if (target.empty() || target.size() > 4095) refuse(name.path(), "is a symbolic link with an empty or endless target");
  const Fd dir = open_parent(name.parent);
  clear_way(dir, name);
  cached_parent_.reset();
  const long made = raw::call(SYS_symlinkat, target.c_str(), dir.get(), name.base.c_str());
  if (raw::failed(made)) fail("symlink", name.path(), made);
  set_link_metadata(dir, name, metadata);
}

void LayerRoot::make_fifo(const EntryName& name, const Metadata& metadata) {
  const Fd dir = open_parent(name.parent);
  clear_way(dir, name);
  cached_parent_.reset();
  const long made = raw::call(SYS_mknodat, dir.get(), name.base.c_str(), S_IFIFO | 0600, 0);
  if (raw::failed(made)) fail("mknod", name.path(), made);
  own(dir, name.base, metadata, name.path());
  const long changed = raw::call(SYS_fchmodat, dir.get(), name.base.c_str(), metadata.mode & 07777);
  if (raw::failed(changed)) fail("fchmodat", name.path(), changed);
  set_link_metadata(dir, name, metadata);
}

void LayerRoot::make_hard_link(const EntryName& name, const EntryName& target) {
  if (target.base.empty()) refuse(name.path(), "is a hard link to the root of the layer");
  const long from = open_directory(root_, target.parent);
  if (raw::failed(from)) refuse(name.path(), "is a hard link to '" + printable(target.path()) + "', which is not in this layer");
  const Fd from_dir(static_cast<int>(from));
  const auto status = stat_at_if_present(from_dir, target.base);
  if (!status) refuse(name.path(), "is a hard link to '" + printable(target.path()) + "', which is not in this layer");
  if (S_ISDIR(status->st_mode)) refuse(name.path(), "is a hard link to a directory");
  const Fd dir = open_parent(name.parent);
  const auto present = name.base.empty() ? std::nullopt : stat_at_if_present(dir, name.base);
  if (present && present->st_ino == status->st_ino && present->st_dev == status->st_dev) return;  // a link to itself
  clear_way(dir, name);
  cached_parent_.reset();
  const long made = raw::call(SYS_linkat, from_dir.get(), target.base.c_str(), dir.get(), name.base.c_str(), 0);
  if (raw::failed(made)) fail("linkat", name.path(), made);
}

void LayerRoot::make_whiteout(const EntryName& name) {
  const Fd& dir = parent(name);
  if (const auto status = stat_at_if_present(dir, name.base)) {
    // Whiteouts speak of lower layers only, wherever they stand among the entries of this one.
    if (S_ISDIR(status->st_mode)) make_opaque(name.path());
    return;
  }
  const long made = raw::call(SYS_mknodat, dir.get(), name.base.c_str(), S_IFCHR, makedev(0, 0));
  if (raw::failed(made)) fail("mknod", name.path(), made);
}

void LayerRoot::make_opaque(const std::string& path) {
  const Fd dir = open_parent(path);
  long result = raw::call(SYS_fsetxattr, dir.get(), "trusted.overlay.opaque", "y", 1, 0);
  // trusted.* is for the real root only; overlayfs mounted in a user namespace reads user.overlay.* (option userxattr).
  if (result == -EPERM) result = raw::call(SYS_fsetxattr, dir.get(), "user.overlay.opaque", "y", 1, 0);
  if (raw::failed(result)) fail("fsetxattr", path, result);
}

void LayerRoot::set_directory_xattr(const EntryName& name, const std::string& key, std::string_view value) {
  set_xattr(open_parent(name.path()), key, value, name.path());
}

void LayerRoot::own(const Fd& dir, const std::string& base, const Metadata& metadata, const std::string& path) {
  if (!superuser_) return;  // one user owns all of a rootless store
  const int flags = base.empty() ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
  const long result = raw::call(SYS_fchownat, dir.get(), base.c_str(), metadata.uid, metadata.gid, flags);
  if (raw::failed(result)) fail("fchownat", path, result);
}

void LayerRoot::set_link_metadata(const Fd& dir, const EntryName& name, const Metadata& metadata) {
  own(dir, name.base, metadata, name.path());
  const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, timespec{metadata.mtime, static_cast<long>(metadata.mtime_ns)}};
  raw::call(SYS_utimensat, dir.get(), name.base.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

void LayerRoot::set_metadata(const Fd& file, const Metadata& metadata, const std::string& path) {
  if (superuser_ && (metadata.uid != 0 || metadata.gid != 0)) own(file, "", metadata, path);
  const long changed = raw::call(SYS_fchmod, file.get(), metadata.mode & 07777);
  if (raw::failed(changed)) fail("fchmod", path, changed);
  // A time outside what the file system can keep is clamped by the kernel; it is no reason to refuse an image.
  const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, timespec{metadata.mtime, static_cast<long>(metadata.mtime_ns)}};
  raw::call(SYS_utimensat, file.get(), nullptr, times.data(), 0);
}

void LayerRoot::set_xattr(const Fd& file, const std::string& key, std::string_view value, const std::string& path) {
  const long result = raw::call(SYS_fsetxattr, file.get(), key.c_str(), value.data(), value.size(), 0);
  if (!raw::failed(result)) return;
  // tmpfs before 6.6 has no user.*; without privilege there are no file capabilities to give.
  if (result == -EOPNOTSUPP || (result == -EPERM && !superuser_)) return;
  if (result == -EINVAL || result == -E2BIG || result == -ERANGE)
    refuse(path, "has an invalid extended attribute " + printable(key));
  fail("fsetxattr", path, result);
}

void LayerRoot::finish() {
  cached_parent_.reset();
  for (auto entry = directories_.rbegin(); entry != directories_.rend(); ++entry) {
    const long result = open_directory(root_, entry->first);
    if (result == -ENOENT || result == -ENOTDIR) continue;  // replaced since, under another name that links led to
    if (raw::failed(result)) fail("openat2", entry->first, result);
    set_metadata(Fd(static_cast<int>(result)), entry->second, entry->first);
  }
  directories_.clear();
}

}  // namespace drydock::image
