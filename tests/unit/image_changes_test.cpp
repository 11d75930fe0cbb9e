#include <drydock/image/archive/changes.hpp>
#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"

using drydock::Error;
using drydock::image::with_change;

TEST_CASE("instructions change the configuration", "[image][N4-065]") {
  CHECK(with_change("{}", "CMD [\"nginx\",\"-g\",\"daemon off;\"]") == R"({"Cmd":["nginx","-g","daemon off;"]})");
  CHECK(with_change("{}", "cmd echo hello") == R"({"Cmd":["/bin/sh","-c","echo hello"]})");
  CHECK(with_change("{}", "ENTRYPOINT [\"/init\"]") == R"({"Entrypoint":["/init"]})");
  CHECK(with_change("{}", "ENV A=1 B=\"two words\"") == R"({"Env":["A=1","B=two words"]})");
  CHECK(with_change(R"({"Env":["A=1","B=2"]})", "ENV A 3 4") == R"({"Env":["B=2","A=3 4"]})");
  CHECK(with_change("{}", "EXPOSE 80 53/udp") == R"({"ExposedPorts":{"80/tcp":{},"53/udp":{}}})");
  CHECK(with_change("{}", "VOLUME [\"/a b\",\"/c\"]") == R"({"Volumes":{"/a b":{},"/c":{}}})");
  CHECK(with_change("{}", "VOLUME /a /c") == R"({"Volumes":{"/a":{},"/c":{}}})");
  CHECK(with_change("{}", "  USER  www-data ") == R"({"User":"www-data"})");
  CHECK(with_change("{}", "WORKDIR /srv") == R"({"WorkingDir":"/srv"})");
  CHECK(with_change(R"({"WorkingDir":"/srv"})", "WORKDIR x") == R"({"WorkingDir":"/srv/x"})");
  CHECK(with_change("{}", "LABEL a=b") == R"({"Labels":{"a":"b"}})");
  CHECK(with_change("{}", "STOPSIGNAL SIGQUIT") == R"({"StopSignal":"SIGQUIT"})");
}

TEST_CASE("instructions that make no sense on an import are refused", "[image]") {
  for (const char* text : {"", "CMD", "RUN ls", "FROM x", "EXPOSE http", "EXPOSE 0", "EXPOSE 99999", "EXPOSE 80/icmp", "ENV A",
                           "ENV =x", "STOPSIGNAL SIGNOPE", "NONSENSE x"}) {
    INFO(text);
    CHECK_THROWS_AS(with_change("{}", text), Error);
  }
}
