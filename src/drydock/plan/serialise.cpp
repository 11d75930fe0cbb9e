#include <drydock/plan/serialise.hpp>

#include <cstring>
#include <functional>
#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::plan {

namespace {

// The strings of a plan, each stored once. A table of places by hash, since a plan has a thousand of them.
class Blob {
 public:
  Blob() : places_(2048) {}
  wire::Text put(std::string_view text) {
    std::size_t at = std::hash<std::string_view>{}(text) % places_.size();
    for (; places_[at].used; at = (at + 1) % places_.size())
      if (std::string_view(data_).substr(places_[at].text.offset, places_[at].text.length) == text) return places_[at].text;
    const wire::Text where{static_cast<std::uint32_t>(data_.size()), static_cast<std::uint32_t>(text.size())};
    if (++count_ < places_.size() / 2) places_[at] = {where, true};  // a fuller table is searched too long; then twice stored
    data_ += text;
    data_.append(8 - data_.size() % 8, '\0');  // NUL terminated; messages and filters are read in place
    return where;
  }
  const std::string& data() const { return data_; }

 private:
  struct Place {
    wire::Text text;
    bool used = false;
  };
  std::string data_;
  std::vector<Place> places_;
  std::size_t count_ = 0;
};

wire::WireArg argument_of(const Arg& arg, Blob& blob) {
  wire::WireArg out;
  if (const auto* number = std::get_if<std::int64_t>(&arg)) {
    out.value = *number;
  } else if (const auto* slot = std::get_if<Slot>(&arg)) {
    out.type = wire::ArgType::slot;
    out.value = slot->index;
  } else {
    const auto* text = std::get_if<std::string>(&arg);
    const wire::Text where = blob.put(text != nullptr ? *text : std::get<Bytes>(arg).data);
    out.type = wire::ArgType::text;
    out.value = where.offset;
    out.length = where.length;
  }
  return out;
}

struct Parts {
  std::vector<wire::WireStep> steps;
  std::vector<wire::WireArg> args;
  Blob blob;

  wire::WireCall call_of(const Call& call) {
    wire::WireCall out;
    out.op = static_cast<std::uint8_t>(call.op);
    out.count = static_cast<std::uint8_t>(call.args.size());
    out.first = static_cast<std::uint32_t>(args.size());
    for (const Arg& arg : call.args) args.push_back(argument_of(arg, blob));
    return out;
  }

