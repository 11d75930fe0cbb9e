// "Did you mean ...?": the known word that is nearest to what was typed.
//
// Example: nearest("memroy", {"memory", "name"}) == "memory"
// Source: Damerau-Levenshtein distance (optimal string alignment): a swap of two neighbours counts as one mistake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::cli {

std::size_t edit_distance(std::string_view a, std::string_view b);
// Empty when nothing is near: at most one mistake in every three letters, at least one.
std::string nearest(std::string_view typed, const std::vector<std::string>& known);

}  // namespace drydock::cli
