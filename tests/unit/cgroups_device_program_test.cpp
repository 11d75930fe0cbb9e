// The device program decides as the rules read, without a kernel: run by an interpreter of the few instructions it is made of.
#include <linux/bpf.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include <drydock/cgroups/device_program.hpp>
#include <drydock/cgroups/device_rules.hpp>
#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::cgroups;

namespace {

constexpr std::uint32_t block = BPF_DEVCG_DEV_BLOCK, character = BPF_DEVCG_DEV_CHAR;
constexpr std::uint32_t make = BPF_DEVCG_ACC_MKNOD, get = BPF_DEVCG_ACC_READ, put = BPF_DEVCG_ACC_WRITE;

struct Machine {
  explicit Machine(const std::string& bytes) : code(bytes.size() / sizeof(bpf_insn)) {
    std::memcpy(code.data(), bytes.data(), bytes.size());
  }

  // Throws where the verifier would refuse: an instruction it does not know, a register never written, no end.
  std::uint64_t run(std::uint32_t type, std::uint32_t access, std::uint32_t major, std::uint32_t minor) const {
    const std::array<std::uint32_t, 3> context{access << 16 | type, major, minor};
    std::array<std::uint64_t, 11> registers{};
    for (std::size_t at = 0; at < code.size(); ++at) {
      const bpf_insn& one = code[at];
      std::uint64_t& to = registers.at(one.dst_reg);
      const auto value = static_cast<std::uint64_t>(static_cast<std::int64_t>(one.imm));
      switch (one.code) {
        case BPF_LDX | BPF_MEM | BPF_W:
          to = context.at(static_cast<std::size_t>(one.off) / 4);
          break;
        case BPF_ALU64 | BPF_MOV | BPF_X:
          to = registers.at(one.src_reg);
          break;
        case BPF_ALU64 | BPF_MOV | BPF_K:
          to = value;
          break;
        case BPF_ALU64 | BPF_AND | BPF_K:
          to &= value;
          break;
        case BPF_ALU64 | BPF_RSH | BPF_K:
          to >>= value;
          break;
        case BPF_JMP | BPF_JNE | BPF_K:
          if (to != value) at += static_cast<std::size_t>(one.off);
          break;
        case BPF_JMP | BPF_EXIT:
          return registers[0];
        default:
          throw std::runtime_error("unknown instruction");
      }
    }
    throw std::runtime_error("no end");
  }

  std::vector<bpf_insn> code;
};

}  // namespace

TEST_CASE("device program: any node may be made, few may be opened", "[cgroups][security]") {
  const Machine machine(device_program(device_rules));
  CHECK(machine.run(character, get | put, 1, 3) == 1);  // null
  CHECK(machine.run(character, put, 5, 2) == 1);        // ptmx
  CHECK(machine.run(character, get, 136, 7) == 1);      // any pts
  CHECK(machine.run(block, make, 8, 0) == 1);           // mknod
  CHECK(machine.run(block, get, 8, 0) == 0);            // a disk
  CHECK(machine.run(block, make | get, 8, 0) == 0);     // one rule must cover all of it
  CHECK(machine.run(character, get, 1, 1) == 0);        // mem
  CHECK(machine.run(character, get, 1, 11) == 0);       // kmsg
  CHECK(machine.run(character, get, 10, 229) == 0);     // fuse
  CHECK(machine.run(block, get, 1, 3) == 0);            // null's numbers, but a disk
}

TEST_CASE("device program: accesses, wildcards, no rules at all", "[cgroups][security]") {
  constexpr std::string_view rules[] = {"b 7:* r", "c *:4 w"};
  const Machine machine(device_program(rules));
  CHECK(machine.run(block, get, 7, 200) == 1);
  CHECK(machine.run(block, put, 7, 200) == 0);
  CHECK(machine.run(block, get, 8, 200) == 0);
  CHECK(machine.run(character, put, 99, 4) == 1);
  CHECK(machine.run(character, put, 99, 5) == 0);
  CHECK(Machine(device_program({})).run(character, get, 1, 3) == 0);
}

TEST_CASE("device program: a rule that cannot be read is refused by name", "[cgroups]") {
  for (const std::string_view rule : {"", "c", "x 1:3 rwm", "c 1:3 rx", "c 1-3 rwm", "c one:3 rwm"}) {
    const std::string_view rules[] = {rule};
    CHECK_THROWS_AS(device_program(rules), Error);
  }
}
