#include <drydock/network/names.hpp>

#include "support/catch.hpp"

using namespace drydock::network;

TEST_CASE("the hosts file names loopback, the container and what --add-host asked for", "[network]") {
  const std::string text = hosts_file("web", "172.29.0.2", {{"db", "172.29.0.3"}, {"six", "fd00::1"}});
  CHECK(text.starts_with("127.0.0.1\tlocalhost\n::1\tlocalhost"));
  CHECK(text.ends_with("172.29.0.3\tdb\nfd00::1\tsix\n172.29.0.2\tweb\n"));
}

TEST_CASE("without an address the hosts file does not name the container", "[network]") {
  CHECK(hosts_file("web", "", {}).find("web") == std::string::npos);
}

TEST_CASE("resolv.conf keeps servers that a container can reach, and search and options", "[network]") {
  const char* host =
      "# made by hand\nnameserver 127.0.0.53\nnameserver 9.9.9.9\nnameserver ::1\nsearch example.org lab\noptions "
      "ndots:2\nsortlist 10.0.0.0\n";
  CHECK(resolv_conf(host, {}) == "nameserver 9.9.9.9\nsearch example.org lab\noptions ndots:2\n");
}

TEST_CASE("--dns replaces the host's servers", "[network]") {
  CHECK(resolv_conf("nameserver 9.9.9.9\nsearch lab", {"1.1.1.1", "fd00::53"}) ==
        "nameserver 1.1.1.1\nnameserver fd00::53\nsearch lab\n");
}

TEST_CASE("a host with only a loopback resolver leaves a line that says so", "[network]") {
  const std::string text = resolv_conf("nameserver 127.0.0.53\n", {});
  CHECK(text.find("nameserver") == std::string::npos);
  CHECK(text.find("--dns") != std::string::npos);
}

TEST_CASE("keywords of resolv.conf are whole words", "[network]") {
  CHECK(resolv_conf("nameserverx 9.9.9.9\nnameserver\t8.8.4.4 # comment\n", {}) == "nameserver\t8.8.4.4 # comment\n");
}

TEST_CASE("the hostname file is one line", "[network]") {
  CHECK(hostname_file("web") == "web\n");
}
