// Starting for a caller with work of its own: streams of its choice, no signals taken, and the end when the caller lets go.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/serialise.hpp>

#include "container/host.hpp"
#include "container/launches.hpp"
#include "support/forked.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// A file without a name, to be one of the program's descriptors.
Fd scratch_file(const std::string& text = {}) {
  Fd file = sys::memfd_create("stream", 0);
  sys::write_all(file, text);
  sys::lseek(file, 0);
  return file;
}

std::string content(const Fd& file) {
  return sys::read_file("/proc/self/fd/" + std::to_string(file.get()));
}

sigset_t blocked() {
  sigset_t set;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &set);
  return set;
}

// Signals to this thread without pause, each of which interrupts a system call.
class SignalRain {
 public:
  SignalRain() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigaction(SIGUSR1, &action, &before_);
    thread_ = std::thread([this, target = ::pthread_self()] {
      while (!stop_) {
        ::pthread_kill(target, SIGUSR1);
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  ~SignalRain() {
    stop_ = true;
    thread_.join();
    ::sigaction(SIGUSR1, &before_, nullptr);
  }
  SignalRain(const SignalRain&) = delete;

 private:
  struct sigaction before_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a started program reads and writes the descriptors it was given", "[container][start]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Fd input = scratch_file("from the caller\n"), output = scratch_file(), error = scratch_file();
  container::RunOptions options;
  options.streams = {input.get(), output.get(), error.get()};
  container::Spec spec = plain_spec({"sh", "-c", "cat; echo oops >&2; exit 7"});
  spec.interactive = true;
  container::Started started = host.engine().start(spec, options);
  CHECK(started.id.size() == 64);
  CHECK(started.launch.wait_exited() == 7);
  CHECK(content(output) == "from the caller\n");
  CHECK(content(error) == "oops\n");
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("descriptors may have the numbers that the monitor will use", "[container][start]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Fd output = scratch_file();
  int status = 0;
  const pid_t child = forked();
  if (child == 0) {
    // Standard input and error are closed, so sockets and pipes get their numbers; the output is our descriptor 3.
    ::dup2(output.get(), 3);
    ::close(0);
    ::close(2);
    container::RunOptions options;
    options.streams = {-1, 3, 3};
    try {
      container::Started started = host.engine().start(plain_spec({"echo", "here"}), options);
      ::_exit(started.launch.wait_exited());
    } catch (const std::exception&) {
      ::_exit(99);
    }
  }
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(content(output) == "here\n");
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("letting go of a started program ends it, and its caller's signals were never touched", "[container][start]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const sigset_t before = blocked();
  {
    container::Started started = host.engine().start(plain_spec({"sleep", "100"}));
    const sigset_t meanwhile = blocked();
    for (int signal = 1; signal < 32; ++signal) CHECK(sigismember(&before, signal) == sigismember(&meanwhile, signal));
    CHECK_FALSE(host.leftovers(0) == nothing);
    const Fd output = scratch_file();
    container::RunOptions options;
    options.streams.output = output.get();
    container::ExecSpec exec;
    exec.command = {"echo", "inside"};
    CHECK(host.engine().start_exec(started.id, exec, options).launch.wait_exited() == 0);
    CHECK(content(output) == "inside\n");
  }
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("what is thrown while a program starts ends the start", "[container][start]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(launch_on(host, plain_spec({"true"})).exit_code == 0);
  const SignalRain rain;
  container::RunOptions options;
  options.while_starting = [] { throw std::runtime_error("interrupted"); };
  CHECK_THROWS_WITH(host.engine().start(plain_spec({"true"}), options), "interrupted");
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("a plan of somebody's own is no container, and disturbs nobody who lists them", "[container][start]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  container::Started started = host.engine().start(plain_spec({"sleep", "100"}));
  plan::Plan plan;
  plan.monitor("only", plan::ops::sleep_ms(1));
  plan::Settings settings;
  settings.id = std::string(64, 'a');
  const std::string ours = host.record(started.id).ledger_path;
  const std::string name = ours.substr(0, ours.rfind('/') + 1) + settings.id;
  sys::write_all(sys::open(name, O_WRONLY | O_CREAT | O_EXCL, 0600), plan::serialise(plan, settings));
  REQUIRE(host.engine().list(true).size() == 1);
  CHECK(host.engine().list(true).front().id == started.id);
  CHECK(host.engine().list_of_all_hosts().size() == 1);
  sys::unlink(name);
}
