// The ways that older kernels need, taken on purpose on this one.
#include "container/launches.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// As on a kernel without lowerdir+ (before 6.7) and without layers by descriptor (before 6.13), with as many empty layers below the image as asked.
Attempt on_old_kernel(Host& host, const container::Spec& spec, std::size_t more_layers = 0, const std::string& inject = "") {
  Prepared prepared = prepare(host, spec, sys::random_hex(64));
  prepared.host.appended_layers = prepared.host.layers_by_descriptor = false;
  for (std::size_t number = 0; number < more_layers; ++number) {
    const std::string layer = host.data() + "/layers/test" + std::to_string(number) + std::string(56, '0');
    sys::mkdirs(layer, 0755);
    prepared.host.image.layers.insert(prepared.host.image.layers.begin(), layer);
  }
  prepared.made = container::container_plan(spec, prepared.host);
  prepared.made.settings.inject = inject;
  return launch_prepared(host, prepared);
}

void remove_layers(const Host& host, std::size_t count) {
  for (std::size_t number = 0; number < count; ++number) sys::rmdir(host.data() + "/layers/test" + std::to_string(number) + std::string(56, '0'));
}

}  // namespace

TEST_CASE("before Linux 6.7: the same container through mount(2)", "[container][overlay]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(on_old_kernel(host, full_container()).exit_code == 0);
  container::Spec spec = plain_spec({"sh", "-c", "test -x /bin/busybox && touch /new && rm /etc/passwd && grep -q '^overlay / overlay rw' /proc/mounts"});
  CHECK(on_old_kernel(host, spec).exit_code == 0);
  spec.read_only = true;
  spec.command = {"sh", "-c", "! touch /new"};
  CHECK(on_old_kernel(host, spec).exit_code == 0);
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("before Linux 6.13: id-mapped layers are stacked where only the monitor sees them", "[container][overlay]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  container::Spec spec = plain_spec({"sh", "-c", "test $(stat -c %u:%g /bin/busybox) = 0:0 && touch /new && rm /etc/passwd && grep -q '^overlay / overlay rw' /proc/mounts"});
  spec.userns.enabled = true;
  CHECK(on_old_kernel(host, spec).exit_code == 0);
  spec.read_only = true;
  spec.command = {"sh", "-c", "! touch /new"};
  CHECK(on_old_kernel(host, spec).exit_code == 0);
  CHECK(host.leftovers(3000) == nothing);
}

TEST_CASE("before Linux 6.13: whatever fails on the way, nothing stays mounted", "[container][overlay]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  container::Spec spec = plain_spec({"true"});
  spec.userns.enabled = true;
  for (const char* step : {"overlay.namespace", "overlay.layer.1", "overlay.mount", "overlay.detach", "overlay.umount", "overlay.umount.1", "root.attach"}) {
    INFO(step);
    const Attempt attempt = on_old_kernel(host, spec, 0, std::string(step) + "=EPERM");
    REQUIRE(attempt.failure.has_value());
    CHECK(attempt.failure->step() == step);
    CHECK(host.leftovers(3000) == nothing);
  }
}

TEST_CASE("before Linux 6.7: fifty layers fit into the page of options, a hundred are refused in words", "[container][overlay]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(on_old_kernel(host, plain_spec({"true"}), 48).exit_code == 0);
  remove_layers(host, 48);
  CHECK_THROWS_WITH(on_old_kernel(host, plain_spec({"true"}), 98), ContainsSubstring("one page"));
  remove_layers(host, 98);
  CHECK(host.leftovers(3000) == nothing);
}
