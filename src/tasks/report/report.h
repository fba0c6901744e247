// report.h: one self-contained HTML page about a run: no script, nothing loaded from elsewhere.
//
// The caller fills a Report and writes report_page() with write_file_atomically. Every text in it is escaped here, but
// Figure::body, which is markup: chart_svg or confusion_table made it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tasks/report/chart.h"
#include "tasks/task.h"
#include "train/observer.h"

namespace carousel {

struct Figure {
  std::string heading, caption, body;
};

struct Report {
  std::string title;                                       // "Forecast of sunspots.csv"
  std::vector<std::pair<std::string, std::string>> facts;  // "cell" -> "lstm, 2 layers of 64" ...
  std::string part;                                        // what the numbers are about: "test part, 564 rows"
  std::string model;                                       // name of the model's row: "lstm"
  Metrics metrics;                                         // of the model, the most important one first
  std::vector<Baseline> baselines;
  std::vector<Figure> figures;
};

std::string report_page(const Report& report);

// One sentence per baseline, on the model's first metric: "beats last_value: mae 12.1 against 15.6, 22 % lower", "does
// not beat ...". Where there is a probability that it is chance, "beats" needs less than kSignificance. A baseline
// without that metric is left out.
std::vector<std::string> verdicts(const Report& report);

// Training and validation loss over the epochs; the best epoch is named in the label of the x axis.
LineChart loss_chart(std::span<const EpochEvent> epochs);

// The share of saturated gates over the epochs, a line for each recurrent layer and direction: one more figure, if
// there are gates.
void add_saturation_figure(std::span<const EpochEvent> epochs, std::vector<Figure>& figures);

// counts [classes, classes] of metrics.h's confusion_counts as a table, shaded by share of the row; of more than 30
// classes the 30 with most samples, and a line that says so.
std::string confusion_table(std::span<const std::string> names, std::span<const std::int64_t> counts);

}  // namespace carousel
