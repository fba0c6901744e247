// Oracle: small files written out here, whose numbers, times and faults can be read off by eye.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/series/series.h"
#include "data/series/series_fill.h"
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

  static Names times_of(const Series& series) {
    Names times;
    for (std::int64_t t = 0; t < series.times.size(); ++t) times.push_back(series.times.text(t));
    return times;
  }
  // kNone stands for a missing value.
  static void expect_numbers(const Series& series, Numbers expected) {
    Numbers values = series.values;
    for (double& value : values) value = std::isnan(value) ? kNone : value;
    EXPECT_EQ(values, expected);
  }
  static constexpr double kNone = -12345;

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
  EXPECT_EQ(times_of(series), (Names{"2020-01-01", "2020-01-02", "2020-01-03"}));
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

TEST_F(SeriesReading, MissingValuesStayMissingOrAreFilledByTheRule) {
  const std::string text = "t,a,b\n1,,1\n2,NA,\n3,7,\n4,?,4\n5,9,\n";
  const SeriesSet masked = read(text);
  expect_numbers(masked.series[0], {kNone, 1, kNone, kNone, 7, kNone, kNone, 4, 9, kNone});
  EXPECT_EQ(masked.missing, 6);
  EXPECT_TRUE(has_note(masked, "column 'a': 3 missing values: neither learnt nor scored"));
  const SeriesSet last = read(text, {.missing = "last"});
  expect_numbers(last.series[0], {kNone, 1, kNone, 1, 7, 1, 7, 4, 9, kNone});
  EXPECT_EQ(last.missing, 3);
  EXPECT_TRUE(has_note(last, "column 'b': 3 missing values: filled with the last known one"));
  expect_numbers(read(text, {.missing = "interpolate"}).series[0], {kNone, 1, kNone, 2, 7, 3, 8, 4, 9, kNone});
  expect_fault(text, Code::kData, {"series.csv:2:", "'a'", "for '1'", "--missing"}, {.missing = "refuse"});
  expect_numbers(read("t,a\n1,-1\n2,5\n3,-1.0\n4,6\n", {.missing_value = "-1"}).series[0], {kNone, 5, kNone, 6});
}

TEST_F(SeriesReading, ASeriesCarriedForwardKnowsNothingLater) {
  Series series;
  series.columns = {"a", "b"};
  const double none = std::nan("");
  series.values = {none, 1, 2, none, none, none, 4, 5};
  EXPECT_EQ(carry_forward(series, -9).values, (Numbers{-9, 1, 2, 1, 2, 1, 4, 5}));
}

// By hand: lines between known values, flat before the first and behind the last one, a column without any.
TEST(Interpolate, DrawsStraightLinesBetweenWhatIsKnown) {
  Series series;
  series.columns = {"a", "b", "c"};
  const double none = std::nan("");
  series.values = {none, 1, none, 2, none, none, none, none, none, none, 7, none, 8, none, none};
  EXPECT_EQ(interpolate(series, -9).values, (Numbers{2, 1, -9, 2, 3, -9, 4, 5, -9, 6, 7, -9, 8, 7, -9}));
}

TEST_F(SeriesReading, RowsAtTheEndWithoutATargetStayWhereTheyAreToBeFilled) {
  const SeriesSet set = read("t,y,p\n1,5,1\n2,,0\n3,7,1\n5,,\n", {.targets = {"y"}, .past = {"p"}, .to_fill = true});
  expect_numbers(set.series[0], {5, 1, kNone, 0, 7, 1, kNone, kNone, kNone, kNone});
  EXPECT_EQ(set.series[0].future_rows, 0);
  EXPECT_EQ(set.series[0].times.text(4), "5");
}

TEST_F(SeriesReading, RowsAtTheEndWithoutATargetAreTheFutureOrNothing) {
  const std::string text = "t,y,p\n1,5,1\n2,,0\n3,7,1\n4,,0\n5,,1\n";
  const SeriesSet past = read(text, {.targets = {"y"}, .past = {"p"}});
  expect_numbers(past.series[0], {5, 1, kNone, 0, 7, 1});
  EXPECT_EQ(past.series[0].times.size(), 3);
  EXPECT_TRUE(has_note(past, "2 rows at the end without a target value are left out"));
  const SeriesSet future = read(text, {.targets = {"y"}, .future = {"p"}});
  EXPECT_EQ(future.series[0].time_steps(), 5);
  EXPECT_EQ(future.series[0].known_steps(), 3);
  EXPECT_EQ(future.target_count, 1);
  EXPECT_EQ(future.missing, 1);
}

