#include "buffers.hpp"

#include <linux/if_ether.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "machine.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

constexpr const char* tracefs = "/mnt";  // in a mount namespace of our own
constexpr std::size_t page = 4096, data_pages = 16;

struct Event {
  std::uint64_t time, buffer;
  std::string words;
};

// What the kernel says about the records of one trace point.
class Format {
 public:
  explicit Format(const std::string& name)
      : directory_(std::string(tracefs) + "/events/net/" + name), text_(sys::read_file(directory_ + "/format")) {}
  std::uint64_t id() const { return std::stoull(sys::read_file(directory_ + "/id")); }
  std::size_t offset(const std::string& field) const {
    const std::size_t at = text_.find(" " + field + ";\toffset:");
    if (at == std::string::npos) throw Error::refused("trace point " + directory_, "it has no field " + field);
    return std::stoul(text_.substr(text_.find("offset:", at) + 7));
  }

 private:
  std::string directory_, text_;
};

// The records of one trace point that this process comes by.
class Recorder {
 public:
  explicit Recorder(const std::string& name) : format_(name) {
    perf_event_attr wanted{};
    wanted.size = sizeof wanted;
    wanted.type = PERF_TYPE_TRACEPOINT;
    wanted.config = format_.id();
    wanted.sample_period = 1;
    wanted.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
    const long made = raw::call(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (raw::failed(made)) throw Error::from_errno("perf_event_open", "net:" + name, raw::error_of(made));
    fd_ = Fd(static_cast<int>(made));
    void* mapped = ::mmap(nullptr, (1 + data_pages) * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (mapped == MAP_FAILED) throw Error::refused("mmap of net:" + name, "the kernel refuses");
    ring_ = static_cast<const char*>(mapped);
  }
  ~Recorder() { ::munmap(const_cast<char*>(ring_), (1 + data_pages) * page); }
  Recorder(const Recorder&) = delete;

  // Records of packets with this `size`; `what` is said of each, and the link's name.
  std::vector<Event> events(std::uint32_t size, const std::string& what) const {
    std::vector<Event> found;
    const auto& control = *reinterpret_cast<const perf_event_mmap_page*>(ring_);
    const char* data = ring_ + page;
    for (std::uint64_t at = 0; at < control.data_head;) {
      perf_event_header head{};
      std::memcpy(&head, data + at, sizeof head);
      if (head.type == PERF_RECORD_SAMPLE) {
        std::uint64_t time = 0;
        std::memcpy(&time, data + at + sizeof head, sizeof time);
        const char* record = data + at + sizeof head + sizeof time + sizeof(std::uint32_t);
        if (field<std::uint32_t>(record, "len") == size)
          found.push_back({time, field<std::uint64_t>(record, "skbaddr"), what + link_of(record)});
      }
      at += head.size;
    }
    return found;
  }

 private:
  template <typename Value>
  Value field(const char* record, const std::string& name) const {
    Value value{};
    std::memcpy(&value, record + format_.offset(name), sizeof value);
    return value;
  }
  // A string field holds the place of its text: the low half is the offset in the record.
  std::string link_of(const char* record) const { return record + (field<std::uint32_t>(record, "name") & 0xffff); }

  Format format_;
  Fd fd_;
  const char* ring_ = nullptr;
};

}  // namespace

std::string path_of_buffers(const std::function<void()>& act, std::uint32_t size) {
  mount_for_itself("tracefs", tracefs);
  const Recorder sent("net_dev_start_xmit"), received("netif_rx");
  act();
  std::vector<Event> all = sent.events(size + ETH_HLEN, " sent by ");
  for (Event& event : received.events(size, " received by ")) all.push_back(std::move(event));
  std::sort(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
  std::vector<std::uint64_t> buffers;
  std::string words;
  for (const Event& event : all) {
    auto known = std::find(buffers.begin(), buffers.end(), event.buffer);
    if (known == buffers.end()) known = buffers.insert(buffers.end(), event.buffer);
    words += (words.empty() ? "" : ", ") + std::string(1, static_cast<char>('A' + (known - buffers.begin()))) + event.words;
  }
  return words.empty() ? "nothing seen" : words;
}

Need trace_points() {
  Need both = needs::readable("/sys/kernel/tracing");
  both.missing = [root = needs::root(), there = both] {
    const std::string lacks = root.missing();
    return lacks.empty() ? there.missing() : lacks;
  };
  both.name = "root, trace points";
  return both;
}

}  // namespace drydock::chapter::veth_bridge
