// Oracle: small files written out here, whose numbers, times and faults can be read off by eye.
#include <gtest/gtest.h>

#include <algorithm>

#include "data/series/series.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using Names = std::vector<std::string>;
using Numbers = std::vector<double>;

class SeriesReading : public testing::Test {
 protected:
  SeriesSet read(const std::string& text, const SeriesOptions& options = {}) {
    put_file(path_, text);
    return read_series(path_, options);
  }
  void expect_fault(const std::string& text, Code code, std::initializer_list<std::string_view> words,
                    const SeriesOptions& options = {}) {
    expect_error(code, words, [&] { read(text, options); });
  }
  static bool has_note(const SeriesSet& set, const std::string& words) {
    return std::any_of(set.notes.begin(), set.notes.end(),
                       [&](const std::string& note) { return note.find(words) != std::string::npos; });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "series.csv";
};

TEST_F(SeriesReading, WideGivesTimesAndNumericColumnsInFileOrder) {
  const SeriesSet set = read("date,load,wind,temp\n2020-01-01,1.5,n,-3\n2020-01-02,2.5,s,4e1\n2020-01-03,3,w,0\n");
  ASSERT_EQ(set.series.size(), 1U);
  const Series& series = set.series[0];
  EXPECT_EQ(set.layout, "wide");
  EXPECT_EQ(set.time_column, "date");
  EXPECT_EQ(series.columns, (Names{"load", "temp"}));
  EXPECT_EQ(series.times, (Names{"2020-01-01", "2020-01-02", "2020-01-03"}));
  EXPECT_EQ(series.values, (Numbers{1.5, -3, 2.5, 40, 3, 0}));
  EXPECT_EQ(series.time_steps(), 3);
  EXPECT_EQ(series.at(1, 1), 40);
  EXPECT_TRUE(has_note(set, "column 'wind' holds text (line 2: 'n') and is left out"));
}

TEST_F(SeriesReading, TargetsAreKeptInTheOrderAsked) {
  const SeriesSet set = read("date,a,b,c\n1,2,3,4\n2,5,6,7\n", {.targets = {"c", "a"}});
  EXPECT_EQ(set.series[0].columns, (Names{"c", "a"}));
  EXPECT_EQ(set.series[0].values, (Numbers{4, 2, 7, 5}));
}

TEST_F(SeriesReading, TheFirstColumnIsTheTimeByNameOrBecauseItIsNoNumber) {
  EXPECT_EQ(read("Year,x\n1885,1\n1886,2\n").time_column, "Year");
  EXPECT_EQ(read("rownames,x\n1,10\n2,20\n").time_column, "rownames");
  EXPECT_EQ(read("when,x\n1-01,10\n1-02,20\n").time_column, "when");
  const SeriesSet none = read("p,q\n1,10\n2,20\n");
  EXPECT_EQ(none.time_column, "");
  EXPECT_EQ(none.series[0].values, (Numbers{1, 10, 2, 20}));
  EXPECT_EQ(read("x,Date\n5,2020-01\n6,2020-02\n").series[0].values, (Numbers{5, 6}));
}

TEST_F(SeriesReading, AFileWithoutHeaderIsNumbersOnly) {
  const SeriesSet set = read("0.5,1.5\n0.25,1.25\n");
  EXPECT_EQ(set.series[0].values, (Numbers{0.5, 1.5, 0.25, 1.25}));
  EXPECT_TRUE(set.series[0].times.empty());
}

TEST_F(SeriesReading, MissingValuesTakeTheLastKnownAndAtTheBeginningTheNext) {
  const SeriesSet set = read("t,a,b\n1,,1\n2,NA,\n3,7,\n4,?,4\n5,9,\n");
  EXPECT_EQ(set.series[0].values, (Numbers{7, 1, 7, 1, 7, 1, 7, 4, 9, 4}));
  EXPECT_EQ(set.missing, 6);
  EXPECT_TRUE(has_note(set, "column 'a': 3 missing values filled"));
  EXPECT_TRUE(has_note(set, "column 'b': 3 missing values filled"));
}

TEST_F(SeriesReading, LongGroupsByIdInTheOrderOfFirstAppearance) {
  const std::string text = "unique_id,ds,y\nb,2020-01,1\na,2020-01,10\nb,2020-02,2\nb,2020-03,3\na,2020-02,20\n";
  const SeriesSet set = read(text);
  EXPECT_EQ(set.layout, "long");
  ASSERT_EQ(set.series.size(), 2U);
  EXPECT_EQ(set.series[0].id, "b");
  EXPECT_EQ(set.series[0].values, (Numbers{1, 2, 3}));
  EXPECT_EQ(set.series[1].id, "a");
  EXPECT_EQ(set.series[1].times, (Names{"2020-01", "2020-02"}));
  EXPECT_EQ(set.series[1].values, (Numbers{10, 20}));
  EXPECT_EQ(read("shop,ds,y\nb,2020-01,1\na,2020-01,10\n", {.id_column = "shop"}).series.size(), 2U);
}

TEST_F(SeriesReading, RowsAreRaggedSeriesAndTheEmptyCellsAtTheEndDoNotCount) {
  const SeriesSet set =
      read("\"V1\",\"V2\",\"V3\",\"V4\"\n\"H1\",\"605\",\"586\",\"\"\n\"H2\",\"1\",\"\",\"3\"\n\"H3\",9,,\n");
  EXPECT_EQ(set.layout, "rows");
  ASSERT_EQ(set.series.size(), 3U);
  EXPECT_EQ(set.series[0].id, "H1");
  EXPECT_EQ(set.series[0].values, (Numbers{605, 586}));
  EXPECT_EQ(set.series[1].values, (Numbers{1, 1, 3}));  // a gap inside is filled
  EXPECT_EQ(set.series[2].values, (Numbers{9}));
  EXPECT_EQ(set.missing, 1);
  const SeriesSet bare = read("H1,5,6,7\nH2,8\n", {.layout = "rows"});  // rows of different length, no header
  ASSERT_EQ(bare.series.size(), 2U);
  EXPECT_EQ(bare.series[0].values, (Numbers{5, 6, 7}));
  EXPECT_EQ(bare.series[1].values, (Numbers{8}));
}

TEST_F(SeriesReading, TextWhereANumberBelongsNamesFileLineColumnAndText) {
  expect_fault("date,x\n2020-01,1\n2020-02,?0.2\n", Code::kData, {"series.csv:3:", "'x'", "'?0.2'"});
  expect_fault("date,x,y\n2020-01,1,a\n2020-02,2,b\n", Code::kData, {"series.csv:2:", "'y'", "'a'"},
               {.targets = {"y"}});
  expect_fault("V1,V2,V3\nH1,1,2\nH2,3,x\n", Code::kData, {"series.csv:3:", "'x'"});
}

TEST_F(SeriesReading, AFooterIsAnErrorWithItsLine) {
  expect_fault("date,x\n2020-01,1\n2020-02,2\nMonthly sales of nothing\n", Code::kData,
               {"series.csv:4:", "1 fields", "expected 2", "footer"});
}

TEST_F(SeriesReading, TimesThatRunBackwardsAreAnErrorAndRepeatedOnesANote) {
  expect_fault("date,x\n2020-03,1\n2020-01,2\n", Code::kData,
               {"series.csv:3:", "'2020-01' comes before '2020-03'", "sort", "--id-column"});
  EXPECT_TRUE(has_note(read("date,x\n2020-03,1\n2020-03,2\n"), "1 rows have the same time"));
}

TEST_F(SeriesReading, WrongOptionsAndEmptyFilesAreErrors) {
  expect_fault("date,x\n1,2\n", Code::kUsage, {"'tall'", "wide, long or rows"}, {.layout = "tall"});
  expect_fault("date,load\n1,2\n", Code::kData, {"series.csv", "'lod'", "load"}, {.targets = {"lod"}});
  expect_fault("date,x\n1,2\n", Code::kUsage, {"twice"}, {.targets = {"x", "x"}});
  expect_fault("date,x\n1,2\n", Code::kUsage, {"time or id column"}, {.time_column = "x", .targets = {"x"}});
  expect_fault("date,x\n1,2\n", Code::kUsage, {"--id-column"}, {.layout = "long"});
  expect_fault("V1,V2,V3\nH1,1,2\nH1,3,4\n", Code::kData, {"series.csv:3:", "'H1'", "twice"});
  expect_fault("V1,V2,V3\nH1,,\n", Code::kData, {"series.csv:2:", "'H1'", "no values"});
  expect_fault("date,x\n", Code::kData, {"series.csv", "no row"});
  expect_fault("", Code::kData, {"series.csv"});
  expect_fault("date,name\n2020-01,a\n", Code::kData, {"no column holds numbers", "date, name"});
}

TEST_F(SeriesReading, ColumnPositionsFollowTheNamesAndUnknownOnesListTheColumns) {
  const SeriesSet set = read("date,a,b,c\n1,2,3,4\n");
  EXPECT_EQ(column_positions(set.series[0], Names{"c", "b"}), (std::vector<std::int64_t>{2, 1}));
  expect_error(Code::kUsage, {"'d'", "a, b, c"}, [&] { column_positions(set.series[0], Names{"d"}); });
}

}  // namespace
}  // namespace carousel
