// The options of one command: declared once, parsed, and printed as help.
//
// CLI11 parses and prints. Before it sees anything the words are split here, because what belongs to the program in the container
// must reach it untouched: parsing stops at the first positional (the image), as in Docker, so `run busybox ls -l` works.
// CLI11 learns only the options that were typed (all of them for a help page): declaring fifty costs a start 0.3 ms.
//
// Example:
//   Options options("run", "IMAGE [COMMAND] [ARG...]", "Run a program in a new container.");
//   options.flag("-i,--interactive", "keep standard input open", spec.interactive);
//   options.value("-m,--memory", "SIZE", "limit memory", [&](const std::string& text) { ... });
//   if (!options.parse(words, Options::Stop::at_first_positional)) return 0;  // help was printed
// Errors: Error::refused for an unknown option (with the nearest one), a missing value, and whatever a store function throws.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::cli {

using Words = std::vector<std::string>;
using Store = std::function<void(const std::string&)>;

class Options {
 public:
  enum class Stop { never, at_first_positional };

  Options(std::string command, std::string arguments, std::string summary);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // The heading of the options that follow. An empty one hides them from --help; --help-advanced shows all.
  void heading(const char* title) { heading_ = title; }
  // Shown below the options.
  void footer(std::string text) { footer_ = std::move(text); }
  // `names` as in "-i,--interactive"; the last long one is its name in messages. --NAME=false switches it off.
  // Names and texts are kept as they are given: they must be literals.
  void flag(const char* names, const char* help, bool& target);
  // Called once for each time the option is given, in the order of the command line.
  void value(const char* names, const char* form, const char* help, Store store);
  // A value is taken only from --NAME=VALUE; alone it means `bare`.
  void optional_value(const char* names, const char* form, const char* bare, const char* help, Store store);

  // False when --help was asked for and has been printed.
  bool parse(const Words& words, Stop stop);
  // What is left: arguments of the command. After a "--" everything is one.
  const Words& positionals() const { return positionals_; }
  // Error when there are fewer than `least` or more than `most`. `wanted` names what is missing ("an image"), `remedy` what to
  // type.
  static constexpr std::size_t any_number = static_cast<std::size_t>(-1);
  void require(std::size_t least, std::size_t most, const std::string& wanted, const std::string& remedy) const;

 private:
  enum class Kind { flag, value, optional_value };
  struct Declared;

  Declared& declare(Kind kind, const char* names, const char* form, const char* help, Store store);
  Declared* find(std::string_view name) const;
  Declared& known(const std::string& name) const;
  void split(const Words& words, Stop stop);
  void split_long(const Words& words, std::size_t& at);
  void split_short(const Words& words, std::size_t& at);
  void give(Declared& option, const std::string& value);
  const std::string& following(const Words& words, std::size_t& at, const std::string& name) const;
  void run_parser();
  void print_help(bool advanced) const;

  std::string command_, arguments_, summary_, footer_;
  const char* heading_ = "Options";
  std::vector<std::unique_ptr<Declared>> declared_;
  std::vector<std::pair<std::string_view, Declared*>> names_;
  Words normal_, positionals_;
};

}  // namespace drydock::cli
