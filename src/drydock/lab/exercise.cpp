#include <drydock/lab/exercise.hpp>

#include <algorithm>

#include <drydock/process/exit_status.hpp>

namespace drydock::lab {

namespace {

constexpr std::size_t last_words = 300;

std::vector<Exercise>& table() {
  static std::vector<Exercise> exercises;
  return exercises;
}

std::string how_it_ended(const BoxEnd& end) {
  if (end.out_of_memory) return "the box had no memory left";
  if (end.out_of_time) return "the program was stopped: its time was over";
  if (end.flooded) return "the program was stopped: it wrote too much";
  if (!end.exit_code) return "the program ran on";
  return "the program ended: " + process::describe_code(*end.exit_code);
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > last_words) text = "..." + text.substr(text.size() - last_words);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text;
}

}  // namespace

Registration::Registration(Exercise exercise) {
  std::vector<Exercise>& all = table();
  const auto later =
      std::find_if(all.begin(), all.end(), [&](const Exercise& other) { return other.chapter > exercise.chapter; });
  all.insert(later, std::move(exercise));
}

const std::vector<Exercise>& all_exercises() {
  return table();
}

std::unique_ptr<Box> Bench::start(Words words, BoxLimits limits) const {
  BoxSpec spec;
  spec.command = std::move(words);
  spec.files = {{"probe", kit_.probe, 0755}, {"program", program_, 0755}};
  spec.limits = limits;
  return std::make_unique<Box>(spec, machine_);
}

std::optional<pid_t> Bench::wait_for_probe(Box& box, const Words& words, int timeout_ms) const {
  std::optional<pid_t> found;
  box.wait_for([&] { return (found = find_probe(box, kit_.probe, words)).has_value(); }, timeout_ms);
  return found;
}

Verdict not_seen(Box& box, const std::string& expected, const std::string& why) {
  const BoxEnd& end = box.stop();
  const std::string said = one_line(end.error);
  return fail({expected, how_it_ended(end) + (said.empty() ? "" : "; it said: " + said), "the processes of the box", why});
}

}  // namespace drydock::lab
