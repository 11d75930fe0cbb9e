// Acceptance item 13: what a new user gets wrong is answered by one message (object, reason, remedy), the right exit code, and
// nothing is left.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"
#include "container/user.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// What is typed behind "run --rm", and what the one message must hold: the object as it was typed, and what to do.
struct Wrong {
  Words typed;
  std::string object, remedy;
  int code = 125;
};

void check_runs(Host& host, const std::vector<Wrong>& cases) {
  for (const Wrong& wrong : cases) {
    Words words{"run", "--rm"};
    words.insert(words.end(), wrong.typed.begin(), wrong.typed.end());
    const Result run = host.drydock(words);
    std::string typed;
    for (const std::string& word : words) typed += " " + word;
    INFO("drydock" << typed << "\n" << run.seen());
    CHECK(one_message(run, wrong.code));
    CHECK(has(run.err, wrong.object));
    CHECK(has(run.err, "; "));  // reason; remedy
    CHECK(has(run.err, wrong.remedy));
  }
}

void mount_tmpfs(const std::string& path, const std::string& options, unsigned long flags = 0) {
  sys::mkdir(path, 0755);
  if (::mount("drydock-small", path.c_str(), "tmpfs", flags, options.c_str()) != 0) throw Error::from_errno("mount", path, errno);
}

void unmount(const std::string& path) {
  ::umount2(path.c_str(), MNT_DETACH);
}

}  // namespace

