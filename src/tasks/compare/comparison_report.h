// comparison_report.h: a comparison as rows of a table, and as one self-contained page with tables and plots.
#pragma once

#include "tasks/compare/comparison.h"
#include "tasks/report/report.h"

namespace carousel {

using TableRows = std::vector<std::vector<std::string>>;  // the heading first

// One row for each cell: trials, best, median and quartiles of the metric, the score on the test part if there is one,
// size and time; the cells in the order of their medians, the best first. Then the baselines.
TableRows cell_rows(const Comparison& comparison);

// One row for each pair of cells: whose trials were better at the same settings, U, p and p adjusted.
TableRows pair_rows(const Comparison& comparison);

// One row for each cell and for each training, numbers as they are: for programs.
TableRows cell_number_rows(const Comparison& comparison);
TableRows trial_rows(const Comparison& comparison);

// One sentence: which cell has the best median, and from which others the test tells it apart (p adjusted below 0.05).
std::string comparison_verdict(const Comparison& comparison);

// The page. What was searched is told by `plan`.
std::string comparison_page(const ComparisonPlan& plan, const Comparison& comparison);

}  // namespace carousel
