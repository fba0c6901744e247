// tag_scheme.h: what tags say about spans: B-PER I-PER O, and which sequences of them are valid.
//
// A tag is O, or a prefix, '-' and a type, or a prefix alone (type ""). Prefixes: B begins a span, I and M go on, E and
// L end it, S, U and W are a span of one token. Where a span begins and ends is decided, whatever the scheme, from two
// neighbouring tags: of B, I and O as conlleval does (Tjong Kim Sang & Buchholz 2000), E and S as its successor
// conlleval.py has them (conlleval itself knows no S, and lets E B of a type go on):
//
//   begins at a tag that is not O and is B or S, or follows O, E, S, the start or another type
//   ends   behind a tag that is not O and is E or S, or is followed by O, B, S, the end or another type
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct TagSpan {
  std::int64_t begin = 0, end = 0;  // tokens begin .. end-1
  std::string_view type;            // into the tags

  bool operator==(const TagSpan&) const = default;
};

// The spans of one sentence, in order.
std::vector<TagSpan> find_spans(std::span<const std::string> tags);

// Whether every tag is O or has one of the prefixes, so that tags say where spans are (and not a part of speech).
bool tags_have_spans(std::span<const std::string> names);

// Which tag may follow which:
//   plain   the tags are no spans: all
//   iob1    I begins a span, B only directly behind one of its type (or E ends it: IOE): all
//   bio     I-X only behind B-X or I-X; no letter that ends a span
//   bioes   a span is S, or B I ... E (or with the other letters); nothing stands in it, nothing is left open
enum class TagScheme { kPlain, kIob1, kBio, kBioes };

std::string_view scheme_name(TagScheme scheme);
TagScheme parse_scheme(std::string_view name);  // throws Error{kModel} for an unknown one

// The scheme that most of these sentences are written in, so that a few wrong tags do not decide: bioes (if any tag has
// the prefix of an end or of a single token), bio or iob1, the first of those with equally many; plain if the tags are
// no spans.
TagScheme recognise_scheme(std::span<const std::string> names, std::span<const std::vector<std::string>> sentences);

// 1 for what is valid, by the places of `names`.
struct TagRules {
  std::vector<std::uint8_t> start, end;   // [K]
  std::vector<std::uint8_t> transitions;  // [K, K]: from the row's tag to the column's
};
TagRules tag_rules(std::span<const std::string> names, TagScheme scheme);

// The first token at which the sentence is not valid; -1 if it is. One behind the last: the end is not.
std::int64_t find_invalid(std::span<const std::string> tags, TagScheme scheme);

}  // namespace carousel
