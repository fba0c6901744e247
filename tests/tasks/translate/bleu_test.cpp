// Oracle: sacreBLEU 2.6.0, corpus_bleu() with its defaults and Tokenizer13a, run on these texts; closed forms.
#include "tasks/translate/bleu.h"

#include <gtest/gtest.h>

#include <cmath>

namespace carousel {
namespace {

using Texts = std::vector<std::string>;

const Texts kOutputs{"It's 3,000.5 miles - not 2-3 -away, \"really\" (yes)!", "A man in an orange hat .",
                     "the the the the", "Two dogs run.", ""};
const Texts kFirst{"It is 3,000.5 miles, not 2-3 away: \"really\" (yes)!",
                   "A man in an orange hat starring at something.", "the cat", "Two dogs are running on grass.",
                   "empty"};
const Texts kSecond{"It's 3,000.5 miles - not 2 - 3 - away!", "A man wearing an orange hat.", "the mat the",
                    "Two dogs run", "nothing"};

double bleu(const Texts& outputs, const Texts& first, const Texts& second = {}) {
  std::vector<Texts> references;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    references.push_back({first[k]});
    if (!second.empty()) references.back().push_back(second[k]);
  }
  return corpus_bleu(outputs, references);
}

TEST(Bleu, TokenisesAs13a) {
  EXPECT_EQ(tokenize_13a(kOutputs[0]), (Texts{"It's", "3,000.5", "miles", "-", "not", "2", "-", "3", "-away", ",", "\"",
                                              "really", "\"", "(", "yes", ")", "!"}));
  EXPECT_EQ(tokenize_13a("a.,b &quot;x&amp;y&quot; 5.-6 ... 7., <b>"),
            (Texts{"a",  ".", ",", "b", "\"", "x", "&", "y", "\"", "5", ".",
                   "-6", ".", ".", ".", "7",  ".", ",", "<", "b",  ">"}));
  EXPECT_EQ(tokenize_13a("\xC3\xA4.\xC3\xBC,1.5 \xE2\x82\xAC"
                         "3."),
            (Texts{"\xC3\xA4", ".", "\xC3\xBC", ",", "1.5",
                   "\xE2\x82\xAC"
                   "3",
                   "."}));
  EXPECT_EQ(tokenize_13a("1-2-3 $5 a/b x_y@z ~{}"),
            (Texts{"1", "-", "2", "-", "3", "$", "5", "a", "/", "b", "x", "_", "y", "@", "z", "~", "{", "}"}));
  EXPECT_EQ(tokenize_13a("end-\nof line"), (Texts{"endof", "line"}));
}

// Blanks that do not break (U+00A0, U+202F), ideographic (U+3000) and all others of Python's split(); U+200B and U+180E
// are none.
TEST(Bleu, SplitsAtTheBlanksOfUnicode) {
  EXPECT_EQ(tokenize_13a("C'est vrai\u00A0! 10\u202F000\u00A0euros,\u00A0oui"),
            (Texts{"C'est", "vrai", "!", "10", "000", "euros", ",", "oui"}));
  EXPECT_EQ(tokenize_13a("\u5B83\u3000\u662F a\x1C"
                         "b\x1D"
                         "c\x1E"
                         "d\x1F"
                         "e\xC2\x85"
                         "f\u2028g\u205Fh\u1680i\u2003j\u200Bk\u180El"),
            (Texts{"\u5B83", "\u662F", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j\u200Bk\u180El"}));
  const Texts outputs{"il dit bonjour\u00A0! c'est tr\u00E8s bien\u00A0!",
                      "elle\u3000vient demain\u202F; j'ai 10\u00A0000 euros"};
  const Texts references{"il dit bonjour ! c'est bien\u00A0!", "elle vient\u00A0demain ; j'ai 10 000\u3000euros"};
  EXPECT_NEAR(bleu(outputs, references), 80.592745, 1e-6);
}

TEST(Bleu, IsThatOfSacreBleu) {
  EXPECT_NEAR(bleu(kOutputs, kFirst), 44.342292, 1e-6);
  EXPECT_NEAR(bleu(kOutputs, kFirst, kSecond), 74.793711, 1e-6);
  EXPECT_NEAR(bleu({kOutputs[0], kOutputs[1]}, {kFirst[0], kFirst[1]}), 52.309647, 1e-6);
  EXPECT_NEAR(bleu({"The cat sat on the mat."}, {"the cat sat on the mat."}), 80.910671, 1e-6);
}

// Two and one orders without a match.
TEST(Bleu, SmoothsAsSacreBleu) {
  EXPECT_NEAR(bleu({"a b c x", "d e q r"}, {"a b y z", "d e s t"}), 22.590050, 1e-6);
  EXPECT_NEAR(bleu({"a b c x", "d e q r"}, {"a b c z", "d e s t"}), 37.383720, 1e-6);
}

TEST(Bleu, EndsOfItsRange) {
  EXPECT_EQ(bleu({"x y z w"}, {"a b c d"}), 0);
  EXPECT_EQ(bleu({"a b c"}, {"a b c"}), 0);  // no 4-gram at all
  EXPECT_DOUBLE_EQ(bleu({"a b c d e"}, {"a b c d e"}), 100);
  EXPECT_DOUBLE_EQ(bleu({"a b c d"}, {"a b c d e f"}), 100 * std::exp(1 - 6.0 / 4));
}

}  // namespace
}  // namespace carousel
