// lm_data.h: what the lm task reads: plain text, as one stream of tokens.
//
// A stream begins as if a line had just ended: its first token is predicted from a line end. At level char the tokens
// are the characters, line ends among them; at every other level each line is its tokens and then <eos>.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/pipeline.h"
#include "tasks/options.h"

namespace carousel {

using Lines = std::vector<std::string>;  // each with its line feed, if it had one; CR LF is LF

// The text of the files one after another, without byte-order marks. Throws Error{kData} for a file that is empty or
// not UTF-8, with line and byte.
Lines read_lines(const std::vector<std::string>& paths);

// The text cut in two: the last `fraction` of its bytes, from the start of a line if one is near, else of a character.
// Throws Error{kUsage} if there is nothing left to learn from.
struct TextParts {
  Lines train, valid;
};
TextParts hold_back(const Lines& lines, double fraction);

// The lines of one part of "A,B,C" (--split): "train", "valid" or "test". Throws Error{kUsage} if it is empty.
Lines lines_of_part(const Lines& lines, const std::string& split, const std::string& part);

// Whether <unk> stands between blanks somewhere: the text is tokenised already.
bool holds_unknown(const Lines& lines);

struct TokenStream {
  std::vector<std::int32_t> ids;
  std::int64_t characters = 0;  // Unicode code points, line ends counted
};

// The share of the tokens that are <unk>; 0 of none.
double unknown_share(std::span<const std::int32_t> ids);

// The pipeline for a model's settings; it belongs to one thread at a time.
class LmEncoder {
 public:
  LmEncoder(const TextSettings& settings, const std::vector<std::string>& vocabulary);
  // The tokens of any number of lines; the last one may lack its end.
  std::vector<std::int32_t> encode_text(std::string_view text);
  TokenStream encode(const Lines& lines);
  std::vector<std::string> unknown_words(std::string_view text);  // each once, in order: what is read as <unk>
  std::int32_t line_end() const;  // the token that stands for it, and that a stream starts from
  // Text of a token as it is read: what separates it from the one before, if `previous` says so, and the token itself.
  // `previous` is the id before it; <eos> is a line end.
  std::string text_of(std::int32_t id, std::int32_t previous) const;
  const TextPipeline& pipeline() const noexcept { return pipeline_; }

 private:
  TextPipeline pipeline_;
};

// The settings that the options ask for (level: auto goes by the text), and what fit_lm() noticed, one line each.
struct FittedLm {
  TextSettings settings;
  std::vector<std::string> vocabulary;
  std::vector<std::int64_t> counts;  // of the tokens of the training text, by id
  TokenStream stream;                // the training text
  std::vector<std::string> notes;
};
FittedLm fit_lm(const Lines& lines, const DataOptions& options);

}  // namespace carousel
