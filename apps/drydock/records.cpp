#include "records.hpp"

#include <time.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace drydock::cli {

namespace {

using Json = nlohmann::ordered_json;

// Null when it has not happened; else RFC 3339 with nanoseconds, in UTC.
Json time_text(std::uint64_t nanoseconds) {
  if (nanoseconds == 0) return nullptr;
  const time_t seconds = static_cast<time_t>(nanoseconds / 1'000'000'000u);
  struct tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char date[32], text[48];
  ::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%09luZ", date, static_cast<unsigned long>(nanoseconds % 1'000'000'000u));
  return text;
}

const char* status_name(container::Status status) {
  switch (status) {
    case container::Status::created:
      return "created";
    case container::Status::running:
      return "running";
    case container::Status::frozen:
      return "frozen";
    case container::Status::exited:
      return "exited";
    case container::Status::removing:
      return "removing";
  }
  return "unknown";
}

std::string since(std::uint64_t then, std::uint64_t now) {
  return duration_words((now - std::min(then, now)) / 1'000'000'000u);
}

Json full(const container::Record& record) {
  Json json{{"id", record.id},
            {"name", record.name},
            {"image", record.image},
            {"command", record.command},
            {"status", status_name(record.status)},
            {"pid", record.pid},
            {"pid_start", record.pid_start},
            {"monitor", record.monitor},
            {"created", time_text(record.created_ns)},
            {"started", time_text(record.started_ns)},
            {"finished", time_text(record.finished_ns)},
            {"exit_code", record.exit_code},
            {"out_of_memory", record.out_of_memory},
            {"address", record.address},
            {"log_path", record.log_path},
            {"ledger_path", record.ledger_path},
            {"cgroups", record.cgroups}};
  json["spec"] = Json::parse(container::to_json(record.spec));
  return json;
}

}  // namespace

std::string joined_command(const container::Record& record) {
  std::string text;
  for (const std::string& word : record.command) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string status_words(const container::Record& record, std::uint64_t now) {
  switch (record.status) {
    case container::Status::created:
      return "Created";
    case container::Status::running:
      return "Up " + since(record.started_ns, now);
    case container::Status::frozen:
      return "Up " + since(record.started_ns, now) + " (Paused)";
    case container::Status::removing:
      return "Removal In Progress";
    case container::Status::exited:
      break;
  }
  return "Exited (" + std::to_string(record.exit_code) + ")" + (record.out_of_memory ? " out of memory" : "") +
         (record.finished_ns == 0 ? "" : " " + since(record.finished_ns, now) + " ago");
}

std::string record_line(const container::Record& record, std::uint64_t now) {
  return Json{{"ID", record.id},
              {"Image", record.image},
              {"Command", joined_command(record)},
              {"CreatedAt", time_text(record.created_ns)},
              {"State", status_name(record.status)},
              {"Status", status_words(record, now)},
              {"ExitCode", record.exit_code},
              {"Address", record.address},
              {"Names", record.name}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string record_json(const std::vector<container::Record>& records) {
  Json list = Json::array();
  for (const container::Record& record : records) list.push_back(full(record));
  return list.dump(2, ' ', false, Json::error_handler_t::replace);
}

int inspect_command(const Words& words) {
  Options options("inspect", "CONTAINER...", "Show all that is known about containers, as a JSON array.");
  options.footer(
      "Example:\n  drydock inspect web\n\nFor images: drydock image inspect NAME; for the kernel's view: drydock facts NAME");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, Options::any_number, "the container", "for example: drydock inspect web ('drydock ps -a' lists them)");
  const container::Engine engine = open_engine();
  std::vector<container::Record> records;
  const int code =
      for_each_container(options.positionals(), [&](const std::string& name) { records.push_back(engine.find(name)); });
  print(record_json(records) + "\n");
  return code;
}

}  // namespace drydock::cli
