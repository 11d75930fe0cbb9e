#include "options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include <drydock/kernel/error.hpp>

#include "suggest.hpp"

namespace drydock::cli {

namespace {

// CLI11's page with our usage line, and without the marks ("...", "REQUIRED") that say nothing to a reader.
class Page : public CLI::Formatter {
 public:
  explicit Page(std::string usage) : usage_(std::move(usage)) { column_width(36); }
  std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_name().empty() ? "" : " " + option->get_type_name();
  }

 private:
  std::string usage_;
};

std::vector<std::string_view> split_names(std::string_view names) {
  std::vector<std::string_view> list;
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    list.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

}  // namespace

struct Options::Declared {
  Kind kind;
  std::string_view names, name;  // "-m,--memory", "--memory"
  std::string_view form, help, heading, bare;
  Store store;
  bool given = false;
  CLI::Option* option = nullptr;
  std::size_t taken = 0;  // results already stored

  CLI::Option* declare_in(CLI::App& app) const {
    const std::string all_names(names), text(help);
    CLI::Option* made = kind == Kind::flag ? app.add_flag(all_names, text)
                                           : app.add_option(all_names, text)->expected(1)->type_name(std::string(form));
    return made->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->group(std::string(heading));
  }
};

Options::Options(std::string command, std::string arguments, std::string summary)
    : command_(std::move(command)), arguments_(std::move(arguments)), summary_(std::move(summary)) {}

Options::~Options() = default;

Options::Declared& Options::declare(Kind kind, const char* names, const char* form, const char* help, Store store) {
  auto entry = std::make_unique<Declared>(Declared{kind, names, {}, form, help, heading_, {}, std::move(store)});
  for (const std::string_view name : split_names(names)) {
    entry->name = name;
    names_.emplace_back(name, entry.get());
  }
  declared_.push_back(std::move(entry));
  return *declared_.back();
}

Options::Declared* Options::find(std::string_view name) const {
  for (const auto& [known_name, entry] : names_)
    if (known_name == name) return entry;
  return nullptr;
}

void Options::flag(const char* names, const char* help, bool& target) {
  Declared& entry = declare(Kind::flag, names, "", help, {});
  entry.store = [name = std::string(entry.name), &target](const std::string& text) {
    if (text != "true" && text != "false" && text != "1" && text != "0")
      throw Error::refused(name + " '" + text + "'", "it is on or off", "write " + name + " or " + name + "=false");
    target = text == "true" || text == "1";
  };
}

void Options::value(const char* names, const char* form, const char* help, Store store) {
  declare(Kind::value, names, form, help, std::move(store));
}

void Options::optional_value(const char* names, const char* form, const char* bare, const char* help, Store store) {
  declare(Kind::optional_value, names, form, help, std::move(store)).bare = bare;
}

Options::Declared& Options::known(const std::string& name) const {
  if (Declared* const found = find(name); found != nullptr) return *found;
  Words names;
  for (const auto& [known_name, entry] : names_)
    if (!entry->heading.empty()) names.emplace_back(known_name);
  std::sort(names.begin(), names.end());
  const std::string near = name.size() > 4 ? nearest(name, names) : "";  // "--vm" is not a slip of "--rm"
  const std::string all = "'drydock " + command_ + " --help' lists all";
  throw Error::refused("option " + name, "'drydock " + command_ + "' has no such option",
                       near.empty() ? all : "did you mean " + near + "? " + all);
}

void Options::give(Declared& option, const std::string& value) {
  option.given = true;
  // With "=" CLI11 takes any text, even one that begins with '-'; an empty text it takes only as a word of its own.
  if (value.empty()) {
    normal_.emplace_back(option.name);
    normal_.emplace_back();
  } else {
    normal_.push_back(std::string(option.name) + "=" + value);
  }
}

const std::string& Options::following(const Words& words, std::size_t& at, const std::string& name) const {
  if (at + 1 >= words.size())
    throw Error::refused("option " + name, "its value is missing", "'drydock " + command_ + " --help' shows its form");
  return words[++at];
}

void Options::split_long(const Words& words, std::size_t& at) {
  const std::string& word = words[at];
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  Declared& option = known(name);
  if (equals != std::string::npos) {
    if (option.kind != Kind::value && equals + 1 == word.size())
      throw Error::refused("option " + word, "there is nothing behind the '='", "write " + name);
    give(option, word.substr(equals + 1));
  } else if (option.kind == Kind::value) {
    give(option, following(words, at, name));
  } else {
    give(option, std::string(option.kind == Kind::flag ? "true" : option.bare));
  }
}

// "-it", "-m64m", "-p 80:80", "-dp 80:80": letters of flags, up to the first that takes a value.
void Options::split_short(const Words& words, std::size_t& at) {
  const std::string& word = words[at];
  const std::string name = word.substr(0, word.find('='));
  if (name.size() > 3 && find("-" + name) != nullptr)  // -memory would be -m with the value "emory"
    throw Error::refused("option " + name, "a long option begins with two dashes", "write -" + name);
  for (std::size_t letter = 1; letter < word.size(); ++letter) {
    Declared& option = known({'-', word[letter]});
    std::string rest = word.substr(letter + 1);
    if (option.kind == Kind::value) {
      if (rest.starts_with('=')) rest.erase(0, 1);
      give(option, rest.empty() ? following(words, at, std::string{'-', word[letter]}) : rest);
      return;
    }
    if (rest.starts_with('=')) {  // -d=false
      give(option, rest.substr(1));
      return;
    }
    give(option, "true");
  }
}

void Options::split(const Words& words, Stop stop) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (word == "--") {
      positionals_.insert(positionals_.end(), words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
      return;
    }
    const bool positional = word.size() < 2 || word[0] != '-';
    if (positional && stop == Stop::at_first_positional) {
      positionals_.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
      return;
    }
    if (positional)
      positionals_.push_back(word);
    else if (word[1] == '-')
      split_long(words, at);
    else
      split_short(words, at);
  }
}

