// Why a call failed and what to do: one table from (call, errno) to a reason and a remedy.
//
// Every error message of the project, and docs/troubleshooting.md, read this table. A row for call "" holds for any call.
//
// Example: explain("mount", EPERM).remedy == "run as root (sudo), or with --userns for a container without privilege"
// Source: the ERRORS section of each page of section 2 of the manual; kernel documentation where it says more.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace drydock {

struct Explanation {
  std::string reason;
  std::string remedy;
};

struct ExplanationRow {
  std::string_view call;  // "" for every call
  int code;
  std::string_view reason;
  std::string_view remedy;
  std::string_view object = {};  // how the object's name begins, when the row holds for such objects only
};

// The row for this call and object, else the one for this call, else the one for any call, else two empty strings.
Explanation explain(std::string_view call, int code, std::string_view object = {});
std::span<const ExplanationRow> explanation_table();

}  // namespace drydock
