#include <drydock/image/archive/changes.hpp>

#include <algorithm>
#include <cctype>
#include <vector>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>

namespace drydock::image {

using json = nlohmann::ordered_json;

namespace {

[[noreturn]] void refuse(const std::string& instruction, const std::string& reason) {
  throw Error::refused("change '" + instruction + "'", reason,
                       "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR can be changed");
}

// The exec form is a JSON array, anything else is handed to a shell.
json command_form(const std::string& value) {
  const json list = json::parse(value, nullptr, false);
  const bool strings =
      list.is_array() && std::all_of(list.begin(), list.end(), [](const json& item) { return item.is_string(); });
  if (strings) return list;
  return json::array({"/bin/sh", "-c", value});
}

// Words separated by spaces; quotes and backslashes as in a shell.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  std::string word;
  char quote = 0;
  bool open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'' && i + 1 < text.size())
      word += text[++i];
    else if (quote != 0 && c == quote)
      quote = 0;
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (open) result.push_back(std::exchange(word, {}));
      open = false;
      continue;
    } else
      word += c;
    open = true;
  }
  if (open) result.push_back(word);
  return result;
}

std::vector<std::string> list_or_words(const std::string& value) {
  const json list = json::parse(value, nullptr, false);
  if (!list.is_array()) return words(value);
  std::vector<std::string> result;
  for (const json& item : list) result.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return result;
}

// "NAME=value" pairs, or the old form "NAME value".
std::vector<std::pair<std::string, std::string>> pairs(const std::string& instruction, const std::string& value) {
  std::vector<std::pair<std::string, std::string>> result;
  const std::vector<std::string> parts = words(value);
  if (parts.empty()) refuse(instruction, "it sets nothing");
  if (parts[0].find('=') == std::string::npos) {
    const std::size_t space = value.find_first_of(" \t");
    if (space == std::string::npos) refuse(instruction, "it has a name and no value");
    return {{parts[0], value.substr(value.find_first_not_of(" \t", space))}};
  }
  for (const std::string& part : parts) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) refuse(instruction, "'" + part + "' is not NAME=value");
    result.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  return result;
}

void set_env(json& config, const std::string& name, const std::string& value) {
  json list = json::array();
  for (const json& entry : config.value("Env", json::array()))
    if (!entry.get<std::string>().starts_with(name + "=")) list.push_back(entry);
  list.push_back(name + "=" + value);
  config["Env"] = std::move(list);
}

std::string port(const std::string& instruction, const std::string& text) {
  const std::string number = text.substr(0, text.find('/'));
  const std::string protocol = text.find('/') == std::string::npos ? "tcp" : text.substr(text.find('/') + 1);
  const bool digits = !number.empty() && number.size() <= 5 && number.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoi(number) < 1 || std::stoi(number) > 65535 ||
      (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
    refuse(instruction, "'" + text + "' is no port (1-65535, with /tcp or /udp)");
  return number + "/" + protocol;
}

}  // namespace

std::string with_change(const std::string& config_text, const std::string& instruction) {
  json config = json::parse(config_text);
  const std::size_t begin = instruction.find_first_not_of(" \t");
  if (begin == std::string::npos) refuse(instruction, "it is empty");
  const std::size_t end = std::min(instruction.find_first_of(" \t", begin), instruction.size());
  std::string name = instruction.substr(begin, end - begin);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::size_t rest = instruction.find_first_not_of(" \t", end);
  const std::string value =
      rest == std::string::npos ? "" : instruction.substr(rest, instruction.find_last_not_of(" \t\n") + 1 - rest);
  if (value.empty()) refuse(instruction, "it has no value");

  if (name == "CMD")
    config["Cmd"] = command_form(value);
  else if (name == "ENTRYPOINT")
    config["Entrypoint"] = command_form(value);
  else if (name == "USER")
    config["User"] = value;
  else if (name == "WORKDIR")
    config["WorkingDir"] = value.starts_with('/') ? value : config.value("WorkingDir", "") + "/" + value;
  else if (name == "ENV")
    for (const auto& [key, text] : pairs(instruction, value)) set_env(config, key, text);
  else if (name == "LABEL")
    for (const auto& [key, text] : pairs(instruction, value)) config["Labels"][key] = text;
  else if (name == "EXPOSE")
    for (const std::string& text : words(value)) config["ExposedPorts"][port(instruction, text)] = json::object();
  else if (name == "VOLUME")
    for (const std::string& path : list_or_words(value)) config["Volumes"][path] = json::object();
  else if (name == "STOPSIGNAL") {
    if (!symbols::signal_number(value)) refuse(instruction, "there is no such signal");
    config["StopSignal"] = value;
  } else
    refuse(instruction, "'" + name + "' cannot be changed on an import");
  return config.dump();
}

}  // namespace drydock::image
