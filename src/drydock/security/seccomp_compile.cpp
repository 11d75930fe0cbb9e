#include <drydock/security/seccomp_compile.hpp>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <map>
#include <span>

#include <drydock/kernel/error.hpp>

namespace drydock::security {

namespace {

using Code = std::vector<sock_filter>;

sock_filter load(std::uint32_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset};
}

sock_filter decide(Action action) {
  return {BPF_RET | BPF_K, 0, 0, action};
}

sock_filter jump(std::uint16_t test, std::uint32_t value, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | test), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), value};
}

sock_filter jump_always(std::size_t distance) {
  return {BPF_JMP | BPF_JA, 0, 0, static_cast<std::uint32_t>(distance)};
}

void append(Code& code, const Code& more) {
  code.insert(code.end(), more.begin(), more.end());
}

std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}

std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

std::uint32_t argument_offset(unsigned index, bool high_word) {
  const bool second = high_word == (std::endian::native == std::endian::little);
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * index + (second ? 4 : 0));
}

// What happens at one call: alternatives in order, then the end.
struct Fate {
  std::vector<std::pair<std::vector<Condition>, Action>> alternatives;
  Action end = 0;
  bool operator==(const Fate&) const = default;
};

// --- one condition: falls through when it holds, jumps over `rest` instructions behind it when not --------------------

// Equality of one 32-bit half; a half whose mask is 0 needs no look.
void equal_word(Code& code, const Condition& condition, bool high_word, std::size_t rest) {
  const std::uint32_t mask = high_word ? high(condition.mask) : low(condition.mask);
  const std::uint32_t value = high_word ? high(condition.value) : low(condition.value);
  if (mask == 0 && value == 0) return;
  code.push_back(load(argument_offset(condition.index, high_word)));
  if (mask != 0xffffffff) code.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, mask});
  code.push_back(jump(BPF_JEQ, value, 0, rest));
}

Code equal(const Condition& condition, std::size_t rest) {
  Code low_half, code;
  equal_word(low_half, condition, false, rest);
  equal_word(code, condition, true, low_half.size() + rest);
  append(code, low_half);
  return code;
}

Code not_equal(const Condition& condition, std::size_t rest) {
  return {load(argument_offset(condition.index, true)), jump(BPF_JEQ, high(condition.value), 0, 2),
          load(argument_offset(condition.index, false)), jump(BPF_JEQ, low(condition.value), rest, 0)};
}

// The upper halves decide unless they are equal. Comparisons are "above" ones; below is the negation of the other kind.
Code ordered(const Condition& condition, std::size_t rest) {
  const bool wants_above = condition.compare == Compare::greater || condition.compare == Compare::greater_equal;
  const bool or_equal = condition.compare == Compare::greater_equal || condition.compare == Compare::less_equal;
  const std::uint16_t test = wants_above == or_equal ? BPF_JGE : BPF_JGT;
  const std::size_t above = wants_above ? 0 : rest, below = wants_above ? rest : 0;
  return {load(argument_offset(condition.index, true)), jump(BPF_JGT, high(condition.value), above + 3, 0),
          jump(BPF_JEQ, high(condition.value), 0, below + 2), load(argument_offset(condition.index, false)),
          jump(test, low(condition.value), above, below)};
}

Code check(const Condition& condition, std::size_t rest) {
  switch (condition.compare) {
    case Compare::equal:
    case Compare::masked_equal:
      return equal(condition, rest);
    case Compare::not_equal:
      return not_equal(condition, rest);
    default:
      return ordered(condition, rest);
  }
}

Code alternative(const std::vector<Condition>& conditions, Action action) {
  Code code = {decide(action)};
  for (auto condition = conditions.rbegin(); condition != conditions.rend(); ++condition) {
    Code head = check(*condition, code.size());
    append(head, code);
    code = std::move(head);
  }
  return code;
}

