// Oracles: gaps and fillings counted by hand; the rules of hiding, checked value by value and by how often they chose.
#include "tasks/impute/impute_gaps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "tasks/impute/impute_score.h"
#include "tests/tasks/impute/impute_case.h"

namespace carousel {
namespace {

TEST(ImputeGaps, ThoseBetweenKnownValuesAreFound) {
  // x: a gap of 1; y: gaps of 2 and 1; both: one of 2; at the ends none.
  const Series series = series_of({"x", "y"}, {kNone, 1,     1,     1,     kNone, 1, 1, kNone, 1, kNone, 1, 1,
                                               kNone, kNone, kNone, kNone, 1,     1, 1, kNone, 1, 1,     1, kNone});
  const SeriesSplit split = train_on_all(series);
  std::vector<std::pair<std::int64_t, bool>> found;
  for (const Gap& gap : find_gaps({&series, 1}, {&split, 1}, 2)) found.emplace_back(gap.length, gap.all_targets);
  EXPECT_EQ(found, (std::vector<std::pair<std::int64_t, bool>>{{1, false}, {2, true}, {2, false}, {1, false}}));
}

TEST(ImputeGaps, HiddenValuesFollowFromTheKeyAlone) {
  Series series = series_of({"x", "y", "past"}, normal_numbers(3000, 4));
  series.values[300] = series.values[601] = kNone;
  const HidingRule rule{0.1, 0, {{5, false}, {7, true}}, 2};
  const auto hide = [&](std::uint64_t draw, Series& hidden) {
    std::vector<ValueAt> places;
    hidden = series;
    hide_values(rule, {200, 900}, {7, Purpose::kHide, draw}, 3, hidden, places);
    return places;
  };
  Series first, second, other;
  const std::vector<ValueAt> places = hide(1, first), again = hide(1, second), another = hide(2, other);
  const auto key = [](const ValueAt& place) { return std::tuple(place.series, place.row, place.target); };
  EXPECT_TRUE(std::ranges::equal(places, again, {}, key, key));
  EXPECT_FALSE(std::ranges::equal(places, another, {}, key, key));
  EXPECT_GE(places.size(), 140U);  // a tenth of 2 x 700, and at most one gap more
  EXPECT_LE(places.size(), 154U);
  std::size_t next = 0;
  for (std::int64_t t = 0; t < 1000; ++t) {
    for (std::int64_t c = 0; c < 3; ++c) {
      const bool here = next < places.size() && key(places[next]) == std::tuple(3, t, c);
      next += here ? 1 : 0;
      EXPECT_EQ(here, std::isnan(first.at(t, c)) && !std::isnan(series.at(t, c))) << t << " " << c;
      EXPECT_TRUE(!here || (t >= 200 && t < 900 && c < 2));
      EXPECT_TRUE(here || std::isnan(series.at(t, c)) || first.at(t, c) == series.at(t, c));
    }
  }
  EXPECT_EQ(next, places.size());
}

// How often runs of each length are hidden, few enough that they hardly touch.
std::map<std::int64_t, std::int64_t> run_lengths(const HidingRule& rule) {
  Series series = series_of({"x"}, std::vector<double>(20000, 1.0));
  std::vector<ValueAt> places;
  hide_values(rule, {0, 20000}, {7, Purpose::kHide, 0}, 0, series, places);
  std::map<std::int64_t, std::int64_t> runs;
  for (std::size_t i = 0; i < places.size();) {
    std::size_t end = i + 1;
    while (end < places.size() && places[end].row == places[end - 1].row + 1) ++end;
    ++runs[static_cast<std::int64_t>(end - i)];
    i = end;
  }
  return runs;
}

TEST(ImputeGaps, HalfOfTheValuesAreAloneTheOthersInGapsLikeThoseOfTheData) {
  std::map<std::int64_t, std::int64_t> runs = run_lengths({0.02, 0, {{5, false}, {9, false}}, 1});
  const double singles = static_cast<double>(runs[1]), gaps = static_cast<double>(runs[5] + runs[9]);
  EXPECT_NEAR(singles, 200, 20);  // of 400 values
  EXPECT_NEAR(gaps, 200 / 7.0, 6);
  EXPECT_NEAR(static_cast<double>(runs[5]) / gaps, 0.5, 0.2);
  runs = run_lengths({0.02, 4, {{5, false}}, 1});
  EXPECT_GT(runs[4], 80);
  EXPECT_EQ(runs[1] + runs[5], 0);
  runs = run_lengths({0.05, 0, {}, 1});  // geometric with mean 8
  double rows = 0, count = 0;
  for (const auto& [length, times] : runs) {
    if (length == 1) continue;
    rows += static_cast<double>(length * times);
    count += static_cast<double>(times);
  }
  EXPECT_NEAR(rows / count, 9, 2);  // of those longer than 1
}

TEST(ImputeGaps, OneValueAlwaysStays) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Series series = series_of({"x"}, {1, kNone, 2});
    std::vector<ValueAt> places;
    hide_values({0.9, 3, {}, 1}, {0, 3}, {seed, Purpose::kHide, 0}, 0, series, places);
    EXPECT_EQ(places.size(), 1U);
  }
}

TEST(ImputeBaselines, FillByHand) {
  const Series series = series_of({"x"}, {kNone, 1, 4, kNone, kNone, 10, kNone});
  const std::map<std::string, std::vector<double>> expected{{"last_value", {1, 1, 4, 4, 4, 10, 10}},
                                                            {"interpolation", {1, 1, 4, 6, 8, 10, 10}},
                                                            {"mean", {5, 1, 4, 5, 5, 10, 5}},
                                                            // a season of 3: rows 0 3 6, 1 4, 2 5
                                                            {"seasonal", {1, 1, 4, 6, 1, 10, 10}}};
  const std::vector<FilledSeries> filled = fill_by_baselines(series, 3);
  ASSERT_EQ(filled.size(), 4U);
  for (const FilledSeries& one : filled) EXPECT_EQ(one.series.values, expected.at(one.name)) << one.name;
  const Series two = series_of({"x"}, {2, 9, kNone, 9, 6, 9});
  EXPECT_EQ(fill_by_baselines(two, 2).back().series.at(2, 0), 4);
  EXPECT_EQ(fill_by_baselines(two, 1).size(), 3U);
}

}  // namespace
}  // namespace carousel
