#include <drydock/lab/verdict.hpp>

namespace drydock::lab {

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "OK";
    case Outcome::fail:
      return "FAIL";
    case Outcome::blocked:
      return "BLOCKED";
    case Outcome::skip:
      return "SKIP";
    case Outcome::error:
      return "ERROR";
  }
  return "ERROR";
}

}  // namespace drydock::lab
