#include "container/program.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include <drydock/kernel/sys.hpp>

#include "support/forked.hpp"
#include "support/patience.hpp"

namespace drydock::test {

namespace {

using Clock = std::chrono::steady_clock;

int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string content(const Fd& file) {
  std::string text;
  std::array<char, 65536> buffer;
  for (ssize_t size; (size = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

Fd input_with(const std::string& text) {
  if (text.empty()) return sys::open("/dev/null", O_RDONLY);
  Fd file = sys::memfd_create("input", 0);
  sys::write_all(file, text);
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// In the child, between fork and exec.
[[noreturn]] void become(const How& how, const std::vector<char*>& argv, const std::vector<char*>& environment, const int (&files)[3]) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 0; number < 3; ++number) ::dup2(files[number], number);
  if (!how.directory.empty() && ::chdir(how.directory.c_str()) != 0) ::_exit(99);
  // By descriptor: another user may not be allowed to walk to the build directory.
  const int program = ::open(argv[0], O_RDONLY | O_CLOEXEC);
  if (how.user && (::setgroups(0, nullptr) != 0 || ::setresgid(*how.user, *how.user, *how.user) != 0 || ::setresuid(*how.user, *how.user, *how.user) != 0))
    ::_exit(99);
  ::fexecve(program, argv.data(), environment.data());
  ::_exit(98);
}

}  // namespace

bool eventually(const std::function<bool()>& condition, int timeout_ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(patient(timeout_ms));
  while (!condition()) {
    if (Clock::now() > end) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

Program::Program(const Words& argv, const How& how, const Words& environment)
    : out_(sys::memfd_create("out", 0)), err_(sys::memfd_create("err", 0)), begin_(Clock::now()) {
  Words words = argv, variables = how.environment;  // of two with the same name, the first counts
  variables.insert(variables.end(), environment.begin(), environment.end());
  const std::vector<char*> arguments = pointers(words), values = pointers(variables);
  const Fd input = input_with(how.input);
  const int files[3] = {input.get(), out_.get(), err_.get()};
  pid_ = forked();
  if (pid_ == 0) become(how, arguments, values, files);
}

Program::Program(Program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), out_(std::move(other.out_)), err_(std::move(other.err_)), begin_(other.begin_) {}

Program::~Program() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Program::runs() {
  siginfo_t info{};
  return pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void Program::signal(int number) const {
  ::kill(pid_, number);
}

std::string Program::out() const {
  return content(out_);
}

std::string Program::err() const {
  return content(err_);
}

Result Program::wait(int timeout_ms) {
  Result result;
  const Fd process = sys::pidfd_open(pid_);
  pollfd event{process.get(), POLLIN, 0};
  if (::poll(&event, 1, patient(timeout_ms)) == 0) {
    result.timed_out = true;
    ::kill(pid_, SIGKILL);
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  result.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  result.code = code_of(status);
  result.out = out();
  result.err = err();
  return result;
}

}  // namespace drydock::test
