// drydock ps, logs, images.
#include <time.h>

#include <cstdio>
#include <limits>

#include <nlohmann/json.hpp>

#include <drydock/container/parse.hpp>
#include <drydock/container/parse_values.hpp>
#include <drydock/image/store.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "records.hpp"
#include "session.hpp"

namespace drydock::cli {

namespace {

void add_format(Options& options, bool& json) {
  options.value("--format", "FORM", "table (default) or json, one object a line", [&json](const std::string& text) {
    if (text != "json" && text != "table")
      throw container::bad_value("--format", text, "there is no such form", "choose table or json");
    json = text == "json";
  });
}

// "2024-05-01T10:00:00Z" as seconds since 1970; 0 when it is no such time.
std::uint64_t seconds_of(const std::string& text) {
  struct tm parts = {};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return 0;
  const time_t seconds = ::timegm(&parts);
  return seconds > 0 ? static_cast<std::uint64_t>(seconds) : 0;
}

std::string size_text(std::uint64_t bytes) {
  char text[32];
  const char* const form = bytes < 1'000'000 ? "%.1f kB" : "%.1f MB";
  std::snprintf(text, sizeof text, form, static_cast<double>(bytes) / (bytes < 1'000'000 ? 1e3 : 1e6));
  return text;
}

std::vector<std::string> image_row(const image::Image& image, std::uint64_t now) {
  const std::size_t colon = image.reference.rfind(':');
  const std::uint64_t created = seconds_of(image.created);
  const std::size_t digits = image.config_digest.find(':') + 1;
  return {image.reference.substr(0, colon), colon == std::string::npos ? "" : image.reference.substr(colon + 1),
          image.config_digest.substr(digits, 12), created == 0 || created > now ? "-" : duration_words(now - created) + " ago",
          size_text(image.size)};
}

}  // namespace

int ps_command(const Words& words) {
  bool all = false, quiet = false, json = false, full = false;
  Options options("ps", "", "List running containers.");
  options.flag("-a,--all", "also those that have ended", all);
  options.flag("-q,--quiet", "only ids", quiet);
  options.flag("--no-trunc", "do not shorten", full);
  add_format(options, json);
  options.footer("Example:\n  drydock ps -a");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(0, 0, "", "ps takes no container; 'drydock inspect NAME' shows one");
  const std::uint64_t now = sys::realtime_ns();
  Table table({"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "ADDRESS", "NAME"});
  for (const container::Record& record : open_engine().list(all)) {
    const std::string id = full ? record.id : record.id.substr(0, 12);
    if (quiet)
      print(id + "\n");
    else if (json)
      print(record_line(record, now) + "\n");
    else
      table.add({id, record.image, shortened("\"" + joined_command(record) + "\"", full ? 4096 : 24),
                 duration_words((now - std::min(now, record.created_ns)) / 1'000'000'000u) + " ago", status_words(record, now),
                 record.address.empty() ? "-" : record.address, record.name});
  }
  if (!quiet && !json) print(table.text());
  return 0;
}

int logs_command(const Words& words) {
  container::LogOptions wish;
  Options options("logs", "CONTAINER", "Show what a container has written.");
  options.flag("-f,--follow", "go on until it ends", wish.follow);
  options.flag("-t,--timestamps", "begin each line with its time", wish.timestamps);
  options.value("-n,--tail", "NUMBER", "only the last lines of what is there; all for every line", [&wish](const std::string& text) {
    wish.tail.reset();
    if (text != "all") wish.tail = container::parse_number("-n/--tail", text, 0, std::numeric_limits<std::int64_t>::max());
  });
  options.footer("Its standard error is shown on standard error.\n\nExample:\n  drydock logs -f web");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(1, 1, "the container", "for example: drydock logs web ('drydock ps -a' lists them)");
  open_engine().logs(options.positionals()[0], wish, [](int stream, std::string_view text) {
    std::FILE* const out = stream == 2 ? stderr : stdout;
    return std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
  });
  return 0;
}

int images_command(const Words& words) {
  bool quiet = false, json = false;
  Options options("images", "", "List images.");
  options.flag("-q,--quiet", "only ids", quiet);
  add_format(options, json);
  options.footer("Example:\n  drydock images");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(0, 0, "", "images takes no name; 'drydock image inspect NAME' shows one");
  const std::uint64_t now = sys::realtime_ns() / 1'000'000'000u;
  Table table({"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"});
  for (const image::Image& image : image::Store(container::default_paths().data).list()) {
    const std::vector<std::string> row = image_row(image, now);
    if (quiet)
      print(row[2] + "\n");
    else if (json)
      print(nlohmann::ordered_json{
                {"Repository", row[0]}, {"Tag", row[1]}, {"ID", row[2]}, {"CreatedAt", image.created}, {"Size", image.size}}
                .dump() +
            "\n");
    else
      table.add(row);
  }
  if (!quiet && !json) print(table.text());
  return 0;
}

}  // namespace drydock::cli
