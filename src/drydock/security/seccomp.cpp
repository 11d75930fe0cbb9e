#include <drydock/security/seccomp.hpp>

#include <fcntl.h>
#include <seccomp.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstring>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/security/seccomp_compile.hpp>
#include <drydock/security/seccomp_policy.hpp>

namespace drydock::security {

namespace {

// To be raised when the default policy or the compiler changes: old entries are then never found again.
constexpr std::string_view generation = "1";
constexpr std::string_view magic = "DRYDOCK seccomp\n";

// FNV-1a; two start values give 128 bits. The cache belongs to the user who reads it: nobody else can plant a collision.
std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 17> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + 16, value, 16).ptr;
  std::string text(digits.data(), end);
  return std::string(16 - text.size(), '0') + text;
}

struct Header {
  char magic[16];
  char key[32];
  std::uint64_t size;
  std::uint64_t checksum;
};
static_assert(sizeof(Header) == 64);

constexpr std::uint64_t checksum_start = 0xcbf29ce484222325ULL;

std::string read_profile(const std::string& path) {
  try {
    const Fd file = sys::open(path, O_RDONLY | O_NOCTTY);
    if (!S_ISREG(sys::fstat(file).st_mode)) throw Error::refused("seccomp profile " + path, "it is not a regular file");
    return sys::read_all(file);
  } catch (const Error& error) {
    if (error.code() == 0) throw;
    throw Error::refused("seccomp profile " + path, errno_text(error.code()),
                         "give 'default', 'unconfined' or the path of a JSON file");
  }
}

std::string kernel_release() {
  return sys::read_file_if_present("/proc/sys/kernel/osrelease").value_or("");
}

// Everything the program depends on, as 32 hexadecimal digits.
std::string key_of(const std::string& profile_text, std::uint64_t capabilities, std::string_view kernel) {
  const std::string facts = std::string(generation) + "/" + std::to_string(SCMP_VER_MAJOR) + "." +
                            std::to_string(SCMP_VER_MINOR) + "." + std::to_string(SCMP_VER_MICRO) + "/" +
                            std::to_string(audit_architecture(Architecture::native)) + "/" + hexadecimal(capabilities) + "/" +
                            std::string(kernel) + "/" + profile_text;
  return hexadecimal(fnv1a(facts, checksum_start)) + hexadecimal(fnv1a(facts, 0x9ae16a3b2f90404fULL));
}

// Only a file that nobody but this user (or root) could have written.
std::optional<std::string> read_cached(const std::string& path, const std::string& key) {
  try {
    const Fd file = sys::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const struct stat info = sys::fstat(file);
    const bool ours = info.st_uid == sys::geteuid() || info.st_uid == 0;
    if (!S_ISREG(info.st_mode) || !ours || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 || info.st_size > 64 * 1024)
      return std::nullopt;
    return parse_cache_entry(key, sys::read_all(file));
  } catch (const Error&) {
    return std::nullopt;
  }
}

void keep(const std::string& directory, const std::string& path, const std::string& key, const std::string& program) {
  try {
    sys::mkdirs(directory, 0700);
    sys::replace_file(path, cache_entry(key, program), 0600);
  } catch (const Error&) {
    // A read-only or full disk costs the next start a millisecond, nothing else.
  }
}

}  // namespace

std::string cache_entry(std::string_view key, std::string_view program) {
  Header header{};
  std::memcpy(header.magic, magic.data(), sizeof header.magic);
  std::memcpy(header.key, key.data(), std::min(key.size(), sizeof header.key));
  header.size = program.size();
  header.checksum = fnv1a(program, checksum_start);
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(program);
}

std::optional<std::string> parse_cache_entry(std::string_view key, std::string_view file) {
  Header header{};
  if (file.size() <= sizeof header) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof header);
  const std::string_view program = file.substr(sizeof header);
  const bool right = std::string_view(header.magic, sizeof header.magic) == magic &&
                     std::string_view(header.key, sizeof header.key) == key && header.size == program.size() &&
                     program.size() % instruction_size == 0 && header.checksum == fnv1a(program, checksum_start);
  return right ? std::optional(std::string(program)) : std::nullopt;
}

SeccompProgram seccomp_program(const SeccompRequest& request, const std::string& cache_directory) {
  if (request.profile == "unconfined" || request.profile.empty()) return {};
  const bool built_in = request.profile == "default";
  const std::string text = built_in ? "" : read_profile(request.profile);
  // The default policy does not depend on the kernel, so its entry survives an update.
  const std::string kernel = built_in ? "" : kernel_release();
  const std::string key = key_of(text, request.capabilities, kernel);
  const std::string path = cache_directory + "/seccomp-" + key + ".bpf";
  if (!cache_directory.empty())
    if (auto program = read_cached(path, key)) return {std::move(*program), true};
  const Policy policy =
      built_in ? default_policy(request.capabilities) : policy_from_json(text, request.profile, request.capabilities, kernel);
  SeccompProgram program{compile(policy), false};
  if (!cache_directory.empty()) keep(cache_directory, path, key, program.bytes);
  return program;
}

plan::StepRef add_seccomp_step(plan::Plan& plan, plan::Lane lane, const SeccompProgram& program) {
  return plan.add(lane, "seccomp", plan::ops::seccomp_load(program.bytes))
      .why("a filter of " + std::to_string(program.instructions()) + " instructions decides about each system call");
}

}  // namespace drydock::security
