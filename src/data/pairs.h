// pairs.h: a source and a target text per sample, from lines of pairs or from two files in step; what the translate
// task reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct TextPairs {
  std::vector<std::string> sources, targets;  // without the blanks at both ends; targets: as many, or none at all
  std::vector<std::string> notes;             // what was passed over or is empty, one line each
};

// One pair per line: source, separator (one character), target. What follows a second separator is passed over with a
// note, and so are blank lines, except where no targets are required: then each line is a source, an empty one too, and
// targets are kept if every line has one. Throws Error{kData} with file and line for a line that is not UTF-8 or
// has no target.
TextPairs read_pairs(const std::vector<std::string>& paths, char separator, bool targets_required);

// Line n of the sources with line n of the targets; files of one side follow one another. Without targets: sources
// alone. Empty lines are kept, so that the two stay in step, with a note. Throws Error{kData} with both counts if one
// side has more lines than the other.
TextPairs read_parallel(const std::vector<std::string>& sources, const std::vector<std::string>& targets);

// Adds the pairs and notes of `more`. Throws Error{kData} if one of them has targets and the other has none.
void append(TextPairs& pairs, TextPairs more);

}  // namespace carousel
