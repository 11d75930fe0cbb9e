#include <drydock/image/store.hpp>
#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"

using drydock::Error;
using drydock::image::normalized_reference;

TEST_CASE("references are completed as Docker completes them", "[image][N1-062][N1-063][N1-064]") {
  CHECK(normalized_reference("busybox") == "busybox:latest");
  CHECK(normalized_reference("busybox:1.36") == "busybox:1.36");
  CHECK(normalized_reference("docker.io/library/busybox") == "busybox:latest");
  CHECK(normalized_reference("library/busybox:x") == "busybox:x");
  CHECK(normalized_reference("docker.io/grafana/loki") == "grafana/loki:latest");
  CHECK(normalized_reference("localhost/mine") == "localhost/mine:latest");
  CHECK(normalized_reference("localhost:5000/mine") == "localhost:5000/mine:latest");
  CHECK(normalized_reference("127.0.0.1:5000/a/b:c") == "127.0.0.1:5000/a/b:c");
  CHECK(normalized_reference("x/a__b--c.d") == "x/a__b--c.d:latest");
  const std::string digest = "sha256:" + std::string(64, 'a');
  CHECK(normalized_reference("busybox@" + digest) == "busybox@" + digest);
  CHECK(normalized_reference("busybox:tag@" + digest) == "busybox@" + digest);
}

TEST_CASE("references that Docker refuses are refused", "[image]") {
  for (const std::string text :
       {"",   "Busybox", "a/B",   "busy box", "-x",     "x-",     "a..b", "a___b",       "a//b",  "/a",  "a/",
        "a:", "a:-t",    "a:b c", ":t",       "../etc", "a/../b", "a@b",  "a@sha256:12", "a:b/c", "a\nb"}) {
    INFO("'" << text << "'");
    CHECK_THROWS_AS(normalized_reference(text), Error);
  }
  CHECK_THROWS_AS(normalized_reference(std::string(64, 'a')), Error);  // an id
  CHECK_THROWS_AS(normalized_reference("sha256:" + std::string(64, 'a')), Error);
  CHECK_THROWS_AS(normalized_reference("x:" + std::string(129, 't')), Error);
  CHECK_THROWS_AS(normalized_reference(std::string(250, 'n')), Error);  // would be no file name any more
}