void Options::run_parser() {
  CLI::App app(summary_, "drydock " + command_);
  app.set_help_flag();
  for (const auto& entry : declared_)
    if (entry->given) entry->option = entry->declare_in(app);
  std::vector<std::string> reversed(normal_.rbegin(), normal_.rend());  // CLI11 takes words from the back
  try {
    app.parse(reversed);
  } catch (const CLI::Error& error) {
    throw Error::refused("drydock " + command_, error.what(), "'drydock " + command_ + " --help' shows the forms");
  }
  for (const CLI::Option* option : app.parse_order()) {
    for (const auto& entry : declared_)
      if (entry->option == option && entry->taken < option->results().size()) entry->store(option->results()[entry->taken++]);
  }
  for (const auto& entry : declared_) entry->option = nullptr;  // they end with `app`
}

void Options::print_help(bool advanced) const {
  CLI::App app(summary_);
  app.set_help_flag();
  app.formatter(std::make_shared<Page>("drydock " + command_ + " [OPTIONS] " + arguments_));
  if (!footer_.empty()) app.footer("\n" + footer_);
  for (const auto& entry : declared_) {
    CLI::Option* const option = entry->declare_in(app);
    if (advanced && entry->heading.empty()) option->group("Advanced");
  }
  std::string page = app.help();
  for (std::size_t gap = 0; (gap = page.find("\n\n\n", gap)) != std::string::npos;) page.erase(gap, 1);
  std::fwrite(page.data(), 1, page.size(), stdout);
}

bool Options::parse(const Words& words, Stop stop) {
  bool help = false, advanced = false;
  heading_ = "Help";
  flag(find("-h") != nullptr ? "--help" : "-h,--help", "show this page", help);
  heading_ = "";
  flag("--help-advanced", "show all options, also those for teaching and testing", advanced);
  split(words, stop);
  run_parser();
  if (!help && !advanced) return true;
  print_help(advanced);
  return false;
}

void Options::require(std::size_t least, std::size_t most, const std::string& wanted, const std::string& remedy) const {
  if (positionals_.size() < least) throw Error::refused(command_, wanted + " is missing", remedy);
  if (positionals_.size() > most)
    throw Error::refused(command_ + " '" + positionals_[most] + "'", "that is one argument too many", remedy);
}

}  // namespace drydock::cli
