// join_words.h: words put back into a text as it is usually written.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace carousel {

// Blanks between words, with these exceptions: none before . , ; : ! ? % and what closes ( ) ] } ' and right quotes),
// none behind what opens (( [ { $ # and left quotes), none on either side of - / and none between two words that meet
// in characters of a script that is written without blanks (Chinese, Japanese, Thai ...) or in their punctuation. The
// marks " open and close in turn.
std::string join_words(std::span<const std::string_view> words);

}  // namespace carousel
