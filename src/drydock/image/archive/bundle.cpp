#include <drydock/image/archive/bundle.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <drydock/image/archive/layer_root.hpp>
#include <drydock/image/archive/tar_reader.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

constexpr std::uint64_t largest_text = 8u << 20;  // a manifest of an image with thousands of layers has 1 MiB
constexpr std::uint64_t most_members = 200'000;

[[noreturn]] void refuse_missing(const std::string& where, const std::string& name) {
  throw Error::refused(where, "it has no file '" + printable(name) + "', which the image needs",
                       "the archive is incomplete; save the image again");
}

// Throws for anything but a regular file: opening a fifo of a hostile directory would wait for ever.
Fd open_regular(const Fd& dir, const std::string& name, const std::string& where) {
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const long opened = raw::call(SYS_openat2, dir.get(), name.c_str(), &how, sizeof how);
  if (opened == -ENOENT || opened == -ENOTDIR) refuse_missing(where, name);
  if (raw::failed(opened)) throw Error::from_errno("openat2", "\"" + printable(name) + "\" of " + where, raw::error_of(opened));
  Fd file(static_cast<int>(opened));
  if (!S_ISREG(sys::fstat(file).st_mode)) throw Error::refused(where, "'" + printable(name) + "' is no regular file");
  return file;
}

class DirectoryBundle : public Bundle {
 public:
  DirectoryBundle(Fd dir, std::string where) : dir_(std::move(dir)), where_(std::move(where)) {}
  using Bundle::read;

  bool contains(const std::string& name) const override {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const Fd found(static_cast<int>(raw::call(SYS_openat2, dir_.get(), name.c_str(), &how, sizeof how)));
    return static_cast<bool>(found);
  }
  std::string resolve(const std::string& name) const override { return clean_name(name, where_).path(); }
  std::map<std::string, std::string> read(const std::set<std::string>& names) override {
    std::map<std::string, std::string> texts;
    visit(names, [&](const std::string& name, ByteSource& source) {
      texts[name] = read_all(source, largest_text, where_ + ", '" + printable(name) + "'");
    });
    return texts;
  }
  void visit(const std::set<std::string>& names, const std::function<void(const std::string&, ByteSource&)>& take) override {
    for (const std::string& name : names) {
      const Fd file = open_regular(dir_, name, where_);
      FileSource source(file);
      take(name, source);
    }
  }
  const std::string& where() const override { return where_; }

 private:
  Fd dir_;
  std::string where_;
};

// The data of one entry of the outer archive.
class EntrySource : public ByteSource {
 public:
  explicit EntrySource(TarReader& tar) : tar_(tar) {}
  std::string_view next() override {
    const auto piece = tar_.block();
    if (!piece) return {};
    if (piece->first != offset_)
      throw Error::refused("image archive", "a file in it is sparse", "write the archive without sparse files");
    offset_ += piece->second.size();
    return piece->second;
  }

 private:
  TarReader& tar_;
  std::uint64_t offset_ = 0;
};

class TarBundle : public Bundle {
 public:
  TarBundle(Fd file, std::string where) : file_(std::move(file)), where_(std::move(where)) { list(); }
  using Bundle::read;

  bool contains(const std::string& name) const override {
    try {
      (void)member(name);
      return true;
    } catch (const Error&) {
      return false;
    }
  }
  std::string resolve(const std::string& name) const override { return member(name)->first; }
  std::map<std::string, std::string> read(const std::set<std::string>& names) override {
    std::map<std::string, std::string> texts;
    visit(names, [&](const std::string& name, ByteSource& source) {
      texts[name] = read_all(source, largest_text, where_ + ", '" + printable(name) + "'");
    });
    return texts;
  }
  void visit(const std::set<std::string>& names, const std::function<void(const std::string&, ByteSource&)>& take) override;
  const std::string& where() const override { return where_; }

 private:
  struct Member {
    std::uint64_t position;  // counted in entries
    std::string link;        // where a symbolic or hard link leads, from the top of the archive
    bool regular;
  };
  using Members = std::map<std::string, Member>;

  void list();
  Members::const_iterator member(const std::string& name) const;

  Fd file_;
  std::string where_;
  Members members_;
};

// "a/layer.tar" -> "../b/layer.tar" is "b/layer.tar"; what climbs above the top stays at the top and is found missing.
std::string joined(const std::string& from, const std::string& target) {
  std::string path = target.starts_with('/') ? "" : from.substr(0, from.rfind('/') == std::string::npos ? 0 : from.rfind('/'));
  for (std::size_t at = 0; at < target.size();) {
    const std::size_t end = std::min(target.find('/', at), target.size());
    const std::string part = target.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..")
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    else
      path += (path.empty() ? "" : "/") + part;
  }
  return path;
}

