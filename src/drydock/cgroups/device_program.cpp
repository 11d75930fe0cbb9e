#include <drydock/cgroups/device_program.hpp>

#include <linux/bpf.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <drydock/kernel/error.hpp>

namespace drydock::cgroups {

namespace {

using Number = std::optional<std::uint32_t>;  // empty: any

struct Rule {
  int type = 0, access = 0;  // BPF_DEVCG_DEV_*, BPF_DEVCG_ACC_*
  Number major, minor;
};

constexpr int every_access = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

[[noreturn]] void refuse(std::string_view text) {
  throw Error::refused("device rule '" + std::string(text) + "'", "it is not of the form 'c 1:3 rwm'", "type c or b, numbers or *, access of r, w, m");
}

Number number(std::string_view word, std::string_view rule) {
  if (word == "*") return std::nullopt;
  std::uint32_t value = 0;
  if (const auto end = std::from_chars(word.data(), word.data() + word.size(), value); end.ec != std::errc() || end.ptr != word.data() + word.size())
    refuse(rule);
  return value;
}

Rule parse(std::string_view text) {
  const std::size_t colon = text.find(':'), space = text.rfind(' ');
  if (text.size() < 7 || text[1] != ' ' || colon == std::string_view::npos || space < colon) refuse(text);
  Rule rule;
  if (text[0] == 'c') rule.type = BPF_DEVCG_DEV_CHAR;
  else if (text[0] == 'b') rule.type = BPF_DEVCG_DEV_BLOCK;
  else refuse(text);
  rule.major = number(text.substr(2, colon - 2), text);
  rule.minor = number(text.substr(colon + 1, space - colon - 1), text);
  for (const char letter : text.substr(space + 1)) {
    if (letter == 'm') rule.access |= BPF_DEVCG_ACC_MKNOD;
    else if (letter == 'r') rule.access |= BPF_DEVCG_ACC_READ;
    else if (letter == 'w') rule.access |= BPF_DEVCG_ACC_WRITE;
    else refuse(text);
  }
  return rule;
}

bpf_insn instruction(int code, int destination, int source, int offset, std::int32_t value) {
  bpf_insn one{};
  one.code = static_cast<__u8>(code);
  one.dst_reg = static_cast<__u8>(destination & 15);
  one.src_reg = static_cast<__u8>(source & 15);
  one.off = static_cast<__s16>(offset);
  one.imm = value;
  return one;
}

// Registers: 0 the answer, 1 the context, then what was asked for.
enum Register { answer, context, type, access, major_number, minor_number };

class Program {
 public:
  Program() {
    load(type, offsetof(bpf_cgroup_dev_ctx, access_type));  // the access stands above the type
    add(BPF_ALU64 | BPF_MOV | BPF_X, access, type, 0, 0);
    add(BPF_ALU64 | BPF_AND | BPF_K, type, 0, 0, 0xffff);
    add(BPF_ALU64 | BPF_RSH | BPF_K, access, 0, 0, 16);
    load(major_number, offsetof(bpf_cgroup_dev_ctx, major));
    load(minor_number, offsetof(bpf_cgroup_dev_ctx, minor));
  }

  void allow(const Rule& rule) {
    std::vector<std::size_t> leave;  // jumps to the next rule
    const auto unless_equal = [&](int reg, std::uint32_t value) {
      leave.push_back(code_.size());
      add(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, static_cast<std::int32_t>(value));
    };
    unless_equal(type, static_cast<std::uint32_t>(rule.type));
    if (rule.access != every_access) {
      add(BPF_ALU64 | BPF_MOV | BPF_X, answer, access, 0, 0);
      add(BPF_ALU64 | BPF_AND | BPF_K, answer, 0, 0, every_access & ~rule.access);
      unless_equal(answer, 0);
    }
    if (rule.major) unless_equal(major_number, *rule.major);
    if (rule.minor) unless_equal(minor_number, *rule.minor);
    end(1);
    for (const std::size_t jump : leave) code_[jump].off = static_cast<__s16>(code_.size() - jump - 1);
  }

  void end(int value) {
    add(BPF_ALU64 | BPF_MOV | BPF_K, answer, 0, 0, value);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  std::string bytes() const { return {reinterpret_cast<const char*>(code_.data()), code_.size() * sizeof(bpf_insn)}; }

 private:
  void add(int code, int destination, int source, int offset, std::int32_t value) {
    code_.push_back(instruction(code, destination, source, offset, value));
  }
  void load(int reg, std::size_t offset) { add(BPF_LDX | BPF_MEM | BPF_W, reg, context, static_cast<int>(offset), 0); }

  std::vector<bpf_insn> code_;
};

}  // namespace

std::string device_program(std::span<const std::string_view> rules) {
  Program program;
  for (const std::string_view rule : rules) program.allow(parse(rule));
  program.end(0);
  return program.bytes();
}

}  // namespace drydock::cgroups