TEST_F(SeriesReading, ColumnsHaveOnePartEachAndStaticOnesDoNotChange) {
  const std::string text = "unique_id,ds,y,temp,shop,size\na,2020-01,1,5,x,10\nb,2020-01,2,6,z,20\na,2020-02,3,7,x,\n";
  const SeriesSet set = read(text, {.past = {"temp"}, .statics = {"size", "shop"}});
  EXPECT_EQ(set.series[0].columns, (Names{"y", "temp"}));
  EXPECT_EQ(set.target_count, 1);
  EXPECT_EQ(set.series[0].statics, (Names{"10", "x"}));
  EXPECT_EQ(set.series[1].statics, (Names{"20", "z"}));
  expect_fault(text, Code::kData, {"series.csv:4:", "series 'a'", "'temp'", "from '5' to '7'", "--past"},
               {.statics = {"temp"}});
  expect_fault(text, Code::kUsage, {"--past", "'y'", "twice"}, {.targets = {"y"}, .past = {"y"}});
}

TEST_F(SeriesReading, ACovariateOfTextIsAColumnOfOneAndZeroForEachCategory) {
  const std::string text = "t,y,sky,n\n1,5,rain,1\n2,6,,2\n3,7,dry,3\n4,8,fog,4\n5,,rain,5\n";
  const SeriesSet set = read(text, {.targets = {"y"}, .past = {"n"}, .future = {"sky"}});
  EXPECT_EQ(set.series[0].columns, (Names{"y", "n", "sky = dry", "sky = fog", "sky = rain"}));
  EXPECT_EQ(set.categories, (std::vector<CategoryColumn>{{"sky", {"dry", "fog", "rain"}}}));
  EXPECT_EQ(set.series[0].known_steps(), 4);
  expect_numbers(set.series[0], {5,     1, 0,     0,     1,      //
                                 6,     2, kNone, kNone, kNone,  //
                                 7,     3, 1,     0,     0,      //
                                 8,     4, 0,     1,     0,      //
                                 kNone, 5, 0,     0,     1});
  const SeriesSet known = read(text, {.targets = {"y"}, .past = {"sky"}, .categories = {{"sky", {"hail", "rain"}}}});
  EXPECT_EQ(known.series[0].columns, (Names{"y", "sky = hail", "sky = rain"}));
  expect_numbers(known.series[0], {5, 0, 1, 6, kNone, kNone, 7, 0, 0, 8, 0, 0});
  EXPECT_TRUE(has_note(known, "column 'sky': 2 texts of no category known, the first 'dry' in line 4: 0 in all"));
  expect_fault("t,y,p\n1,5,3\n2,6,high\n", Code::kData, {"series.csv:3:", "'p'", "'high'"},
               {.targets = {"y"}, .past = {"p"}});  // numbers first: no categories
  std::string many = "t,y,p\n";
  for (int t = 0; t < 201; ++t) many += fmt::format("{},{},x{}\n", t, t, t);
  expect_fault(many, Code::kData, {"series.csv:202:", "'p'", "more than 200 different texts"},
               {.targets = {"y"}, .past = {"p"}});
}

TEST_F(SeriesReading, LayoutColumnsMakesASeriesOfEveryTargetWithTheCovariatesOfAll) {
  const std::string text = "day,a,b,temp,word\n2020-01-01,1,10,5,x\n2020-01-02,2,,6,y\n2020-01-04,3,30,7,x\n";
  const SeriesSet set = read(text, {.layout = "columns", .past = {"temp"}});
  ASSERT_EQ(set.series.size(), 2U);
  EXPECT_EQ(set.layout, "columns");
  EXPECT_EQ(set.target_count, 1);
  EXPECT_EQ(set.series[0].id, "a");
  EXPECT_EQ(set.series[1].id, "b");
  EXPECT_EQ(set.series[1].columns, (Names{"value", "temp"}));
  expect_numbers(set.series[0], {1, 5, 2, 6, kNone, kNone, 3, 7});
  expect_numbers(set.series[1], {10, 5, kNone, 6, kNone, kNone, 30, 7});
  EXPECT_EQ(times_of(set.series[1]), (Names{"2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"}));
  const SeriesSet one = read(text, {.layout = "columns", .targets = {"b"}});
  ASSERT_EQ(one.series.size(), 1U);
  EXPECT_EQ(one.series[0].id, "b");
  const SeriesSet labels = read("when,a,b\nx,1,2\ny,3,4\n", {.layout = "columns"});
  EXPECT_EQ(times_of(labels.series[1]), (Names{"x", "y"}));
  expect_fault(text, Code::kUsage, {"layout columns", "--id-column"}, {.layout = "columns", .id_column = "a"});
  expect_fault(text, Code::kUsage, {"layout columns", "--static 'word'"}, {.layout = "columns", .statics = {"word"}});
}

