#include <drydock/network/pool_file.hpp>

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::network {

using plan::executor::Liveness;

Fd any_socket() {
  const long fd = raw::call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (raw::failed(fd)) throw Error::from_errno("socket", "AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC", raw::error_of(fd));
  return Fd(static_cast<int>(fd));
}

PoolFile::PoolFile(const std::string& path, bool create) : path_(path) {
  const long fd = plan::executor::lock_pool(path.c_str(), create);
  if (fd == -ENOENT && !create) return;
  if (raw::failed(fd)) throw Error::from_errno("open", "\"" + path + "\"", raw::error_of(fd));
  fd_ = Fd(static_cast<int>(fd));
  socket_ = any_socket();
  load();
}

void PoolFile::load() {
  const auto size = static_cast<std::size_t>(sys::fstat(fd_).st_size);
  read(&header_, sizeof header_, 0);
  fresh_ = size < sizeof header_ ||
           !std::equal(std::begin(header_.magic), std::end(header_.magic), std::begin(plan::executor::pool_magic));
  if (fresh_) {
    sys::ftruncate(fd_, 0);
    header_ = Header{};
    return;
  }
  records_.resize((size - sizeof header_) / sizeof(Record));
  read(records_.data(), records_.size() * sizeof(Record), sizeof header_);
}

Liveness PoolFile::life(const Record& record, const std::string& ledgers) const {
  return plan::executor::liveness(record, ledgers.c_str(), socket_.get());
}

bool PoolFile::idle(const std::string& ledgers) const {
  return std::none_of(records_.begin(), records_.end(),
                      [&](const Record& record) { return life(record, ledgers) != Liveness::free; });
}

void PoolFile::save_header() {
  write(&header_, sizeof header_, 0);
}

void PoolFile::save_record(std::size_t index) {
  write(&records_[index], sizeof(Record), sizeof header_ + index * sizeof(Record));
}

// A short file reads as zeros.
void PoolFile::read(void* data, std::size_t size, std::size_t offset) {
  if (size == 0) return;
  const long result = raw::call(SYS_pread64, fd_.get(), data, size, offset);
  if (raw::failed(result)) throw Error::from_errno("pread", "\"" + path_ + "\"", raw::error_of(result));
}

void PoolFile::write(const void* data, std::size_t size, std::size_t offset) {
  const long result = raw::call(SYS_pwrite64, fd_.get(), data, size, offset);
  if (result == static_cast<long>(size)) return;
  throw Error::from_errno("pwrite", "\"" + path_ + "\"", raw::failed(result) ? raw::error_of(result) : ENOSPC);
}

}  // namespace drydock::network
