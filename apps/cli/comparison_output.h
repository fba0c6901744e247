// comparison_output.h: a comparison for people (aligned text, Markdown) and for programs (JSON, CSV).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tasks/compare/comparison_report.h"

namespace carousel::cli {

// Tables and one sentence, in aligned columns.
std::string comparison_text(const Comparison& comparison);

// The same as Markdown, under a heading.
std::string comparison_markdown(const ComparisonPlan& plan, const Comparison& comparison);

// {"schema", "task", "metric", "higher_is_better", "samples", "trials", "run_dir", "cells": [...], "pairs": [...],
// "baseline": {...}}; a quartile that diverged is null.
nlohmann::ordered_json comparison_json(const ComparisonPlan& plan, const Comparison& comparison);

// Every line with its end.
std::string csv_text(const TableRows& rows);

}  // namespace carousel::cli
