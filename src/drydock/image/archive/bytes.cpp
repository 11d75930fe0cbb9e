#include <drydock/image/archive/bytes.hpp>

#include <archive.h>
#include <archive_entry.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

FileSource::FileSource(const Fd& file) : file_(file), buffer_(512 * 1024) {}

std::string_view FileSource::next() {
  return {buffer_.data(), sys::read(file_, buffer_.data(), buffer_.size())};
}

std::string_view WatchedSource::next() {
  const std::string_view chunk = inner_.next();
  if (!chunk.empty()) watch_(chunk);
  return chunk;
}

namespace {

Compression sniff(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1f\x8b"sv)) return Compression::gzip;
  if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
  if (head.starts_with("BZh"sv)) return Compression::bzip2;
  if (head.starts_with("\xfd"
                       "7zXZ\0"sv))
    return Compression::xz;
  return Compression::none;
}

}  // namespace

SniffedSource::SniffedSource(ByteSource& inner) : inner_(inner) {
  while (head_.size() < 8) {  // a pipe may give a single byte at first
    const std::string_view chunk = inner_.next();
    if (chunk.empty()) break;
    head_ += chunk;
  }
  compression_ = sniff(head_);
}

std::string_view SniffedSource::next() {
  if (!std::exchange(head_given_, true) && !head_.empty()) return head_;
  return inner_.next();
}

void FreeArchiveReader::operator()(archive* reader) const {
  archive_read_free(reader);
}

Inflater::Inflater(ByteSource& inner, Compression compression, std::string what)
    : inner_(inner), what_(std::move(what)), reader_(archive_read_new()) {
  switch (compression) {
    case Compression::none:
      break;
    case Compression::gzip:
      archive_read_support_filter_gzip(reader_.get());
      break;
    case Compression::zstd:
      archive_read_support_filter_zstd(reader_.get());
      break;
    case Compression::bzip2:
      archive_read_support_filter_bzip2(reader_.get());
      break;
    case Compression::xz:
      archive_read_support_filter_xz(reader_.get());
      break;
  }
  archive_read_support_format_raw(reader_.get());
  archive_read_support_format_empty(reader_.get());
}

Inflater::~Inflater() = default;

// Called from C: an exception must not pass through, so it waits in `failure_`.
long Inflater::feed(archive*, void* self, const void** bytes) {
  auto& inflater = *static_cast<Inflater*>(self);
  try {
    const std::string_view chunk = inflater.inner_.next();
    *bytes = chunk.data();
    return static_cast<long>(chunk.size());
  } catch (...) {
    inflater.failure_ = std::current_exception();
    return ARCHIVE_FATAL;
  }
}

std::string_view Inflater::next() {
  if (ended_) return {};
  const auto failed = [&] {
    if (failure_) std::rethrow_exception(failure_);
    const char* reason = archive_error_string(reader_.get());
    throw Error::refused(what_, std::string("it is truncated or damaged: ") + (reason != nullptr ? reason : "unknown reason"),
                         "copy or save the image again");
  };
  if (archive_file_count(reader_.get()) == 0) {
    archive_entry* entry = nullptr;
    int result = archive_read_open(reader_.get(), this, nullptr, feed, nullptr);
    if (result == ARCHIVE_OK) result = archive_read_next_header(reader_.get(), &entry);
    if (result == ARCHIVE_EOF)
      ended_ = true;
    else if (result < ARCHIVE_WARN)
      failed();
    if (ended_) return {};
  }
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  do {
    const int result = archive_read_data_block(reader_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) {
      ended_ = true;
      return {};
    }
    if (result < ARCHIVE_WARN) failed();
  } while (size == 0);
  return {static_cast<const char*>(data), size};
}

ThreadedSource::ThreadedSource(ByteSource& inner) : inner_(inner), thread_([this] { produce(); }) {}

ThreadedSource::~ThreadedSource() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

// Hands `chunk` over and gets an empty one with memory back. False when the reader has gone.
bool ThreadedSource::put(std::string& chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return cancelled_ || full_.size() < depth; });
  if (cancelled_) return false;
  full_.push_back(std::move(chunk));
  chunk.clear();
  if (!spare_.empty()) {
    chunk = std::move(spare_.back());
    spare_.pop_back();
  }
  lock.unlock();
  changed_.notify_all();
  return true;
}

void ThreadedSource::produce() {
  try {
    std::string chunk;
    chunk.reserve(chunk_size);
    for (std::string_view bytes = inner_.next(); !bytes.empty(); bytes = inner_.next()) {
      chunk += bytes;
      if (chunk.size() < chunk_size) continue;
      if (!put(chunk)) return;
      chunk.clear();
      chunk.reserve(chunk_size);
    }
    if (!chunk.empty() && !put(chunk)) return;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

std::string_view ThreadedSource::next() {
  std::unique_lock lock(mutex_);
  if (current_.capacity() != 0 && spare_.size() < depth) spare_.push_back(std::move(current_));
  current_.clear();
  changed_.wait(lock, [&] { return ended_ || !full_.empty(); });
  if (full_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }
  current_ = std::move(full_.front());
  full_.erase(full_.begin());
  lock.unlock();
  changed_.notify_all();
  return current_;
}

void drain(ByteSource& source) {
  while (!source.next().empty()) {
  }
}

std::string read_all(ByteSource& source, std::uint64_t limit, const std::string& what) {
  std::string content;
  for (std::string_view chunk = source.next(); !chunk.empty(); chunk = source.next()) {
    if (content.size() + chunk.size() > limit)
      throw Error::refused(what, "it is larger than " + std::to_string(limit) + " bytes", "this is no image archive");
    content += chunk;
  }
  return content;
}

}  // namespace drydock::image
