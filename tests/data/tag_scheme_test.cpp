// Oracle: spans and rules worked out by hand from what conlleval does.
#include "data/tag_scheme.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/fail.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string word; stream >> word;) list.push_back(word);
  return list;
}

// "type:begin-end ..." of the tags.
std::string spans(const std::string& tags) {
  const std::vector<std::string> list = words(tags);
  std::string text;
  for (const TagSpan& span : find_spans(list)) {
    text += fmt::format("{}{}:{}-{}", text.empty() ? "" : " ", span.type, span.begin, span.end);
  }
  return text;
}

TEST(TagSpans, BeginAndEndAsConllevalSays) {
  EXPECT_EQ(spans("B-X I-X O B-Y"), "X:0-2 Y:3-4");
  EXPECT_EQ(spans("B-X B-X I-X"), "X:0-1 X:1-3");        // B ends the span before it
  EXPECT_EQ(spans("O I-X I-X"), "X:1-3");                // I after O begins one
  EXPECT_EQ(spans("B-X I-Y I-Y"), "X:0-1 Y:1-3");        // so does another type
  EXPECT_EQ(spans("I-X I-X B-X I-X"), "X:0-2 X:2-4");    // IOB1: B between neighbours of a type
  EXPECT_EQ(spans("B-X M-X E-X S-Y O"), "X:0-3 Y:3-4");  // BMES
  EXPECT_EQ(spans("B-X I-X L-X U-Y W-Y"), "X:0-3 Y:3-4 Y:4-5");
  EXPECT_EQ(spans("E-X E-X"), "X:0-1 X:1-2");  // E ends each
  EXPECT_EQ(spans("E-X I-X"), "X:0-1 X:1-2");  // I after E begins one
  EXPECT_EQ(spans("S-X I-X S-X"), "X:0-1 X:1-2 X:2-3");
  EXPECT_EQ(spans("B M E S B E"), ":0-3 :3-4 :4-6");  // words: no types
  EXPECT_EQ(spans("B-a-b I-a-b"), "a-b:0-2");         // the first dash parts prefix and type
  EXPECT_EQ(spans("O O"), "");
  EXPECT_EQ(spans(""), "");
}

// startOfChunk() and endOfChunk() of conlleval.pl, and what its main loop makes of them, for tags B, I and O.
bool conlleval_starts(char previous, char tag, const std::string& previous_type, const std::string& type) {
  bool start = false;
  if (previous == 'B' && tag == 'B') start = true;
  if (previous == 'I' && tag == 'B') start = true;
  if (previous == 'O' && tag == 'B') start = true;
  if (previous == 'O' && tag == 'I') start = true;
  if (tag != 'O' && previous_type != type) start = true;
  return start;
}

bool conlleval_ends(char previous, char tag, const std::string& previous_type, const std::string& type) {
  bool end = false;
  if (previous == 'B' && tag == 'B') end = true;
  if (previous == 'B' && tag == 'O') end = true;
  if (previous == 'I' && tag == 'B') end = true;
  if (previous == 'I' && tag == 'O') end = true;
  if (previous != 'O' && previous_type != type) end = true;
  return end;
}

std::string conlleval_spans(const std::vector<std::string>& tags) {
  std::string text, previous_type;
  char previous = 'O';
  std::size_t begin = 0;
  for (std::size_t t = 0; t <= tags.size(); ++t) {
    const std::string name = t < tags.size() ? tags[t] : "O";  // a sentence ends with a blank line, which is O
    const std::string type = name == "O" ? "" : name.substr(2);
    if (conlleval_ends(previous, name[0], previous_type, type)) {
      text += fmt::format("{}{}:{}-{}", text.empty() ? "" : " ", previous_type, begin, t);
    }
    if (conlleval_starts(previous, name[0], previous_type, type)) begin = t;
    previous = name[0];
    previous_type = type;
  }
  return text;
}

// Oracle: conlleval.pl, ported line by line; all sequences of up to 6 tags.
TEST(TagSpans, OfBeginInsideAndOutsideAreThoseOfConlleval) {
  const std::vector<std::string> names = words("O B-X I-X B-Y I-Y");
  std::vector<std::vector<std::string>> sequences(1);
  for (std::size_t n = 0; n < sequences.size(); ++n) {
    std::string joined = fmt::format("{}", fmt::join(sequences[n], " "));
    ASSERT_EQ(spans(joined), conlleval_spans(sequences[n])) << joined;
    if (sequences[n].size() == 6) continue;
    for (const std::string& name : names) {
      sequences.push_back(sequences[n]);
      sequences.back().push_back(name);
    }
  }
  EXPECT_EQ(sequences.size(), 19531u);  // (5^7 - 1) / 4
}

TEST(TagSpans, PartsOfSpeechAreNone) {
  EXPECT_TRUE(tags_have_spans(words("O B-X I-X")));
  EXPECT_TRUE(tags_have_spans(words("B M E S")));
  EXPECT_FALSE(tags_have_spans(words("NN VB O")));
  EXPECT_FALSE(tags_have_spans(words("X-NN B-X")));
}

