#include <drydock/lab/build.hpp>

#include <algorithm>

#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

constexpr std::size_t largest_program = 32 << 20, largest_diagnostics = 64 << 10;

BoxLimits compiler_limits() {
  BoxLimits limits;
  limits.memory = 768ULL << 20;
  limits.disk = 128ULL << 20;
  limits.pids = 32;
  limits.cpus = 2;
  limits.seconds = 12;
  limits.output = 2 * largest_program;
  limits.flood = largest_program;
  return limits;
}

std::vector<std::string> compiler_directories() {
  std::vector<std::string> shown;
  for (const char* path : {"/usr/bin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/include"})
    if (sys::exists(path)) shown.emplace_back(path);
  return shown;
}

struct Attempt {
  std::string program, diagnostics;
};

std::string shortened(std::string text) {
  if (text.size() <= largest_diagnostics) return text;
  return text.substr(0, largest_diagnostics / 2) + "\n[...]\n" + text.substr(text.size() - largest_diagnostics / 2);
}

std::string why_ended(const BoxEnd& end) {
  if (end.out_of_time) return "the compiler was stopped: it took too long\n";
  if (end.out_of_memory) return "the compiler was stopped: it needed too much memory\n";
  if (end.flooded) return "the compiler was stopped: it wrote too much\n";
  return {};
}

Attempt compile(const Machine& machine, const Kit& kit, const std::vector<FunctionFile>& files,
                const std::vector<bool>& with_stub) {
  BoxSpec spec;
  spec.limits = compiler_limits();
  spec.shown = compiler_directories();
  spec.files = kit.files;
  spec.files.push_back({"probe", kit.probe, 0755});
  spec.files.push_back({"driver.cpp", kit.driver});
  spec.command = {"/lab/probe",   "produce",      "/tmp/program",
                  "/usr/bin/g++", "-std=c++20",   "-O1",
                  "-Wall",        "-Wextra",      "-fdiagnostics-color=never",
                  "-static",      "-s",           "-I/lab",
                  "-o",           "/tmp/program", "/lab/driver.cpp"};
  for (std::size_t index = 0; index < files.size(); ++index) {
    const std::string name = files[index].function + ".cpp";
    spec.files.push_back({name, with_stub[index] ? files[index].stub : files[index].text});
    spec.command.push_back("/lab/" + name);
  }
  Box box(spec, machine);
  const BoxEnd& end = box.wait();
  const bool made = end.exit_code == 0 && !end.flooded && end.output_complete && !end.output.empty();
  return {made ? end.output : std::string(), shortened(why_ended(end) + end.error)};
}

}  // namespace

Built build(const Machine& machine, const Kit& kit, const std::vector<FunctionFile>& files) {
  std::vector<bool> with_stub(files.size(), false);
  Attempt whole = compile(machine, kit, files, with_stub);
  if (!whole.program.empty()) return {std::move(whole.program), {}, std::move(whole.diagnostics)};
  Built built;
  // Each function alone among stubs: the compiler's message, and the linker's, then belong to one file.
  for (std::size_t index = 0; index < files.size(); ++index) {
    std::vector<bool> only(files.size(), true);
    only[index] = false;
    Attempt alone = compile(machine, kit, files, only);
    if (!alone.program.empty()) continue;
    with_stub[index] = true;
    built.broken.push_back({files[index].function, std::move(alone.diagnostics)});
  }
  if (built.broken.empty()) {
    // Each by itself is fine, together they are not: a name is defined in two of them.
    built.diagnostics = std::move(whole.diagnostics);
    for (const FunctionFile& file : files) built.broken.push_back({file.function, built.diagnostics});
    return built;
  }
  if (built.broken.size() == files.size()) return built;
  Attempt rest = compile(machine, kit, files, with_stub);
  built.program = std::move(rest.program);
  built.diagnostics = std::move(rest.diagnostics);
  return built;
}

}  // namespace drydock::lab
