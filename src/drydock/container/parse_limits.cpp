#include <drydock/container/parse.hpp>

#include <charconv>
#include <cmath>
#include <limits>

#include <drydock/container/parse_values.hpp>
#include <drydock/kernel/symbols.hpp>

namespace drydock::container {

namespace {

constexpr std::string_view size_form = "give a number of bytes, or one with a unit: 512k, 64m, 1.5g (powers of 1024)";

// The whole of `text` as a number without sign, spaces or prefix; empty when it is anything else, or too large.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Digits with at most one point; from_chars alone would accept "inf", "nan" and "1e9".
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The power of 1024 of a unit, -1 when it is none.
int unit_power(const std::string& unit) {
  if (unit.empty() || unit == "b") return 0;
  static constexpr std::string_view letters = "kmgtp";
  const std::size_t at = letters.find(unit[0]);
  const std::string_view rest = std::string_view(unit).substr(1);
  return at != std::string_view::npos && (rest.empty() || rest == "b" || rest == "ib") ? static_cast<int>(at) + 1 : -1;
}

std::pair<std::string, std::string_view> device_and_rate(std::string_view option, std::string_view text, const char* example) {
  const std::size_t colon = text.rfind(':');
  const std::string remedy = std::string("write DEVICE:RATE, for example ") + example;
  if (colon == std::string_view::npos || colon == 0) throw bad_value(option, text, "a device and a rate are wanted", remedy);
  const std::string_view device = text.substr(0, colon);
  const auto numbers = split(device, ':');
  const bool by_number = numbers.size() == 2 && whole_number(numbers[0]) && whole_number(numbers[1]);
  if (device[0] != '/' && !by_number)
    throw bad_value(option, text, "the device must be a path or MAJOR:MINOR", remedy + "; 'lsblk' lists the devices");
  return {std::string(device), text.substr(colon + 1)};
}

}  // namespace

std::uint64_t parse_number(std::string_view option, std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto value = whole_number(text);
  const std::string range = "give a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value) throw bad_value(option, text, "that is no whole number", range);
  if (*value < least || *value > most) throw bad_value(option, text, "the number is out of range", range);
  return *value;
}

std::uint64_t parse_size(std::string_view option, std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const auto number = decimal(text.substr(0, digits));
  const int power = digits == std::string_view::npos ? 0 : unit_power(lower(text.substr(digits)));
  if (!number || power < 0) throw bad_value(option, text, "that is no size", std::string(size_form));
  const double bytes = *number * std::pow(1024.0, power);
  if (bytes > 9.0e18) throw bad_value(option, text, "that is more than any machine has", std::string(size_form));
  // Whole numbers keep every digit; only a fraction goes through floating point.
  const auto whole = whole_number(text.substr(0, digits));
  return whole ? *whole << (10 * power) : static_cast<std::uint64_t>(bytes);
}

std::string size_words(std::uint64_t bytes) {
  static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
  std::string text = std::to_string(std::round(value * 10) / 10);
  text.resize(text.find('.') + 2);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + " " + (bytes == 1 ? "byte" : units[unit]);
}

std::uint64_t parse_memory(std::string_view text) {
  const std::uint64_t bytes = parse_size("-m/--memory", text);
  if (bytes < minimum_memory)
    throw bad_value("-m/--memory", text, "less than 6 MiB is not enough for a program to start", "give 6m or more");
  return bytes;
}

std::int64_t parse_memory_swap(std::string_view text) {
  if (text == "-1") return -1;
  const std::uint64_t bytes = parse_size("--memory-swap", text);
  if (bytes == 0)
    throw bad_value("--memory-swap", text, "0 has no meaning here",
                    "give memory plus swap (128m), -1 for no limit, or leave it out");
  return static_cast<std::int64_t>(bytes);
}

std::uint64_t parse_cpu_shares(std::string_view text) {
  if (!whole_number(text))
    throw bad_value(
        "-c/--cpu-shares", text, "that is no whole number",
        "give a weight from 2 to 262144 (1024 is usual); a command goes behind the image: drydock run IMAGE sh -c '...'");
  return parse_number("-c/--cpu-shares", text, 2, 262144);
}

double parse_cpus(std::string_view text) {
  const auto value = decimal(text);
  if (!value || *value < 0.01 || *value > 8192)
    throw bad_value("--cpus", text, "that is no number of processors",
                    "give a number from 0.01 on: 0.5 is half a processor, 2 are two");
  return *value;
}

std::string parse_cpuset(std::string_view text) {
  for (const std::string_view part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const auto first = whole_number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : whole_number(part.substr(dash + 1));
    if (!first || !last || *first > *last || *last > 8191)
      throw bad_value("--cpuset-cpus", text, "that is no list of processors",
                      "give numbers and ranges: 0, 0-2, 0,2-3 ('nproc' says how many)");
  }
  return std::string(text);
}

std::int64_t parse_pids_limit(std::string_view text) {
  if (text == "-1" || text == "0") return -1;
  return static_cast<std::int64_t>(parse_number("--pids-limit", text, 1, 4194304));  // the kernel's PID_MAX_LIMIT
}

std::uint64_t parse_blkio_weight(std::string_view text) {
  return parse_number("--blkio-weight", text, 10, 1000);
}

cgroups::DeviceRate parse_device_bytes(std::string_view option, std::string_view text) {
  const auto [device, rate] = device_and_rate(option, text, "/dev/vda:1mb");
  const std::uint64_t bytes = parse_size(option, rate);
  if (bytes == 0) throw bad_value(option, text, "a rate of 0 would mean no limit", "leave the option out");
  return {device, bytes};
}

cgroups::DeviceRate parse_device_operations(std::string_view option, std::string_view text) {
  const auto [device, rate] = device_and_rate(option, text, "/dev/vda:100");
  return {device, parse_number(option, rate, 1, std::numeric_limits<std::uint32_t>::max())};
}

UlimitSpec parse_ulimit(std::string_view text) {
  const std::string remedy = "write NAME=SOFT or NAME=SOFT:HARD, for example nofile=1024:2048";
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) throw bad_value("--ulimit", text, "the value is missing", remedy);
  const auto resource = symbols::resource_number(text.substr(0, equals));
  if (!resource)
    throw bad_value(
        "--ulimit", text, "there is no limit of that name",
        "names are: as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack");
  const auto values = split(text.substr(equals + 1), ':');
  const auto one = [&](std::string_view value) -> std::uint64_t {
    if (value == "unlimited" || value == "-1") return std::numeric_limits<std::uint64_t>::max();  // RLIM_INFINITY
    const auto number = whole_number(value);
    if (!number) throw bad_value("--ulimit", text, "'" + std::string(value) + "' is neither a number nor unlimited", remedy);
    return *number;
  };
  if (values.size() > 2) throw bad_value("--ulimit", text, "there are more than two values", remedy);
  const UlimitSpec limit{*resource, one(values[0]), one(values.back())};
  if (limit.soft > limit.hard)
    throw bad_value("--ulimit", text, "the soft limit is above the hard limit", "exchange the two numbers");
  return limit;
}

}  // namespace drydock::container