Code leaf(const Fate& fate) {
  Code code;
  for (const auto& [conditions, action] : fate.alternatives) append(code, alternative(conditions, action));
  code.push_back(decide(fate.end));
  return code;
}

// --- ranges and the tree over them -----------------------------------------------------------------------------------

struct Range {
  std::uint32_t first;  // up to the next one's first
  Fate fate;
};

// A conditional jump reaches 255 instructions; farther ones go by way of an unconditional one.
Code tree(std::span<const Range> ranges) {
  if (ranges.size() == 1) return leaf(ranges[0].fate);
  const std::size_t middle = ranges.size() / 2;
  const Code left = tree(ranges.first(middle)), right = tree(ranges.subspan(middle));
  Code code;
  if (left.size() <= 255)
    code = {jump(BPF_JGE, ranges[middle].first, left.size(), 0)};
  else
    code = {jump(BPF_JGE, ranges[middle].first, 0, 1), jump_always(left.size())};
  append(code, left);
  append(code, right);
  return code;
}

std::map<std::uint32_t, Fate> fates_of(const Policy& policy, Architecture architecture) {
  std::map<std::uint32_t, Fate> fates;
  std::map<std::uint32_t, bool> ended;
  for (const Rule& rule : policy.rules) {
    const auto number = call_number(rule.call, architecture);
    if (!number || ended[static_cast<std::uint32_t>(*number)]) continue;
    Fate& fate = fates.try_emplace(static_cast<std::uint32_t>(*number), Fate{{}, policy.default_action}).first->second;
    if (rule.conditions.empty()) {
      fate.end = rule.action;
      ended[static_cast<std::uint32_t>(*number)] = true;
    } else {
      fate.alternatives.emplace_back(rule.conditions, rule.action);
    }
  }
  return fates;
}

bool is_errno(Action action) {
  return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

std::vector<Range> ranges_of(const Policy& policy, Architecture architecture) {
  const Fate otherwise{{}, policy.default_action};
  std::vector<Range> ranges = {{0, otherwise}};
  const auto start = [&](std::uint32_t first, const Fate& fate) {
    if (ranges.back().first == first)
      ranges.back().fate = fate;
    else if (!(ranges.back().fate == fate))
      ranges.push_back({first, fate});
  };
  std::uint32_t next = 0;
  for (const auto& [number, fate] : fates_of(policy, architecture)) {
    if (number > next) start(next, otherwise);
    start(number, fate);
    next = number + 1;
  }
  start(next, is_errno(policy.default_action) ? Fate{{}, act_errno(ENOSYS)} : otherwise);
#ifdef __x86_64__
  // The same calls once more, for x32 programs: they would go round every rule of a policy that allows what it does not name.
  constexpr std::uint32_t x32_bit = 0x40000000;
  if (architecture == Architecture::native) start(x32_bit, Fate{{}, act_errno(ENOSYS)});
#endif
  return ranges;
}

Code for_architecture(const Policy& policy, Architecture architecture) {
  Code code = {load(offsetof(seccomp_data, nr))};
  append(code, tree(ranges_of(policy, architecture)));
  return code;
}

}  // namespace

std::string compile(const Policy& policy) {
  const Code native = for_architecture(policy, Architecture::native);
  Code code = {load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, audit_architecture(Architecture::native), 1, 0),
               jump_always(native.size())};
  append(code, native);
  if (policy.second_architecture) {
    const Code second = for_architecture(policy, Architecture::second);
    append(code, {jump(BPF_JEQ, audit_architecture(Architecture::second), 1, 0), jump_always(second.size())});
    append(code, second);
  }
  code.push_back(decide(SECCOMP_RET_KILL_PROCESS));
  if (code.size() > BPF_MAXINSNS)
    throw Error::refused("seccomp profile", std::to_string(code.size()) + " instructions are more than the kernel takes (4096)",
                         "use fewer conditions");
  return {reinterpret_cast<const char*>(code.data()), code.size() * sizeof(sock_filter)};
}

}  // namespace drydock::security
