#include <drydock/network/pool.hpp>

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/messages.hpp>
#include <drydock/network/nat.hpp>
#include <drydock/network/pool_file.hpp>
#include <drydock/plan/executor/shared_network.hpp>

namespace drydock::network {

namespace {

using plan::executor::LeaseRecord;
using plan::executor::Liveness;
using plan::executor::PoolHeader;

// Dead leases looked for with each new one: the file stays about as long as there are containers, and a lease stays cheap.
constexpr std::uint32_t sweep_length = 4;
// A link goes some 20 ms after the container it belonged to.
constexpr int poll_ms = 5, longest_wait_ms = 2000;
constexpr const char* ip_forward = "/proc/sys/net/ipv4/ip_forward";

void put(char* field, std::size_t capacity, const std::string& text, const char* what) {
  if (text.size() >= capacity) throw Error::refused(std::string(what) + " '" + text + "'", "longer than a pool record holds");
  std::fill_n(field, capacity, '\0');
  text.copy(field, text.size());
}

void begin_pool(PoolFile& file, const BridgeConfig& config) {
  PoolHeader& header = file.header();
  std::copy(std::begin(plan::executor::pool_magic), std::end(plan::executor::pool_magic), header.magic);
  header.subnet = config.subnet.base;
  header.prefix = static_cast<std::uint32_t>(config.subnet.prefix);
  header.cursor = 2;
  put(header.bridge, sizeof header.bridge, config.name, "bridge name");
  const Mac mac = config.mac();
  std::copy(mac.bytes.begin(), mac.bytes.end(), header.bridge_mac);
  header.ip_forward_before = -1;
  if (const auto text = sys::read_file_if_present(ip_forward); text && !text->empty())
    header.ip_forward_before = text->front() - '0';
}

BridgeConfig config_of(const PoolHeader& header) {
  BridgeConfig config;
  config.name = std::string(header.bridge, ::strnlen(header.bridge, sizeof header.bridge));
  config.subnet = Subnet{header.subnet, static_cast<int>(header.prefix)};
  return config;
}

void check_pool(PoolFile& file, const BridgeConfig& config, const std::string& ledgers) {
  if (file.fresh()) return begin_pool(file, config);
  const BridgeConfig there = config_of(file.header());
  if (there.subnet == config.subnet && there.name == config.name) return;
  const std::string object = "network " + config.subnet.text() + " on " + config.name;
  const std::string other = there.subnet.text() + " on " + there.name;
  if (!file.idle(ledgers))
    throw Error::refused(object, "containers of the network " + other + " still run on this host",
                         "end them first ('drydock ps'), or use their network");
  // The other bridge must not stay behind, and the record of ip_forward must not get lost: first it goes, then ours comes.
  throw Error::refused(object, "the network " + other + " has not been taken down yet",
                       "try again in a moment, or 'drydock reset'");
}

void drop_dead(PoolFile& file, std::size_t index, const std::string& ledgers) {
  LeaseRecord& record = file.records()[index];
  if (record.state == plan::executor::lease_free || file.life(record, ledgers) != Liveness::free) return;
  record = LeaseRecord{};
  file.save_record(index);
}

void sweep(PoolFile& file, const std::string& ledgers) {
  const auto count = static_cast<std::uint32_t>(file.records().size());
  for (std::uint32_t i = 0; i < std::min(sweep_length, count); ++i) {
    file.header().sweep = (file.header().sweep + 1) % count;
    drop_dead(file, file.header().sweep, ledgers);
  }
}

// The next free address at or after the cursor; empty when all are leased.
std::optional<Ipv4> next_free(std::uint32_t cursor, const std::vector<LeaseRecord>& records, const Subnet& subnet) {
  const auto hosts = static_cast<std::uint32_t>(subnet.size());
  std::vector<bool> taken(hosts);
  for (const LeaseRecord& record : records)
    if (record.state != plan::executor::lease_free) taken[(record.address - subnet.base) % hosts] = true;
  // Host 0 is the network, 1 the gateway, the last one broadcast.
  for (std::uint32_t tried = 0, host = cursor; tried < hosts; ++tried, ++host) {
    if (host < 2 || host >= hosts - 1) host = 2;
    if (!taken[host]) return subnet.address(host);
  }
  return std::nullopt;
}

std::uint64_t own_start_time() {
  return sys::start_time(sys::getpid()).value_or(0);
}

void write_lease(PoolFile& file, Ipv4 address, const std::string& id, const std::string& link) {
  LeaseRecord record{};
  record.state = plan::executor::lease_held;
  record.address = address.value;
  record.pid = sys::getpid();
  record.start_time = own_start_time();
  put(record.link, sizeof record.link, link, "link");
  put(record.id, sizeof record.id, id, "container id");
  auto& records = file.records();
  const auto free =
      std::find_if(records.begin(), records.end(), [](const LeaseRecord& r) { return r.state == plan::executor::lease_free; });
  const auto index = static_cast<std::size_t>(free - records.begin());
  if (free == records.end())
    records.push_back(record);
  else
    *free = record;
  file.save_record(index);
}

// Frees the wanted address when its lease is dead; throws when it is alive or no container may have it.
void check_wanted(PoolFile& file, Ipv4 wanted, const BridgeConfig& config, const std::string& ledgers) {
  const std::string object = "address " + wanted.text();
  const Subnet& subnet = config.subnet;
  if (!subnet.contains(wanted))
    throw Error::refused(object, "it is not in the subnet " + subnet.text() + " of " + config.name, "choose another with --ip");
  if (wanted == config.gateway() || wanted == subnet.address(0) || wanted.value == subnet.base + subnet.size() - 1)
    throw Error::refused(object, "it belongs to the network itself (network, gateway or broadcast)", "choose another with --ip");
  for (std::size_t i = 0; i < file.records().size(); ++i) {
    const LeaseRecord& record = file.records()[i];
    if (record.state == plan::executor::lease_free || record.address != wanted.value) continue;
    drop_dead(file, i, ledgers);
    if (file.records()[i].state != plan::executor::lease_free)
      throw Error::refused(object, "container " + std::string(file.records()[i].id).substr(0, 12) + " has it",
                           "choose another with --ip, or end that container");
  }
}

// The address of a container that has just ended is held by nothing but a link that the kernel is about to remove.
void wait_for_link(const std::string& path, Ipv4 wanted, const std::string& ledgers) {
  for (int waited_ms = 0; waited_ms < longest_wait_ms; waited_ms += poll_ms) {
    {
      PoolFile file(path, false);
      const auto dying = [&](const LeaseRecord& record) {
        return record.state != plan::executor::lease_free && record.address == wanted.value && file.life(record, ledgers) == Liveness::dying;
      };
      if (!file.exists() || std::none_of(file.records().begin(), file.records().end(), dying)) return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
  }
}

Ipv4 choose(PoolFile& file, const BridgeConfig& config, const std::string& ledgers) {
  auto found = next_free(file.header().cursor, file.records(), config.subnet);
  if (!found) {
    for (std::size_t i = 0; i < file.records().size(); ++i) drop_dead(file, i, ledgers);
    found = next_free(file.header().cursor, file.records(), config.subnet);
  }
  if (!found)
    throw Error::refused("subnet " + config.subnet.text() + " of " + config.name,
                         "all of its " + std::to_string(config.subnet.size() - 3) + " addresses are in use",
                         "end some containers ('drydock ps'), or use a larger subnet");
  file.header().cursor = found->value - config.subnet.base + 1;
  return *found;
}

}  // namespace

std::string host_key() {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  const long result = raw::call(SYS_getsockopt, any_socket().get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
  if (!raw::failed(result)) return fmt::format("net-{:x}", cookie);
  // "net:[4026531840]"
  const std::string link = sys::readlink("/proc/self/ns/net");
  return "net-i" + link.substr(5, link.size() - 6);
}

Pool::Pool(const std::string& state, BridgeConfig config) : Pool(HostDirectory{state + "/" + host_key()}, std::move(config)) {}

Pool::Pool(HostDirectory directory, BridgeConfig config) : directory_(std::move(directory.path)), config_(std::move(config)) {}

Ipv4 Pool::lease(const std::string& id, const std::string& link, std::optional<Ipv4> wanted) {
  sys::mkdirs(directory_, 0700);
  if (wanted) wait_for_link(path(), *wanted, ledgers());
  PoolFile file(path(), true);
  check_pool(file, config_, ledgers());
  sweep(file, ledgers());
  if (wanted) check_wanted(file, *wanted, config_, ledgers());
  const Ipv4 address = wanted ? *wanted : choose(file, config_, ledgers());
  file.save_header();
  write_lease(file, address, id, link);
  return address;
}

void Pool::end(const std::string& id) {
  PoolFile file(path(), false);
  if (!file.exists()) return;
  for (std::size_t i = 0; i < file.records().size(); ++i) {
    LeaseRecord& record = file.records()[i];
    if (record.state != plan::executor::lease_held || id != record.id) continue;
    record.state = plan::executor::lease_ended;
    file.save_record(i);
  }
}

bool Pool::idle() const {
  PoolFile file(path(), false);
  return !file.exists() || file.idle(ledgers());
}

bool Pool::release_if_idle(int patience_ms) {
  BridgeConfig there = config_;  // what is to go is what the file says, whatever this caller would set up
  {
    PoolFile file(path(), false);
    if (!file.exists() || (patience_ms == 0 && !file.idle(ledgers()))) return false;
    if (!file.fresh()) there = config_of(file.header());
  }
  const plan::Bytes messages = teardown(there, {});
  const long result =
      plan::executor::release_network(path().c_str(), ledgers().c_str(), messages.data.data(), messages.data.size(), 0, patience_ms);
  if (raw::failed(result)) throw Error::from_errno("release_network", "\"" + path() + "\"", raw::error_of(result));
  return result == 1;
}

void Pool::wait_released(int patience_ms) const {
  const auto in_use = [&] {
    PoolFile file(path(), false);
    const auto kept = [&](const LeaseRecord& record) { return file.life(record, ledgers()) > Liveness::dying; };
    return std::any_of(file.records().begin(), file.records().end(), kept);
  };
  for (int waited = 0; waited < patience_ms && sys::exists(path()) && !in_use(); waited += poll_ms)
    std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
}

plan::Bytes teardown(const BridgeConfig& config, const std::string& id) {
  std::string blobs;
  const auto add = [&](std::uint32_t protocol, const std::string& data) {
    const plan::executor::TeardownBlob blob{protocol, static_cast<std::uint32_t>(data.size())};
    blobs.append(reinterpret_cast<const char*>(&blob), sizeof blob).append(data);
    blobs.resize((blobs.size() + 3) & ~std::size_t{3});
  };
  if (!id.empty()) add(plan::executor::teardown_own_id, id);
  add(NETLINK_NETFILTER, delete_nat_table().bytes.data);
  add(NETLINK_ROUTE, delete_link(config.name).bytes.data);
  return {blobs, "delete table ip drydock, link " + config.name};
}

}  // namespace drydock::network
