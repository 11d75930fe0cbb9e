// Option values of `drydock run` turned into the fields of a Spec: pure functions, one per form of value.
//
// The command line, Python and tests share them. Each one either returns exactly what was meant or throws an Error that names the
// option, the value, and what is accepted; nothing is guessed, and no short form means something else (CVE-2026-30892).
//
// Example: spec.limits.memory = parse_memory("64m");
//          spec.mounts.push_back(parse_volume("/srv/www:/www:ro", "/home/me"));
// Errors: Error::refused in every case. Source: docker-run(1) for the forms.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/container/spec.hpp>

namespace drydock::container {

// Looks up a variable of the caller's environment, for `-e NAME` without a value.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

// --- numbers and sizes ----------------------------------------------------------------------------------------------------
// A whole number in decimal digits, between `least` and `most`. `option` is named in the error: "--pids-limit".
std::uint64_t parse_number(std::string_view option, std::string_view text, std::uint64_t least, std::uint64_t most);
// Bytes: "4096", "512k", "64m", "1.5g", "2t", also "64mb" and "64MiB"; units are powers of 1024.
std::uint64_t parse_size(std::string_view option, std::string_view text);
// "64 MiB", "1.5 GiB", "100 bytes": the inverse for messages.
std::string size_words(std::uint64_t bytes);

// --- limits ---------------------------------------------------------------------------------------------------------------
inline constexpr std::uint64_t minimum_memory = 6u << 20;  // a container cannot start in less; Docker's minimum too
std::uint64_t parse_memory(std::string_view text);
// Bytes of memory plus swap; "-1" is unlimited.
std::int64_t parse_memory_swap(std::string_view text);
std::uint64_t parse_cpu_shares(std::string_view text);    // 2..262144
double parse_cpus(std::string_view text);                 // "0.5", "2": 0.01 and more
std::string parse_cpuset(std::string_view text);          // "0-2,4", returned as given
std::int64_t parse_pids_limit(std::string_view text);     // -1 and 0 are unlimited (-1)
std::uint64_t parse_blkio_weight(std::string_view text);  // 10..1000
// "/dev/vda:1mb" in bytes per second, "/dev/vda:100" in operations per second.
cgroups::DeviceRate parse_device_bytes(std::string_view option, std::string_view text);
cgroups::DeviceRate parse_device_operations(std::string_view option, std::string_view text);
UlimitSpec parse_ulimit(std::string_view text);  // "nofile=1024", "nofile=1024:2048"; "unlimited" or -1

// --- files ----------------------------------------------------------------------------------------------------------------
// "SOURCE:TARGET[:OPTIONS]", "NAME:TARGET", "TARGET" (an anonymous volume). A SOURCE that begins with "." is taken from
// `directory`, the caller's working directory. OPTIONS: ro, rw, and a propagation.
MountSpec parse_volume(std::string_view text, std::string_view directory);
// "type=bind,source=/a,target=/b,readonly,bind-propagation=rslave", "type=volume,...", "type=tmpfs,target=/t,tmpfs-size=64m".
MountSpec parse_mount(std::string_view text);
// "/run" or "/run:size=64m,mode=1777".
MountSpec parse_tmpfs(std::string_view text);

// --- network --------------------------------------------------------------------------------------------------------------
// bridge, none, host, container:NAME; sets mode and peer.
void parse_network(std::string_view text, NetworkSpec& network);
// "80", "8080:80", "127.0.0.1:8080:80/udp", "[::1]:8080:80", "8000-8002:80-82"; one PortSpec per port.
std::vector<PortSpec> parse_ports(std::string_view text);
network::HostEntry parse_add_host(std::string_view text);  // "db:10.0.0.2", "db:::1", "db=10.0.0.2"
std::string parse_dns(std::string_view text);              // an IPv4 or IPv6 address
std::string parse_ip(std::string_view text);               // an IPv4 address

// --- who and what ---------------------------------------------------------------------------------------------------------
// "NAME=value" as given; "NAME" takes the caller's value, and is empty when there is none.
std::optional<std::string> parse_env(std::string_view text, const Environment& environment);
// One variable a line, '#' comments, no quoting. `name` is the file, for messages.
std::vector<std::string> parse_env_file(std::string_view contents, const std::string& name, const Environment& environment);
std::string parse_user(std::string_view text);      // "1", "1:2", "www-data", "www-data:adm"
std::string parse_name(std::string_view text);      // [a-zA-Z0-9][a-zA-Z0-9_.-]+
std::string parse_hostname(std::string_view text);  // at most 64 bytes (sethostname(2)), labels of letters, digits and '-'
std::string parse_directory(std::string_view option, std::string_view text);   // absolute
std::string parse_capability(std::string_view option, std::string_view text);  // "NET_ADMIN"; "ALL"
void parse_security_opt(std::string_view text, SecuritySpec& security);
// "host", "auto", or a map "INSIDE:OUTSIDE:COUNT[,...]" for uids and gids alike.
UserNamespaceSpec parse_userns(std::string_view text);

// What only shows when all options are known: --memory-swap below -m, -p with --network none, two mounts on one target, ...
void check(const Spec& spec);

}  // namespace drydock::container
