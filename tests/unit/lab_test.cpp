// The pure parts of the exercises: one source for two readers, seeds, and what is kept of a stream.
#include <drydock/lab/capture.hpp>
#include <drydock/lab/seed.hpp>
#include <drydock/lab/source.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace drydock;
using namespace drydock::lab;
using namespace drydock::test;

namespace {

const std::string text = R"(#include "exercise.hpp"

// EXERCISE 02.1 enter
int enter(int a) {
  // BEGIN SOLUTION
  return solve_the_whole_thing(a);
  // STUB: (void)a;
  // STUB: return -1;  // TODO(02.1): solve it
  // END SOLUTION
}

// EXERCISE 02.2 leave
int leave() {
  // BEGIN SOLUTION
  return 7;
  // STUB: return -1;  // TODO(02.2): leave
  // END SOLUTION
}
)";

std::string with(const std::string& from, const std::string& to) {
  std::string changed = text;
  return changed.replace(changed.find(from), from.size(), to);
}

std::string refused(const std::string& source) {
  return refusal([&] { parse_source("x/exercise.cpp", source); });
}

}  // namespace

TEST_CASE("lab: a source has a preamble and its functions") {
  const Source source = parse_source("x", text);
  CHECK(source.preamble == "#include \"exercise.hpp\"\n\n");
  REQUIRE(source.units.size() == 2);
  CHECK(source.units[1].id == "02.2");
  CHECK(source.unit("enter").text.find("02.2") == std::string::npos);
  CHECK(mentions(refusal([&] { source.unit("other"); }), "other"));
}

TEST_CASE("lab: students get the stub at its own indentation, authors the solution") {
  const Source source = parse_source("x", text);
  CHECK(student_text(source, source.units[0]) ==
        "#include \"exercise.hpp\"\n\n// EXERCISE 02.1 enter\nint enter(int a) {\n  (void)a;\n  return -1;  // TODO(02.1): solve "
        "it\n}\n\n");
  CHECK(reference_text(source, source.units[1]) ==
        "#include \"exercise.hpp\"\n\n// EXERCISE 02.2 leave\nint leave() {\n  return 7;\n}\n");
  CHECK(strip(strip(text)) == strip(text));
  CHECK(telling_lines(text) == std::vector<std::string>{"return solve_the_whole_thing(a);"});
}

TEST_CASE("lab: a source that would not come out right is refused with its line") {
  CHECK(mentions(refused(with("  // END SOLUTION\n}\n\n// EX", "}\n\n// EX")), "x/exercise.cpp:11"));
  CHECK(mentions(refused(with("  // BEGIN SOLUTION\n", "")), "STUB"));
  CHECK(mentions(refused(with("  // BEGIN SOLUTION\n", "  // BEGIN SOLUTION\n  // BEGIN SOLUTION\n")), "nest"));
  CHECK(mentions(refused(with("  // STUB: return -1;  // TODO(02.2): leave\n", "")), "STUB line"));
  CHECK(mentions(refused(with("TODO(02.2)", "TODO(02.1)")), "TODO(02.2)"));
  CHECK(mentions(refused(with("02.2 leave", "02.2 enter")), "twice"));
  CHECK(mentions(refused("int main() {}\n"), "EXERCISE"));
}

TEST_CASE("lab: comments and blanks are no attempt, strings are") {
  CHECK(same_code("int f() {\n  return 1;  // one\n}\n", "/* two */ int f()\n{\n\treturn 1;\n}"));
  CHECK_FALSE(same_code("return 1;", "return 2;"));
  CHECK_FALSE(same_code("puts(\"a // b\");", "puts(\"a // c\");"));
  CHECK_FALSE(same_code("puts(\"a b\");", "puts(\"ab\");"));
  CHECK(same_code("char c = '\"'; // x\n", "char c = '\"';"));
}

TEST_CASE("lab: each check has its own stream of the seed") {
  Random one("5f3a", "02.1a"), same("5f3a", "02.1a"), other("5f3a", "02.1b"), seed("5f3b", "02.1a");
  const std::string word = one.word("host-");
  CHECK(word == same.word("host-"));
  CHECK(word != other.word("host-"));
  CHECK(word != seed.word("host-"));
  CHECK(word.size() == 13);
  int low = 9, high = 0;
  for (int round = 0; round < 200; ++round) {
    const int value = one.between(2, 4);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  CHECK(low == 2);
  CHECK(high == 4);
}

// RFC 4231, test cases 1, 2 and 6; the first 16 digits.
TEST_CASE("lab: a student's seed is the HMAC of the course's key and the student") {
  CHECK(seed_of(std::string(20, '\x0b'), "Hi There") == "b0344c61d8db3853");
  CHECK(seed_of("Jefe", "what do ya want for nothing?") == "5bdcc146bf60754e");
  CHECK(seed_of(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") == "60e431591ee0b67f");
}

TEST_CASE("lab: of a long stream the beginning and the end are kept") {
  Capture whole(100);
  whole.take("hello ");
  whole.take("world");
  CHECK(whole.text() == "hello world");
  CHECK(whole.complete());
  Capture part(100);
  for (int line = 0; line < 1000; ++line) part.take("line " + std::to_string(line) + "\n");
  CHECK(part.total() == 8890);
  CHECK_FALSE(part.complete());
  CHECK(part.text().starts_with("line 0\n"));
  CHECK(part.text().ends_with("line 999\n"));
  CHECK(part.text().size() < 250);
}