void TarBundle::list() {
  TarReader tar(file_, where_);
  std::uint64_t position = 0;
  for (archive_entry* entry = tar.next(); entry != nullptr; entry = tar.next(), ++position) {
    if (position >= most_members)
      throw Error::refused(where_, "it has more than " + std::to_string(most_members) + " files", "this is no image archive");
    const std::string name = clean_name(TarReader::name(entry), where_).path();
    Member member{position, {}, false};
    if (const auto link = TarReader::hard_link(entry))
      member.link = clean_name(*link, where_).path();
    else if (archive_entry_filetype(entry) == AE_IFLNK)
      member.link = joined(name, TarReader::symlink_target(entry));
    else
      member.regular = archive_entry_filetype(entry) == AE_IFREG;
    if (member.regular || !member.link.empty()) members_.insert_or_assign(name, std::move(member));
  }
  if (position == 0)
    throw Error::refused(where_, "it is empty", "name an archive that 'docker save' or 'drydock image save' wrote");
}

TarBundle::Members::const_iterator TarBundle::member(const std::string& name) const {
  std::string path = clean_name(name, where_).path();
  for (int hops = 0; hops < 8; ++hops) {
    const auto found = members_.find(path);
    if (found == members_.end()) break;
    if (found->second.regular) return found;
    path = found->second.link;
  }
  refuse_missing(where_, name);
}

void TarBundle::visit(const std::set<std::string>& names, const std::function<void(const std::string&, ByteSource&)>& take) {
  std::map<std::uint64_t, std::string> wanted;
  for (const std::string& name : names) wanted.emplace(member(name)->second.position, name);
  TarReader tar(file_, where_);
  std::uint64_t position = 0;
  for (archive_entry* entry = tar.next(); entry != nullptr && !wanted.empty(); entry = tar.next(), ++position) {
    const auto found = wanted.find(position);
    if (found == wanted.end()) continue;
    EntrySource source(tar);
    take(found->second, source);
    wanted.erase(found);
  }
}

bool seekable_tar(const Fd& file) {
  if (!S_ISREG(sys::fstat(file).st_mode) || raw::call(SYS_lseek, file.get(), 0, SEEK_CUR) != 0) return false;
  std::array<char, 8> head;
  const long count = raw::call(SYS_pread64, file.get(), head.data(), head.size(), 0);
  if (raw::failed(count)) return false;
  MemorySource bytes(std::string_view(head.data(), static_cast<std::size_t>(count)));
  return SniffedSource(bytes).compression() == Compression::none;
}

Fd spooled(const Fd& input, const std::string& where, const std::string& scratch, const Limits& limits) {
  Fd plain = sys::open(scratch + "/archive.tar", O_RDWR | O_CREAT | O_EXCL, 0600);
  sys::unlink(scratch + "/archive.tar");
  const Budget budget(limits);
  FileSource file(input);
  SniffedSource sniffed(file);
  std::uint64_t compressed = 0, inflated = 0;
  WatchedSource counted(sniffed, [&](std::string_view bytes) { compressed += bytes.size(); });
  Inflater inflater(counted, sniffed.compression(), where);
  ByteSource& source = sniffed.compression() == Compression::none ? static_cast<ByteSource&>(counted) : inflater;
  for (std::string_view bytes = source.next(); !bytes.empty(); bytes = source.next()) {
    inflated += bytes.size();
    budget.stream(where, compressed, inflated);
    sys::write_all(plain, bytes);
  }
  return plain;
}

}  // namespace

Fd open_input(const std::string& path) {
  if (path != "-") return sys::open(path, O_RDONLY);
  const long copy = raw::call(SYS_fcntl, STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (raw::failed(copy)) throw Error::from_errno("fcntl", "standard input, F_DUPFD_CLOEXEC", raw::error_of(copy));
  return Fd(static_cast<int>(copy));
}

std::string Bundle::read(const std::string& name) {
  const std::string resolved = resolve(name);
  return read(std::set<std::string>{resolved}).at(resolved);
}

std::unique_ptr<Bundle> open_bundle(Fd file, std::string where) {
  return std::make_unique<TarBundle>(std::move(file), std::move(where));
}

std::unique_ptr<Bundle> open_bundle(const std::string& path, const std::string& scratch, const Limits& limits) {
  const bool standard_input = path == "-";
  const std::string where = standard_input ? "standard input" : "'" + path + "'";
  Fd input = open_input(path);
  if (S_ISDIR(sys::fstat(input).st_mode)) return std::make_unique<DirectoryBundle>(std::move(input), where);
  if (!seekable_tar(input)) input = spooled(input, where, scratch, limits);
  return open_bundle(std::move(input), where);
}

}  // namespace drydock::image