TEST_CASE("wrong images", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  check_runs(host, {{{"nosuch", "true"}, "image 'nosuch'", "check the spelling"},
                    {{"busybox:9", "true"}, "image 'busybox:9'", "which has busybox:latest"},
                    {{"BusyBox", "true"}, "'BusyBox'", "lower case"},
                    {{"a b", "true"}, "'a b'", "NAME:TAG"},
                    {{}, "the image is missing", "for example"}});
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("wrong options and commands of drydock itself, with the nearest right one", "[container][wrong][N2-015]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  check_runs(host, {{{"--memroy", "64m", "busybox", "true"}, "option --memroy", "did you mean --memory?"},
                    {{"--pid-limit", "3", "busybox", "true"}, "option --pid-limit", "did you mean --pids-limit?"},
                    {{"-z", "busybox", "true"}, "option -z", "--help"},
                    {{"--vm", "1", "busybox", "true"}, "option --vm", "--help"},
                    {{"-c", "while true; do sleep 1; done", "busybox"}, "-c/--cpu-shares", "drydock run IMAGE sh -c"},
                    {{"--name"}, "--name", ""}});
  const Result command = host.drydock({"rum", "busybox"});
  CHECK(one_message(command, 1));
  CHECK(has(command.err, "command 'rum': there is no such command; did you mean 'drydock run'?"));
  const Result behind = host.drydock({"run", "--rm", "busybox", "--name", "box"});  // options behind the image are the program's
  INFO(behind.seen());
  CHECK(behind.code == 127);
  CHECK(has(behind.err, "options of drydock go before the image"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("wrong limits", "[container][wrong][N2-036]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto with = [](const char* option, const char* value) { return Words{option, value, "busybox", "true"}; };
  check_runs(host, {{with("-m", "64x"), "'64x'", "64m"},
                    {with("-m", "-5"), "'-5'", "number of bytes"},
                    {with("-m", "1k"), "'1k'", "6m or more"},
                    {{"-m", "64m", "--memory-swap", "32m", "busybox", "true"}, "--memory-swap", "at least the value of -m, or -1"},
                    {with("--memory-swap", "64m"), "--memory-swap", "add -m/--memory"},
                    {with("--cpus", "0"), "'0'", "0.01"},
                    {with("--cpus", "4000"), "4000", ""},
                    {with("-c", "1"), "'1'", "from 2 to 262144"},
                    {with("--cpuset-cpus", "8000"), "8000", "this machine has"},
                    {with("--cpuset-cpus", "one"), "'one'", "0-2"},
                    {with("--pids-limit", "x"), "'x'", "from 1"},
                    {with("--device-write-bps", "/dev/nosuch:1m"), "/dev/nosuch", "lsblk"},
                    {with("--device-write-bps", "1m"), "'1m'", "DEVICE:RATE"},
                    {with("--ulimit", "nosuch=1"), "'nosuch=1'", "nofile"}});
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("wrong ports and networks", "[container][wrong][N4-049]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto with = [](const char* option, const char* value) { return Words{option, value, "busybox", "true"}; };
  check_runs(host, {{with("-p", "80:http"), "'80:http'", "8080:80"},
                    {with("-p", "70000:80"), "'70000:80'", "1 to 65535"},
                    {with("-p", "1:2:3:4"), "'1:2:3:4'", "[::1]:8080:80"},
                    {with("-p", "80/sctp"), "'80/sctp'", "tcp or udp"},
                    {{"-p", "18090:80", "-p", "18090:81", "busybox", "true"}, "18090", "its own port"},
                    {{"-p", "18090:80", "--network", "none", "busybox", "true"}, "-p", "--network bridge"},
                    {with("--network", "docker0"), "'docker0'", "bridge, none, host, slirp4netns or container:NAME"},
                    {with("--network", "container:nosuch"), "container 'nosuch'", "drydock ps -a"},
                    {with("--ip", "172.29.0"), "'172.29.0'", "for example"},
                    {{"--ip", "172.29.0.9", "--network", "host", "busybox", "true"}, "--ip", "leave out --ip"},
                    {with("--dns", "nine"), "'nine'", "name server"},
                    {with("--add-host", "db"), "'db'", "NAME:ADDRESS"},
                    {with("-p", "192.0.2.9:18090:80"), "192.0.2.9:18090", "ip address"}});
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("wrong mounts", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto with = [](const char* option, const std::string& value) { return Words{option, value, "busybox", "true"}; };
  check_runs(host, {{with("-v", "/no/such:/data"), "'/no/such'", "create it first"},
                    {with("-v", "/tmp:data"), "'/tmp:data'", "must begin with /"},
                    {with("-v", "/tmp:/data:rx"), "'rx'", "ro, rw"},
                    {with("-v", "/etc/passwd:/etc"), "/etc", "both be directories or both be files"},
                    {with("-v", host.scratch() + ":/etc/passwd"), "/etc/passwd", "both be directories or both be files"},
                    {{"-v", "/tmp:/a", "-v", "/usr:/a", "busybox", "true"}, "/a", "leave out one"},
                    {with("--mount", "type=bnd,source=/tmp,target=/x"), "'bnd'", "bind, volume and tmpfs"},
                    {with("--mount", "type=bind,target=/x"), "type=bind,target=/x", "source="},
                    {with("--mount", "type=bind,source=/tmp"), "type=bind,source=/tmp", "target="},
                    {with("--mount", "type=bind,source=/no/such,target=/x"), "'/no/such'", "create it first"},
                    {with("--mount", "type=bind,source=/tmp,target=/x,colour=red"), "'colour'", "readonly"},
                    {with("--tmpfs", "relative"), "'relative'", "/"}});
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("wrong users, directories, names, rights, files", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto with = [](const char* option, const char* value) { return Words{option, value, "busybox", "true"}; };
  check_runs(host, {{with("--user", "nosuch"), "user 'nosuch'", "use a number"},
                    {with("--user", "0:nosuch"), "'0:nosuch'", "use a number"},
                    {with("--user", "a:b:c"), "'a:b:c'", "USER:GROUP"},
                    {with("-w", "relative"), "'relative'", "/srv"},
                    {with("-w", "/etc/passwd"), "/etc/passwd", "choose another with -w"},
                    {with("--name", "x!"), "'x!'", "letters, digits"},
                    {with("--hostname", "a b"), "'a b'", "letters, digits"},
                    {with("-e", "=x"), "'=x'", "NAME=value"},
                    {with("--env-file", "/no/such"), "--env-file '/no/such'", "check the path"},
                    {with("--cap-add", "NOSUCH"), "'NOSUCH'", "NET_ADMIN"},
                    {with("--security-opt", "nosuch"), "'nosuch'", "seccomp="},
                    {with("--security-opt", "seccomp=/no/such"), "/no/such", "JSON"},
                    {with("--userns", "some"), "'some'", "auto"},
                    {with("--trace", "/no/such/file"), "/no/such/file", "check the path"},
                    {with("--inject", "nosuch=EPERM"), "step 'nosuch'", "--plan"}});
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a missing command, one that is no program, and a directory", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  check_runs(host, {{{"busybox", "nosuch"}, "'nosuch'", "look inside with", 127},
                    {{"busybox", "/bin/nosuch"}, "'/bin/nosuch'", "look inside with", 127},
                    {{"busybox", "/etc/passwd/x"}, "'/etc/passwd/x'", "check the path", 127},
                    {{"busybox", ""}, "program ''", "look inside with", 127},
                    {{"busybox", "/etc/passwd"}, "'/etc/passwd'", "ls -ld", 126},
                    {{"busybox", "/etc"}, "'/etc'", "ls -ld", 126},
                    {{"--entrypoint", "", "busybox"}, "image 'busybox'", "behind the image"}});
  const Result text = in_container(host, "printf 'no program' > /x; chmod 755 /x; exec /x");
  CHECK(text.code != 0);
  const std::string script = scratch_file(host, "script", "#!/no/such/interpreter\n", 0755), empty = scratch_file(host, "elf", "\x7f" "ELF", 0755);
  check_runs(host, {{{"-v", script + ":/script", "busybox", "/script"}, "'/script'", "interpreter is missing", 127},
                    {{"-v", empty + ":/elf", "busybox", "/elf"}, "'/elf'", "another architecture", 126}});
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a container that there is not", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (const char* command : {"exec", "logs", "stop", "kill", "rm", "attach", "wait", "inspect"}) {
    Words words{command, "nosuch"};
    if (words[0] == "exec") words.push_back("true");
    Result run = host.drydock(words);
    if (words[0] == "inspect") {
      CHECK(run.out == "[]\n");  // what was found, for the program that reads it
      run.out.clear();
    }
    INFO(command << ": " << run.seen());
    CHECK(one_message(run, words[0] == "exec" ? 125 : 1));
    CHECK(has(run.err, "container 'nosuch': there is none with that name or id on this host; see 'drydock ps -a'"));
    words.erase(words.begin() + 1, words.end());
    const Result bare = host.drydock(words);
    CHECK(one_message(bare, words[0] == "exec" ? 125 : 1));
    CHECK(has(bare.err, std::string(command) + ": the container is missing; for example: drydock " + command));
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("an id may be shortened, but not to one digit", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto box = detached(host, "box", "exec sleep 100");
  const Result short_one = host.drydock({"rm", "-f", box.id.substr(0, 1)});
  CHECK(one_message(short_one, 1));
  CHECK(has(short_one.err, "container '" + box.id.substr(0, 1) + "': there is none"));
  CHECK(host.drydock({"rm", "-f", box.id.substr(0, 2)}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a read-only disk, for the data and for the state", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string place = host.scratch() + "/sealed";
  mount_tmpfs(place, "", MS_RDONLY);
  for (const char* option : {"--root", "--state"}) {
    const Result run = host.drydock({option, place + "/drydock", "run", "--rm", "busybox", "true"});
    INFO(run.seen());
    CHECK(one_message(run, 125));
    CHECK(has(run.err, place));
    CHECK(has(run.err, "read-only"));
    CHECK(has(run.err, std::string("drydock ") + option + " DIR run"));
  }
  // With the images on it, only what a container writes is missing.
  if (::mount(shared_data().c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0) FAIL("bind mount");
  if (::mount(nullptr, place.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) FAIL("read-only bind mount");
  const Result run = host.drydock({"--root", place, "run", "--rm", "busybox", "true"});
  INFO(run.seen());
  CHECK(one_message(run, 125));
  CHECK(has(run.err, "read-only"));
  CHECK(has(run.err, "--root DIR"));
  CHECK(host.drydock({"--root", place, "images"}).code == 0);
  unmount(place);
  unmount(place);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a full disk", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string tiny = host.scratch() + "/tiny", full = host.scratch() + "/full";
  mount_tmpfs(tiny, "size=512k");
  const Result image = host.drydock({"--root", tiny, "run", "--rm", "busybox", "true"});  // no room for the base image
  INFO(image.seen());
  CHECK(one_message(image, 125));
  CHECK(has(image.err, "image 'busybox'"));
  CHECK(has(image.err, "the disk (or a kernel table) is full"));

  mount_tmpfs(full, "size=16m,nr_inodes=1k");
  REQUIRE(host.drydock({"--root", full, "run", "--rm", "busybox", "true"}).code == 0);
  {
    const Fd file = sys::open(full + "/fill", O_WRONLY | O_CREAT, 0600);
    const std::string page(4096, 'x');
    while (::write(file.get(), page.data(), page.size()) > 0) {}
    for (int number = 0; ::mkdir((full + "/d" + std::to_string(number)).c_str(), 0700) == 0; ++number) {}
  }
  for (const char* how : {"--rm", "-d"}) {
    const Result run = host.drydock({"--root", full, "run", how, "busybox", "true"});
    INFO(run.seen());
    CHECK(one_message(run, 125));
    CHECK(has(run.err, full));
    CHECK(has(run.err, "the disk (or a kernel table) is full"));
    CHECK(has(run.err, "free some space"));
  }
  for (const char* directory : {"/containers", "/upper", "/work"}) CHECK(sys::list_directory(full + directory).empty());
  unmount(tiny);
  unmount(full);

  const std::string state = host.scratch() + "/state";
  mount_tmpfs(state, "size=4k,mode=755");
  const Result run = host.drydock({"--state", state, "run", "--rm", "busybox", "true"});
  INFO(run.seen());
  CHECK(one_message(run, 125));
  CHECK(has(run.err, state));
  CHECK(has(run.err, "is full"));
  unmount(state);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a state directory that somebody else could have prepared", "[container][wrong][security]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string state = host.scratch() + "/state";
  sys::mkdir(state, 0700);
  REQUIRE(::chown(state.c_str(), 65534, 65534) == 0);
  const Words words{"--state", state, "run", "--rm", "--network", "none", "busybox", "true"};
  const Result foreign = host.drydock(words);
  INFO(foreign.seen());
  CHECK(one_message(foreign, 125));
  CHECK(has(foreign.err, "uid 65534"));
  REQUIRE(::chown(state.c_str(), 0, 0) == 0);
  REQUIRE(::chmod(state.c_str(), 0777) == 0);
  CHECK(has(host.drydock(words).err, "others may write"));
  REQUIRE(::chmod(state.c_str(), 0755) == 0);
  CHECK(host.drydock(words).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("no root", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  User user(host);
  const Result run = user.drydock({"run", "--rm", "--ip", "172.29.0.9", "busybox", "true"});
  INFO(run.seen());
  CHECK(one_message(run, 125));
  CHECK(has(run.err, "as root (sudo"));
  CHECK(user.drydock({"ps"}).code == 0);
  CHECK(user.drydock({"run", "--plan", "busybox", "true"}).code == 0);  // needs no privilege
  CHECK(one_message(user.drydock({"exec", "nosuch", "true"}), 125));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a drydock without its other programs", "[container][wrong]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  How how;
  how.environment = {"DRYDOCK_MONITOR=" + host.scratch() + "/drydock-monitor"};
  const Result run = host.drydock({"run", "--rm", "busybox", "true"}, how);
  INFO(run.seen());
  CHECK(one_message(run, 125));
  CHECK(has(run.err, "drydock-monitor: it is not at " + host.scratch()));
  CHECK(has(run.err, "beside drydock (./lab build does)"));
  CHECK(host.leftovers() == nothing);
}
