// Oracle: small files written by hand.
#include "data/pairs.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using Texts = std::vector<std::string>;

TEST(Pairs, OfTabs) {
  const TemporaryFolder folder;
  put_file(folder / "a.tsv", "one\teins\n\ntwo \t zwei\tno. 2\n\tnichts\n");
  const TextPairs pairs = read_pairs({folder / "a.tsv"}, '\t', true);
  EXPECT_EQ(pairs.sources, (Texts{"one", "two", ""}));
  EXPECT_EQ(pairs.targets, (Texts{"eins", "zwei", "nichts"}));
  EXPECT_EQ(pairs.notes,
            (Texts{"1 blank lines passed over",
                   "1 lines have more than two columns: those behind the target are passed over", "empty sources: 1"}));
}

TEST(Pairs, OfAnotherSeparator) {
  const TemporaryFolder folder;
  put_file(folder / "a.txt", "52+607 _659 \n");
  const TextPairs pairs = read_pairs({folder / "a.txt"}, '_', true);
  EXPECT_EQ(pairs.sources, (Texts{"52+607"}));
  EXPECT_EQ(pairs.targets, (Texts{"659"}));
}

TEST(Pairs, SourcesAloneKeepEveryLine) {
  const TemporaryFolder folder;
  put_file(folder / "a.txt", "one\n\ntwo\tzwei\n");
  const TextPairs pairs = read_pairs({folder / "a.txt"}, '\t', false);
  EXPECT_EQ(pairs.sources, (Texts{"one", "", "two"}));
  EXPECT_TRUE(pairs.targets.empty());
  put_file(folder / "b.txt", "one\teins\ntwo\tzwei\n");
  EXPECT_EQ(read_pairs({folder / "b.txt"}, '\t', false).targets, (Texts{"eins", "zwei"}));
}

TEST(Pairs, ALineWithoutTargetIsNamed) {
  const TemporaryFolder folder;
  put_file(folder / "a.tsv", "one\teins\ntwo zwei\n");
  expect_error(Code::kData, {"a.tsv:2", "expected source, tab and target", "two zwei", "--separator"},
               [&] { read_pairs({folder / "a.tsv"}, '\t', true); });
}

TEST(Pairs, InvalidUtf8IsNamed) {
  const TemporaryFolder folder;
  put_file(folder / "a.tsv", "one\teins\ntw\xFF\tzwei\n");
  expect_error(Code::kData, {"a.tsv:2", "byte 3"}, [&] { read_pairs({folder / "a.tsv"}, '\t', true); });
  expect_error(Code::kData, {"a.tsv:2", "byte 3"}, [&] { read_parallel({folder / "a.tsv"}, {folder / "a.tsv"}); });
}

TEST(Pairs, ParallelFilesStayInStep) {
  const TemporaryFolder folder;
  put_file(folder / "a", "one\n\nthree\n");
  put_file(folder / "b", "eins\nzwei\n\n");
  put_file(folder / "c", "eins\nzwei\n");
  const TextPairs pairs = read_parallel({folder / "a"}, {folder / "b"});
  EXPECT_EQ(pairs.sources, (Texts{"one", "", "three"}));
  EXPECT_EQ(pairs.targets, (Texts{"eins", "zwei", ""}));
  EXPECT_EQ(pairs.notes, (Texts{"empty sources: 1", "empty targets: 1"}));
  expect_error(Code::kData, {"/a has 3 lines", "/c has 2"}, [&] { read_parallel({folder / "a"}, {folder / "c"}); });
}

TEST(Pairs, AppendedPairsFollow) {
  TextPairs pairs{{"a"}, {"b"}, {}};
  append(pairs, {{"c"}, {"d"}, {"note"}});
  EXPECT_EQ(pairs.sources, (Texts{"a", "c"}));
  EXPECT_EQ(pairs.targets, (Texts{"b", "d"}));
  expect_error(Code::kData, {"some of the data have targets"}, [&] { append(pairs, {{"e"}, {}, {}}); });
}

}  // namespace
}  // namespace carousel
