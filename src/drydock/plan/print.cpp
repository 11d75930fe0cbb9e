// A plan for human eyes: one step a line, calls as strace would print them, the reason behind.
#include <nlohmann/json.hpp>

#include <drydock/kernel/symbols.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::plan {

namespace {

constexpr std::size_t shown_text = 60;

std::string quote_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text.substr(0, shown_text)) {
    if (c == '\n') result += "\\n";
    else if (c == '\t') result += "\\t";
    else if (c == '"' || c == '\\') result += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < 0x20) result += "\\x" + std::string(1, "0123456789abcdef"[c >> 4]) + "0123456789abcdef"[c & 15];
    else result += c;
  }
  return result + (text.size() > shown_text ? "\"..." : "\"");
}

std::string capability_mask(std::uint64_t mask) {
  if (mask == 0) return "none";
  std::string text;
  for (int number = 0; number <= symbols::last_capability(); ++number)
    if ((mask >> number & 1) != 0) text += (text.empty() ? "" : "|") + symbols::capability(number).substr(4);
  return text;
}

std::string number_text(std::int64_t value, Kind kind, Op op) {
  const auto bits = static_cast<std::uint64_t>(value);
  switch (kind) {
    case Kind::octal: return symbols::octal(bits);
    case Kind::open_flags: return symbols::open_flags(bits);
    case Kind::resolve_flags: return symbols::resolve_flags(bits);
    case Kind::clone_flags: return symbols::clone_flags(bits);
    case Kind::mount_flags: return symbols::mount_flags(bits);
    case Kind::mount_attr: return symbols::mount_attributes(bits);
    case Kind::open_tree_flags: return symbols::open_tree_flags(bits);
    case Kind::move_mount_flags: return symbols::move_mount_flags(bits);
    case Kind::umount_flags: return symbols::umount_flags(bits);
    case Kind::fsmount_flags: return symbols::fsmount_flags(bits);
    case Kind::propagation: return symbols::propagation(bits);
    case Kind::signal: return symbols::signal(static_cast<int>(value));
    case Kind::capability: return op == Op::capset ? capability_mask(bits) : symbols::capability(static_cast<int>(value));
    case Kind::resource: return symbols::resource(static_cast<int>(value));
    case Kind::prctl_option: return symbols::prctl_option(static_cast<int>(value));
    case Kind::ioctl_request: return symbols::ioctl_request(bits);
    case Kind::socket_family: return symbols::socket_family(static_cast<int>(value));
    case Kind::socket_type: return symbols::socket_type(static_cast<int>(value));
    case Kind::netlink_protocol: return symbols::netlink_protocol(static_cast<int>(value));
    default: return std::to_string(value);
  }
}

std::string slot_text(Slot slot, Kind kind, const std::vector<SlotInfo>& slots) {
  if (!slot.valid()) return kind == Kind::fd ? "AT_FDCWD" : "none";
  return slot.index < slots.size() ? "<" + slots[slot.index].name + ">" : "<?>";
}

std::string arg_text(const Arg& arg, Kind kind, Op op, const std::vector<SlotInfo>& slots) {
  if (const auto* number = std::get_if<std::int64_t>(&arg)) return number_text(*number, kind, op);
  if (const auto* text = std::get_if<std::string>(&arg)) return quote_text(*text);
  if (const auto* bytes = std::get_if<Bytes>(&arg)) return bytes->shown.empty() ? std::to_string(bytes->data.size()) + " bytes" : bytes->shown;
  return slot_text(std::get<Slot>(arg), kind, slots);
}

// Arguments that only say "nothing" would be noise.
bool is_noise(const Call& call, std::size_t index) {
  const Arg& arg = call.args[index];
  const auto* number = std::get_if<std::int64_t>(&arg);
  const auto* slot = std::get_if<Slot>(&arg);
  switch (call.op) {
    case Op::open: return index == 2 && *number == 0;
    case Op::openat: return index == 3 && *number == 0;
    case Op::clone3: return (index == 1 && slot != nullptr && !slot->valid()) || index == 2;
    case Op::mount_setattr: return index == 2 || (index == 5 && *number == 0) || (index == 6 && slot != nullptr && !slot->valid());
    case Op::mask_path:
    case Op::read_only_path: return index == 2;
    case Op::prctl: return index == 2 && *number == 0;
    case Op::fork_lane: return true;
    default: return false;
  }
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

std::string print(const Call& call, const std::vector<SlotInfo>& slots) {
  const OpInfo& row = info(call.op);
  std::string text(row.name);
  text += "(";
  bool first = true;
  if (call.op == Op::fork_lane) text += "SIGCHLD";
  for (std::size_t index = 0; index < call.args.size(); ++index) {
    if (index >= row.parameters.size() && call.op != Op::proxy_loop) break;  // patches of a message: its text says where they go
    if (is_noise(call, index)) continue;
    const Kind kind = index < row.parameters.size() ? row.parameters[index].kind : Kind::number;
    if (!first) text += ", ";
    first = false;
    if (call.op == Op::clone3 && index == 1) text += "INTO_CGROUP ";
    text += arg_text(call.args[index], kind, call.op, slots);
  }
  return text + ")";
}

std::string print(const Plan& plan, bool with_reasons) {
  std::string text;
  for (const Step& step : plan.steps()) {
    std::string line = padded(std::string(lane_name(step.lane)), 8) + padded(step.id, 24) + " " + print(step.action, plan.slots());
    if (step.result.valid()) line += " = <" + plan.slots()[step.result.index].name + ">";
    if (with_reasons && !step.reason.empty()) line = padded(std::move(line), 96) + "  # " + step.reason;
    text += line + "\n";
  }
  for (const std::string& warning : plan.warnings) text += "warning: " + warning + "\n";
  return text;
}

namespace {

nlohmann::json call_json(const Call& call, const std::vector<SlotInfo>& slots) {
  nlohmann::json arguments = nlohmann::json::object();
  const OpInfo& row = info(call.op);
  for (std::size_t index = 0; index < call.args.size() && index < row.parameters.size(); ++index) {
    const auto* text = std::get_if<std::string>(&call.args[index]);
    arguments[std::string(row.parameters[index].name)] =
        text != nullptr ? *text : arg_text(call.args[index], row.parameters[index].kind, call.op, slots);
  }
  return {{"call", row.name}, {"manual", row.manual}, {"arguments", arguments}, {"text", print(call, slots)}};
}

}  // namespace

std::string to_json(const Plan& plan) {
  using nlohmann::json;
  const auto edges = edges_of(plan);
  json steps = json::array();
  for (const Step& step : plan.steps()) {
    json entry = call_json(step.action, plan.slots());
    entry["step"] = step.id;
    entry["lane"] = lane_name(step.lane);
    entry["why"] = step.reason;
    entry["object"] = step.target;
    if (step.result.valid()) entry["result"] = plan.slots()[step.result.index].name;
    if (step.undo_call) {
      entry["undo"] = print(*step.undo_call, plan.slots());
      entry["undo_at"] = step.undo_when == UndoAt::exit ? "exit" : "remove";
    }
    entry["after"] = json::array();
    for (const StepRef edge : edges[step.self.index]) entry["after"].push_back(plan.steps()[edge.index].id);
    steps.push_back(std::move(entry));
  }
  json slots = json::array();
  for (const SlotInfo& slot : plan.slots())
    slots.push_back({{"name", slot.name}, {"kind", slot.kind == SlotKind::fd ? "fd" : slot.kind == SlotKind::pid ? "pid" : "number"}});
  return json{{"version", 1}, {"steps", steps}, {"slots", slots}, {"warnings", plan.warnings}}.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace drydock::plan