TagScheme scheme_of(const std::vector<std::string>& sentences) {
  std::vector<std::vector<std::string>> tags;
  std::vector<std::string> names;
  for (const std::string& sentence : sentences) {
    tags.push_back(words(sentence));
    names.insert(names.end(), tags.back().begin(), tags.back().end());
  }
  return recognise_scheme(names, tags);
}

TEST(TagSchemes, AreRecognised) {
  EXPECT_EQ(scheme_of({"NN VB"}), TagScheme::kPlain);
  EXPECT_EQ(scheme_of({"O B-X I-X"}), TagScheme::kBio);
  EXPECT_EQ(scheme_of({"O I-X I-X", "I-Y B-Y"}), TagScheme::kIob1);
  EXPECT_EQ(scheme_of({"O I-X I-X", "B-Y O"}), TagScheme::kBio);  // the I after O is then a mistake
  EXPECT_EQ(scheme_of({"B-X O", "S-X"}), TagScheme::kBioes);
  EXPECT_EQ(scheme_of({"B M E S", "S S"}), TagScheme::kBioes);
  EXPECT_EQ(scheme_of({"O O", "O B"}), TagScheme::kBio);
  for (const TagScheme scheme : {TagScheme::kPlain, TagScheme::kIob1, TagScheme::kBio, TagScheme::kBioes}) {
    EXPECT_EQ(parse_scheme(scheme_name(scheme)), scheme);
  }
  expect_error(Code::kModel, {"'bilou' is unknown"}, [] { parse_scheme("bilou"); });
}

// A few wrong tags among many sentences decide nothing.
TEST(TagSchemes, AreThoseOfMostSentences) {
  EXPECT_EQ(scheme_of({"B-X I-X O", "O B-X O", "B-X O B-Y", "O E-X O", "S-Y"}), TagScheme::kBio);
  EXPECT_EQ(scheme_of({"O I-X I-X", "I-Y B-Y", "I-X O", "O B-X"}), TagScheme::kIob1);
  EXPECT_EQ(scheme_of({"O I-X I-X", "I-Y O", "I-X O", "S-X"}), TagScheme::kIob1);
  EXPECT_EQ(scheme_of({"B-X E-X", "S-X O", "B-X O", "I-X"}), TagScheme::kBioes);
  EXPECT_EQ(scheme_of({"I-X E-X O", "O E-Y", "I-X I-X E-X"}), TagScheme::kIob1);  // IOE2
  EXPECT_EQ(scheme_of({"I-X I-X O", "I-Y E-Y I-Y", "I-X"}), TagScheme::kIob1);    // IOE1
}

TEST(TagSchemes, SayWhereASentenceIsNotValid) {
  const auto invalid = [](const std::string& tags, TagScheme scheme) { return find_invalid(words(tags), scheme); };
  EXPECT_EQ(invalid("O B-X I-X I-X", TagScheme::kBio), -1);
  EXPECT_EQ(invalid("I-X", TagScheme::kBio), 0);
  EXPECT_EQ(invalid("B-X I-Y", TagScheme::kBio), 1);
  EXPECT_EQ(invalid("B-X E-X", TagScheme::kBio), 1);
  EXPECT_EQ(invalid("O I-X", TagScheme::kIob1), -1);
  EXPECT_EQ(invalid("S-X B-X M-X E-X", TagScheme::kBioes), -1);
  EXPECT_EQ(invalid("B-X O", TagScheme::kBioes), 1);
  EXPECT_EQ(invalid("B-X M-X", TagScheme::kBioes), 2);  // left open
  EXPECT_EQ(invalid("B-X E-X E-X", TagScheme::kBioes), 2);
  EXPECT_EQ(invalid("", TagScheme::kBioes), -1);
}

// Oracle: find_invalid, for every pair of tags and every tag alone.
TEST(TagSchemes, RulesAllowWhatIsValid) {
  const std::vector<std::string> names = words("O B-X I-X E-X S-X B-Y I-Y");
  for (const TagScheme scheme : {TagScheme::kPlain, TagScheme::kIob1, TagScheme::kBio, TagScheme::kBioes}) {
    const TagRules rules = tag_rules(names, scheme);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::vector<std::string> one{names[i]};
      EXPECT_EQ(rules.start[i] != 0, find_invalid(one, scheme) != 0) << names[i];
      for (std::size_t j = 0; j < names.size(); ++j) {
        const std::vector<std::string> two{names[i], names[j]};
        if (rules.start[i] == 0) continue;
        EXPECT_EQ(rules.transitions[i * names.size() + j] != 0, find_invalid(two, scheme) != 1)
            << names[i] << ' ' << names[j];
        if (rules.transitions[i * names.size() + j] == 0) continue;
        EXPECT_EQ(rules.end[j] != 0, find_invalid(two, scheme) != 2) << names[i] << ' ' << names[j];
      }
    }
  }
  const TagRules bio = tag_rules(names, TagScheme::kBio);  // O B-X I-X ...: by hand
  EXPECT_EQ(std::vector<std::uint8_t>(bio.start.begin(), bio.start.end()),
            (std::vector<std::uint8_t>{1, 1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(bio.transitions[1 * 7 + 2], 1);  // B-X I-X
  EXPECT_EQ(bio.transitions[5 * 7 + 2], 0);  // B-Y I-X
}

}  // namespace
}  // namespace carousel
