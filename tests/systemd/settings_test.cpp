// Settings of a whole machine that close a door: provoked for real, named by doctor, met by a run, and repaired by the command
// that both say. Only on a machine that is nobody else's.
#include <ctime>

#include <drydock/kernel/remedies.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/permission.hpp>

#include "systemd/login.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

const Words plain{"run", "--rm", "--network", "none", "busybox", "true"};

}  // namespace

TEST_CASE("user namespaces that a setting closes: which one, and the command that opens them", "[systemd][doctor]") {
  DRYDOCK_NEEDS_LOGIN();
  Login login;
  for (const auto& [setting, closed] :
       {std::pair{"user/max_user_namespaces", "0"}, std::pair{"kernel/unprivileged_userns_clone", "0"}}) {
    const std::string path = std::string("/proc/sys/") + setting;
    if (!sys::exists(path)) continue;  // the second one is Debian's own
    INFO(setting);
    REQUIRE(login.outside(plain).code == 0);
    const std::string before = sys::read_file(path);
    sys::write_file(path, closed);
    const auto remedy = namespaces::closed_by(1000, namespaces::read_settings())->remedy();
    const Result doctor = login.outside({"doctor"}), run = login.outside(plain);
    const Result repaired = Login::as_root(remedy);
    const Result again = login.outside(plain);
    sys::write_file(path, before);
    INFO(doctor.seen() << run.seen() << repaired.seen() << again.seen());
    CHECK(has(doctor.out, remedy));
    CHECK(run.code == 125);
    CHECK(has(run.err, remedy));
    CHECK(again.code == 0);
  }
  CHECK(login.left() == nothing);
}

TEST_CASE("a kernel without nf_tables: no bridge, and the command that brings it", "[systemd][doctor]") {
  DRYDOCK_NEEDS_LOGIN();
  const std::string drydock = drydock_program();
  const std::string loader = sys::read_file("/proc/sys/kernel/modprobe");
  REQUIRE(Login::as_root(drydock + " run --rm busybox true && " + drydock + " reset --all").code == 0);
  sys::write_file("/proc/sys/kernel/modprobe", "/bin/false");  // the kernel would load it again at once
  // The tables of other tests go with their network namespaces, a little later.
  Result removed;
  const bool gone = eventually(
      [&] {
        removed = Login::as_root(
            "modprobe -r $(grep -o '^nft_[a-z0-9_]*' /proc/modules) nf_tables 2>&1; ! grep '^nf_tables ' /proc/modules");
        return removed.code == 0;
      },
      1000);
  const Result doctor = Login::as_root(drydock + " doctor"), run = Login::as_root(drydock + " run --rm busybox true");
  const Result without = Login::as_root(drydock + " run --rm --network none busybox true");
  const Result repaired = Login::as_root(remedies::nft_modules);
  sys::write_file("/proc/sys/kernel/modprobe", loader);
  INFO(removed.seen() << doctor.seen() << run.seen() << without.seen() << repaired.seen());
  REQUIRE(gone);
  CHECK(has(doctor.out, remedies::nft_modules));
  CHECK(run.code == 125);
  CHECK(has(run.err, remedies::nft_modules));
  CHECK(without.code == 0);  // as doctor says
  const Result again = Login::as_root(drydock + " run --rm busybox true && " + drydock + " reset --all");
  INFO(again.seen());
  CHECK(again.code == 0);
}

TEST_CASE("a clock that stands in 1970: both levels of the doctor name it, and containers do not mind", "[systemd][doctor]") {
  DRYDOCK_NEEDS_LOGIN();
  const std::string drydock = drydock_program();
  const Result said =
      Login::as_root("before=$(date +%s); date -s @3600; " DRYDOCK_SOURCE_DIR "/tools/doctor.sh; " + drydock + " doctor; " + drydock +
                     " run --rm --network none busybox true; echo run=$?; date -s @$((before + $(date +%s) - 3600))");
  INFO(said.seen());
  CHECK(has(said.out, "missing   clock                it stands in 1970"));  // packages are refused
  CHECK(has(said.out, "sudo date -s"));
  CHECK(has(said.out, "degraded  clock                it stands before 2024"));
  CHECK(has(said.out, "sudo timedatectl set-ntp true"));
  CHECK(has(said.out, "run=0\n"));
  CHECK(std::time(nullptr) > 1'700'000'000);
}