TEST_F(SeriesReading, ATimeMayStandInSeveralColumns) {
  const SeriesSet set = read("No,year,month,day,hour,pm\n1,2010,1,9,22,5\n2,2010,1,9,23,6\n3,2010,1,10,0,7\n");
  EXPECT_EQ(set.time_column, "year,month,day,hour");
  EXPECT_EQ(set.series[0].columns, (Names{"pm"}));
  EXPECT_EQ(times_of(set.series[0]), (Names{"2010-1-9 22:00", "2010-1-9 23:00", "2010-1-10 0:00"}));
  EXPECT_TRUE(has_note(set, "column 'No' counts the rows and is left out"));
  const SeriesSet semicolons =
      read("1749;01;1749.042;  96.7\n1749;02;1749.123; 104.3\n", {.time_column = "c1,c2", .targets = {"c4"}});
  EXPECT_EQ(times_of(semicolons.series[0]), (Names{"1749-01", "1749-02"}));
  EXPECT_EQ(semicolons.series[0].values, (Numbers{96.7, 104.3}));
}

TEST_F(SeriesReading, MissingTimesAreRowsOfMissingValues) {
  const std::string text = "date,x\n2020-01-30,1\n2020-01-31,2\n2020-02-03,3\n2020-02-04,4\n";
  const SeriesSet set = read(text);
  expect_numbers(set.series[0], {1, 2, kNone, kNone, 3, 4});
  EXPECT_EQ(set.series[0].times.text(3), "2020-02-02");
  EXPECT_TRUE(has_note(set, "2 missing times, the first after '2020-01-31' in line 3"));
  expect_fault(text, Code::kData, {"series.csv:4:", "a gap", "'2020-02-03' follows '2020-01-31'", "one day"},
               {.gaps = "refuse"});
  const SeriesSet ignored = read(text, {.gaps = "ignore"});
  EXPECT_EQ(ignored.series[0].values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(times_of(ignored.series[0]), (Names{"2020-01-30", "2020-01-31", "2020-02-03", "2020-02-04"}));
  EXPECT_EQ(ignored.series[0].times.text(4), "2020-02-05");
  expect_fault("t,x\n1,1\n2,2\n3,3\n90,4\n", Code::kData, {"86 times are missing", "--gaps ignore"});
}

TEST_F(SeriesReading, ABusinessDayWithoutARowIsAHoliday) {
  const std::string text = "date,x\n2020-01-02,1\n2020-01-03,2\n2020-01-06,3\n2020-01-08,4\n2020-01-09,5\n";
  const SeriesSet set = read(text);
  EXPECT_EQ(set.series[0].values, (Numbers{1, 2, 3, 4, 5}));
  EXPECT_EQ(set.series[0].times.text(3), "2020-01-08");
  EXPECT_EQ(set.series[0].times.text(6), "2020-01-13");
  EXPECT_TRUE(has_note(set, "1 business days without a row, the first after '2020-01-06'"));
  expect_numbers(read(text, {.gaps = "mask"}).series[0], {1, 2, 3, kNone, 4, 5});
}

TEST_F(SeriesReading, UnevenTimesAndMixedFrequenciesAreErrors) {
  expect_fault("date,x\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n2020-01-01 02:00,3\n2020-01-01 02:25,4\n", Code::kData,
               {"series.csv:5:", "'2020-01-01 02:25' follows '2020-01-01 02:00'", "no multiple", "one hour"});
  std::string mixed = "date,x\n";
  for (int day = 1; day <= 20; ++day) mixed += fmt::format("2020-01-{:02},1\n", day);
  for (int month = 2; month <= 9; ++month) mixed += fmt::format("2020-{:02}-20,1\n", month);
  EXPECT_EQ(read(mixed, {.gaps = "ignore"}).series[0].time_steps(), 28);
  expect_fault(mixed, Code::kData, {"series.csv"});
  std::string hours = "date,x\n";
  for (int hour = 0; hour < 24; ++hour) hours += fmt::format("2020-01-01 {:02}:00,1\n", hour);
  for (int k = 0; k < 9; ++k) hours += fmt::format("2020-01-02 {:02}:00,1\n", 2 * k + 1);
  expect_fault(hours, Code::kData, {"series.csv:26:", "mixed frequencies", "2 hours here", "one hour elsewhere"});
  expect_fault("unique_id,ds,y\na,2020-01,1\na,2020-02,1\na,2020-03,1\nb,2020-01,1\nb,2020-04,1\nb,2020-07,1\n",
               Code::kData, {"mixed frequencies", "series 'a'", "one month", "series 'b' (line 5)", "one quarter"});
}

TEST_F(SeriesReading, RepeatedTimesAreRefusedOrMergedByTheRule) {
  const std::string text = "date,x\n2020-01,1\n2020-02,2\n2020-02,4\n2020-03,5\n";
  expect_fault(text, Code::kData, {"series.csv:4:", "'2020-02' stands in line 3 as well", "--duplicates"});
  EXPECT_EQ(read(text, {.duplicates = "first"}).series[0].values, (Numbers{1, 2, 5}));
  EXPECT_EQ(read(text, {.duplicates = "last"}).series[0].values, (Numbers{1, 4, 5}));
  const SeriesSet mean = read(text, {.duplicates = "mean"});
  EXPECT_EQ(mean.series[0].values, (Numbers{1, 3, 5}));
  EXPECT_TRUE(has_note(mean, "1 repeated times, the first '2020-02' in line 4: their mean is taken"));
}

TEST_F(SeriesReading, AnHourOfDaylightSavingTimeIsNamed) {
  // 2021-10-31 is a Sunday: in Berlin the hour from 2:00 comes twice.
  expect_fault("time,x\n2021-10-31 01:00,1\n2021-10-31 02:00,2\n2021-10-31 02:00,3\n2021-10-31 03:00,4\n", Code::kData,
               {"series.csv:4:", "daylight saving time", "zone"});
  const SeriesSet spring = read("time,x\n2021-03-28 00:00,1\n2021-03-28 01:00,2\n2021-03-28 03:00,3\n");
  EXPECT_TRUE(has_note(spring, "daylight saving time"));
  const SeriesSet zoned =
      read("time,x\n2021-10-31 02:00+02:00,2\n2021-10-31 02:00+01:00,3\n2021-10-31 03:00+01:00,4\n");
  EXPECT_EQ(zoned.series[0].values, (Numbers{2, 3, 4}));
  EXPECT_EQ(zoned.series[0].times.step_name(), "hour");
}

TEST_F(SeriesReading, ShortSeriesAreLeftOutOnlyIfAsked) {
  const std::string text = "unique_id,ds,y\na,1,1\na,2,2\nb,1,\nb,2,\nc,1,5\n";
  expect_fault(text, Code::kData, {"series 'b'", "'y' holds no number", "--min-length 1"});
  const SeriesSet set = read(text, {.min_length = 2});
  ASSERT_EQ(set.series.size(), 1U);
  EXPECT_EQ(set.series[0].id, "a");
  EXPECT_TRUE(has_note(set, "2 series with fewer than 2 values left out: b, c"));
  expect_fault(text, Code::kData, {"no series has 3 values"}, {.min_length = 3});
}

TEST_F(SeriesReading, LongGroupsByIdInTheOrderOfFirstAppearance) {
  const std::string text = "unique_id,ds,y\nb,2020-01,1\na,2020-01,10\nb,2020-02,2\nb,2020-03,3\na,2020-02,20\n";
  const SeriesSet set = read(text);
  EXPECT_EQ(set.layout, "long");
  ASSERT_EQ(set.series.size(), 2U);
  EXPECT_EQ(set.series[0].id, "b");
  EXPECT_EQ(set.series[0].values, (Numbers{1, 2, 3}));
  EXPECT_EQ(set.series[1].id, "a");
  EXPECT_EQ(times_of(set.series[1]), (Names{"2020-01", "2020-02"}));
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
  expect_numbers(set.series[1], {1, kNone, 3});
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

TEST_F(SeriesReading, TimesThatRunBackwardsAreAnErrorOrSorted) {
  expect_fault("date,x\n2020-03,1\n2020-01,2\n", Code::kData,
               {"series.csv:3:", "'2020-01' comes before '2020-03'", "sort", "--id-column"});
  const SeriesSet set = read("date,x\n2020-03,1\n2020-01,2\n2020-02,3\n", {.sort = true});
  EXPECT_EQ(set.series[0].values, (Numbers{2, 3, 1}));
  EXPECT_EQ(set.series[0].times.text(0), "2020-01");
  EXPECT_TRUE(has_note(set, "not in order of time (line 3): sorted"));
}

TEST_F(SeriesReading, WrongOptionsAndEmptyFilesAreErrors) {
  expect_fault("date,x\n1,2\n", Code::kUsage, {"'tall'", "wide, columns, long or rows"}, {.layout = "tall"});
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