  wire::WireStep step_of(const Step& step, const std::vector<StepRef>& edges) {
    wire::WireStep out;
    out.lane = static_cast<std::uint8_t>(step.lane);
    out.optional = step.optional_step;
    out.result = step.result.index;
    if (edges.size() > wire::max_edges) throw Error::refused("step '" + step.id + "'", "it waits for more than six other steps", "let it wait for the last of them");
    for (const StepRef edge : edges) out.edges[out.edge_count++] = edge.index;
    if (step.tolerated.size() > std::size(out.tolerated))
      throw Error::refused("step '" + step.id + "'", "it tolerates more than two errors", "make it best effort, or let some of them fail");
    for (std::size_t index = 0; index < step.tolerated.size(); ++index) out.tolerated[index] = step.tolerated[index];
    out.id = blob.put(step.id);
    out.action = call_of(step.action);
    if (step.undo_call) {
      out.has_undo = 1;
      out.undo_at = static_cast<std::uint8_t>(step.undo_when);
      out.undo = call_of(*step.undo_call);
    }
    return out;
  }
};

Parts parts_of(const Plan& plan) {
  const auto edges = edges_of(plan);
  Parts parts;
  for (const Step& step : plan.steps()) parts.steps.push_back(parts.step_of(step, edges[step.self.index]));
  for (const Step& step : plan.steps())
    for (const StepRef edge : edges[step.self.index])
      parts.steps[edge.index].notify = static_cast<std::uint8_t>(parts.steps[edge.index].notify | (1u << static_cast<unsigned>(step.lane)));
  return parts;
}

void copy_text(char* to, std::size_t capacity, const std::string& from) {
  if (from.size() >= capacity) throw Error::refused("name '" + from + "'", "it is too long", "use at most " + std::to_string(capacity - 1) + " characters");
  std::memcpy(to, from.c_str(), from.size() + 1);
}

void inject(const Plan& plan, const std::string& wish, wire::Header& header) {
  if (wish.empty()) return;
  const std::size_t equals = wish.find('=');
  if (equals == std::string::npos) throw Error::refused("--inject " + wish, "it is not of the form STEP=ERRNO", "for example --inject mount.proc=EPERM");
  header.inject_step = plan.find(wish.substr(0, equals)).self.index;
  header.inject_error = errno_from_name(wish.substr(equals + 1));
}

void settle(wire::Header& header, const Plan& plan, const Settings& settings, Blob& blob) {
  copy_text(header.boot_id, sizeof header.boot_id, sys::read_file("/proc/sys/kernel/random/boot_id").substr(0, 36));
  copy_text(header.id, sizeof header.id, settings.id);
  copy_text(header.name, sizeof header.name, settings.name);
  header.flags = settings.flags;
  header.linger_ms = settings.linger_ms;
  header.annotation = blob.put(settings.annotation);
  header.ledger_path = blob.put(settings.ledger_path);
  header.log_path = blob.put(settings.log_path);
  header.socket_path = blob.put(settings.socket_path);
  header.oom_path = blob.put(settings.oom_path);
  header.oom_key = blob.put(settings.oom_key);
  header.payload_slot = settings.payload.index;
  header.stdin_slot = settings.input.index;
  header.stdout_slot = settings.output.index;
  header.stderr_slot = settings.error.index;
  header.terminal_slot = settings.terminal.index;
  if (!settings.exec_step.empty()) header.exec_step = plan.find(settings.exec_step).self.index;
  inject(plan, settings.inject, header);
  header.created_ns = sys::realtime_ns();
}

std::uint32_t aligned(std::size_t at) {
  return static_cast<std::uint32_t>((at + 15) / 16 * 16);
}

}  // namespace

int errno_from_name(const std::string& name) {
  for (int code = 1; code < 134; ++code)
    if (errno_name(code) == name || std::to_string(code) == name) return code;
  throw Error::refused("errno '" + name + "'", "there is no such error number", "use a name such as ENOENT (errno(3))");
}

std::string serialise(const Plan& plan, const Settings& settings) {
  if (plan.slots().size() > wire::max_slots || plan.steps().size() > 1024)
    throw Error::refused("plan", "it has more than 1024 steps or 192 run-time values", "ask for fewer mounts, ports or limits");
  Parts parts = parts_of(plan);
  wire::Header header;
  settle(header, plan, settings, parts.blob);
  header.step_count = static_cast<std::uint32_t>(plan.steps().size());
  header.slot_count = static_cast<std::uint32_t>(plan.slots().size());
  header.records_at = aligned(sizeof header);
  header.steps_at = aligned(header.records_at + header.step_count * sizeof(wire::Record));
  header.args_at = aligned(header.steps_at + header.step_count * sizeof(wire::WireStep));
  header.blob_at = aligned(header.args_at + parts.args.size() * sizeof(wire::WireArg));
  header.size = header.blob_at + parts.blob.data().size();
  std::string bytes(header.size, '\0');
  const auto place = [&bytes](std::size_t at, const void* data, std::size_t size) {
    if (size != 0) std::memcpy(bytes.data() + at, data, size);  // an empty vector has no address
  };
  place(0, &header, sizeof header);
  place(header.steps_at, parts.steps.data(), parts.steps.size() * sizeof(wire::WireStep));
  place(header.args_at, parts.args.data(), parts.args.size() * sizeof(wire::WireArg));
  place(header.blob_at, parts.blob.data().data(), parts.blob.data().size());
  return bytes;
}

}  // namespace drydock::plan
