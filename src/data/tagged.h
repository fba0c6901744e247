// tagged.h: sentences cut into tokens, with a tag for each token: what the tag task reads. gzip too.
//
//   columns    a token per line, a blank line ends a sentence (CoNLL). The first line that begins neither with '#' nor
//              with -DOCSTART- says how many columns there are, and that tabs separate them, if it has one, else
//              blanks. Blanks around a token or a tag are taken off. A line that begins with '#' before the first token
//              of a sentence is a comment if it has another number of columns, or, where blanks separate them, a tag
//              that no line without '#' has; a line whose first word is -DOCSTART- is no token and ends a sentence.
//              Both are counted.
//   parallel   a sentence per line, tokens separated by blanks; the tags stand in the same line of a second file
//   segmented  a sentence per line, words separated by blanks: its tokens are the characters, and their tags say where
//              words begin and end: B, M, E, or S for a word of one character
//
// A label for each sentence (its intent) may stand in a file of its own, a line for each sentence; that of a line
// without a token may be empty. All files must be UTF-8. Errors are Error{kData} with file and line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct TaggedSentence {
  std::vector<std::string> tokens = {};  // at least one, but for keep_empty
  std::vector<std::string> tags = {};    // one for each token; empty: the files have none
  std::string label = {};                // "" without label files
  std::string path;                      // of its file
  std::int64_t line = 0;                 // of its first token
  bool line_per_token = false;           // token t stands in line + t

  std::string place(std::size_t token) const;  // "atis.conll:17"
};

struct TaggedSources {
  std::vector<std::string> tokens;       // files
  std::vector<std::string> tags = {};    // of "parallel", as many
  std::vector<std::string> labels = {};  // none, or as many
  std::string format;                    // "columns", "parallel", "segmented"
  std::int64_t token_column = 0;         // from 1; 0: the first one
  std::int64_t tag_column = 0;           // from 1; 0: the last one
  bool tags_required = true;             // false: "parallel" without tag files; no column of tags is looked at
  bool keep_empty = false;               // "parallel", "segmented": lines without a token are sentences, too
};

struct TaggedText {
  std::vector<TaggedSentence> sentences;
  std::vector<std::string> notes;  // what was passed over, one line each
};

// Throws Error{kUsage} for numbers of files that do not fit, and Error{kData} if there is no sentence.
TaggedText read_tagged(const TaggedSources& sources);

}  // namespace carousel
