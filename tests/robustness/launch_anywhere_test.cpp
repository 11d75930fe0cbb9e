// Launching from any process: one with many threads that fight for malloc's lock, one whose container runs out of memory, is
// interrupted, or tries to get at the program that started it.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <thread>

#include "container/console.hpp"
#include "container/launches.hpp"
#include "support/patience.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// Threads that allocate and free without pause, all in one arena: a child of fork would find its lock held now and then, and
// wait for ever.
class Churn {
 public:
  Churn() {
    ::mallopt(M_ARENA_MAX, 1);
    for (std::thread& thread : threads_)
      thread = std::thread([this] {
        for (std::size_t size = 1; !stop_; size = size * 7 % 9973) std::string(size, 'x').swap(scrap());
      });
  }
  ~Churn() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Churn(const Churn&) = delete;

 private:
  static std::string& scrap() {
    static thread_local std::string text;
    return text;
  }
  std::atomic<bool> stop_ = false;
  std::array<std::thread, 8> threads_;
};

std::string content_of_monitor(const Host& host) {
  return sys::read_file(host.engine().paths().monitor);
}

// A directory on the host with one executable file, to be mounted into a container.
std::string directory_with(const Host& host, const std::string& name, const std::string& text) {
  const std::string path = host.scratch() + "/" + name;
  sys::write_all(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0755), text);
  return host.scratch();
}

}  // namespace

TEST_CASE("1,000 launches from a process with eight threads in malloc: none hangs", "[robustness][launch]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(launch_on(host, plain_spec({"true"})).exit_code == 0);
  const Churn churn;
  const std::uint64_t begin = sys::monotonic_ns();
  int good = 0;
  std::uint64_t longest = 0;
  const int launches = full_sweeps() ? 1000 : repetitions(1000);
  for (int count = 0; count < launches; ++count) {
    const std::uint64_t start = sys::monotonic_ns();
    good += launch_on(host, plain_spec({"true"})).exit_code == 0 ? 1 : 0;
    longest = std::max(longest, sys::monotonic_ns() - start);
  }
  std::cout << launches << " launches beside 8 threads in malloc: " << (sys::monotonic_ns() - begin) / 1'000'000 << " ms, the longest "
            << longest / 1'000'000 << " ms" << std::endl;
  CHECK(good == launches);
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("the caller survives a container that runs out of memory", "[robustness][launch]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  container::Spec spec = plain_spec({"sh", "-c", "tail -c 200m /dev/zero"});
  spec.limits.memory = 16 << 20;
  spec.limits.memory_swap = 16 << 20;
  const container::Outcome outcome = host.engine().run(spec);
  CHECK(outcome.exit_code == 128 + SIGKILL);
  CHECK(outcome.out_of_memory);
  CHECK(launch_on(host, plain_spec({"true"})).exit_code == 0);  // and can go on
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("Ctrl-C reaches the program; the caller stays until it ends", "[robustness][launch]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, {"run", "--rm", "busybox", "sh", "-c",
                         "trap 'heard=yes; echo heard' INT; echo ready; until [ \"$heard\" ]; do sleep 0.05; done; echo last; exit 4"});
  REQUIRE(console.expect("ready"));
  console.type("\x03");
  CHECK(console.expect("heard"));
  CHECK(console.expect("last"));
  CHECK(console.wait() == 4);
  CHECK(console.sane());
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("an entrypoint that is #!/proc/self/exe gets nothing of ours to run or write", "[robustness][launch][security]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string before = content_of_monitor(host);
  const std::string mount = directory_with(host, "trap", "#!/proc/self/exe\n") + ":/mnt";
  const Result run = host.drydock({"run", "--rm", "-v", mount, "busybox", "/mnt/trap"});
  INFO(run.seen());
  CHECK(run.code != 0);
  CHECK_FALSE(run.timed_out);
  CHECK((content_of_monitor(host) == before));
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("root in a container cannot write the program that is its pid 1's executable", "[robustness][launch][security]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string before = content_of_monitor(host);
  for (const Words& options : {Words{"--init"}, Words{"--init", "--privileged"}}) {
    Words words{"run", "--rm"};
    words.insert(words.end(), options.begin(), options.end());
    for (const char* word : {"busybox", "sh", "-c", "cat /proc/1/exe > /dev/null && echo read; echo x >> /proc/1/exe || echo refused"})
      words.push_back(word);
    const Result run = host.drydock(words);
    INFO(run.seen());
    CHECK(run.out.find("refused") != std::string::npos);
    CHECK((content_of_monitor(host) == before));
  }
  CHECK(host.leftovers(3000) == nothing);
}
