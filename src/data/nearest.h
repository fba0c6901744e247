// nearest.h: helpers for messages: the known word nearest to a misspelt one, and long text cut short.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace carousel {

// The word of fewest edits (a letter more, less or other, or two neighbours swapped; case ignored); "" if none is near:
// more than a third of its letters differ.
std::string nearest_word(std::string_view word, std::span<const std::string> known);

// At most 60 bytes of the text, cut between characters and marked "..." if longer; control characters become spaces.
std::string shortened(std::string_view text);

// "a, b, c"; at most 20 of them, then how many more there are.
std::string listed(std::span<const std::string> words);

}  // namespace carousel
