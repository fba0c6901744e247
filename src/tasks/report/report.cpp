#include "tasks/report/report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "tasks/metrics.h"
#include "tasks/report/chart_style.h"
#include "tasks/significance.h"

namespace carousel {
namespace {

constexpr const char* kStyle = R"css(
body { margin: 0 auto; padding: 24px 20px 48px; max-width: 920px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 25px; line-height: 1.25; margin: 0 0 16px; }
h2 { font-size: 18px; margin: 32px 0 8px; }
p { margin: 6px 0; } .faint, figcaption { color: var(--faint); font-size: 13.5px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
td, th { padding: 5px 14px 5px 0; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top;
  font-weight: normal; overflow-wrap: anywhere; }
thead th { color: var(--faint); font-size: 13px; white-space: nowrap; overflow-wrap: normal; }
.facts th { color: var(--faint); white-space: nowrap; padding-right: 24px; }
.metrics td, .metrics thead th + th { text-align: right; padding-left: 18px; }
.metrics td, .metrics th, .confusion td { white-space: nowrap; overflow-wrap: normal; }
.metrics tr.model { background: var(--card); font-weight: 600; } .metrics tr.model th { font-weight: 600; }
.metrics tr th:first-child { padding-left: 8px; }
.verdicts { list-style: none; padding: 0; margin: 10px 0; }
.good::before { content: "\2713\00a0"; color: var(--good); font-weight: 700; }
.bad::before { content: "\2717\00a0"; color: var(--bad); font-weight: 700; }
.confusion td { text-align: right; padding: 5px 10px; background: rgb(var(--shade) / calc(var(--share) * 55%)); }
.confusion thead th { text-align: right; padding: 5px 10px; }
.surprise { white-space: pre-wrap; line-height: 1.8; overflow-wrap: anywhere; }
.surprise span { background: rgb(var(--shade) / calc(var(--share) * 55%)); }
.examples thead th, .examples td:nth-child(-n+3) { white-space: nowrap; overflow-wrap: normal; }
figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
@media print { body { padding: 0; } figure, table { break-inside: avoid; } h2 { break-after: avoid; } }
)css";

std::string number(double value) {
  if (!std::isfinite(value)) return "none";
  const double size = std::abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 4);
}

std::string facts_table(const Report& report) {
  std::string html = "<table class=\"facts\"><tbody>\n";
  for (const auto& [name, value] : report.facts) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", html_escaped(name), html_escaped(value));
  }
  return report.facts.empty() ? "" : html + "</tbody></table>\n";
}

std::string metric_row(const std::string& name, const Metrics& columns, const Metrics& values, bool is_model) {
  std::string html =
      fmt::format("<tr{}><th scope=\"row\">{}</th>", is_model ? " class=\"model\"" : "", html_escaped(name));
  for (const auto& column : columns) {
    const double* value = find_metric(values, column.first);
    html += fmt::format("<td>{}</td>", value == nullptr ? "" : number(*value));
  }
  return html + "</tr>\n";
}

std::string metric_table(const Report& report) {
  if (report.metrics.empty()) return "";
  std::string html = fmt::format(
      "<h2>How good it is</h2>\n<p class=\"faint\">{}</p>\n<div class=\"wide\">"
      "<table class=\"metrics\"><thead><tr><th scope=\"col\"></th>",
      html_escaped(report.part));
  for (const auto& column : report.metrics) {
    html += fmt::format("<th scope=\"col\">{} {}</th>", html_escaped(column.first),
                        higher_is_better(column.first) ? "&uarr;" : "&darr;");
  }
  html += "</tr></thead><tbody>\n" + metric_row(report.model, report.metrics, report.metrics, true);
  for (const Baseline& baseline : report.baselines) {
    html += metric_row(baseline.name, report.metrics, baseline.metrics, false);
  }
  html += "</tbody></table></div>\n<ul class=\"verdicts\">\n";
  for (const std::string& verdict : verdicts(report)) {
    const bool good = verdict.rfind("beats ", 0) == 0;
    html += fmt::format("<li class=\"{}\">The model {}.</li>\n", good ? "good" : "bad", html_escaped(verdict));
  }
  return html + "</ul>\n";
}

}  // namespace

std::vector<std::string> verdicts(const Report& report) {
  std::vector<std::string> sentences;
  if (report.metrics.empty()) return sentences;
  const auto& [name, model] = report.metrics.front();
  const bool up = higher_is_better(name);
  for (const Baseline& baseline : report.baselines) {
    const double* other = find_metric(baseline.metrics, name);
    if (other == nullptr) continue;
    const bool beats = up ? model > *other : model < *other;
    std::string margin;
    if (*other != 0 && std::isfinite(model)) {
      const double percent = 100 * (model - *other) / std::abs(*other);
      margin = percent == 0 ? ", the same"
                            : fmt::format(", {:.1f} % {}", std::abs(percent), percent > 0 ? "higher" : "lower");
    }
    if (baseline.p) margin += *baseline.p < 0.001 ? ", p < 0.001" : fmt::format(", p = {:.2g}", *baseline.p);
    const bool by_chance = beats && baseline.p.value_or(0) >= kSignificance;
    sentences.push_back(fmt::format("{} {}{}: {} {} against {}{}", beats && !by_chance ? "beats" : "does not beat",
                                    baseline.name, by_chance ? " significantly" : "", name, number(model),
                                    number(*other), margin));
  }
  return sentences;
}

std::string report_page(const Report& report) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<h1>{0}</h1>\n",
      html_escaped(report.title), colour_style() + kStyle + chart_style());
  html += facts_table(report) + metric_table(report);
  for (const Figure& figure : report.figures) {
    html += fmt::format("<h2>{}</h2>\n<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n",
                        html_escaped(figure.heading), figure.body, html_escaped(figure.caption));
  }
  return html + "</body>\n</html>\n";
}

LineChart loss_chart(std::span<const EpochEvent> epochs) {
  LineChart chart;
  chart.x_label = "epoch";
  chart.y_label = "loss";
  chart.description = "training and validation loss after each epoch";
  chart.lines = {{"training", {}, {}, false}, {"validation", {}, {}, false}};
  for (const EpochEvent& event : epochs) {
    const auto epoch = static_cast<double>(event.epoch);
    for (ChartLine& line : chart.lines) line.x.push_back(epoch);
    chart.lines[0].y.push_back(event.training_loss);
    chart.lines[1].y.push_back(event.validation_loss);
    if (event.best) chart.x_label = fmt::format("epoch (best: {})", event.epoch);
  }
  return chart;
}

void add_saturation_figure(std::span<const EpochEvent> epochs, std::vector<Figure>& figures) {
  if (epochs.empty() || epochs.front().gate_saturation.empty()) return;
  LineChart chart;
  chart.x_label = "epoch";
  chart.y_label = "share";
  chart.description = "share of saturated gates after each epoch";
  for (std::size_t k = 0; k < epochs.front().gate_saturation.size(); ++k) {
    ChartLine line{.name = epochs.front().gate_saturation[k].first, .x = {}, .y = {}};
    for (const EpochEvent& event : epochs) {
      line.x.push_back(static_cast<double>(event.epoch));
      line.y.push_back(event.gate_saturation[k].second);
    }
    chart.lines.push_back(std::move(line));
  }
  figures.push_back(
      {"Saturated gates",
       "Share of the values of sigmoid gates below 0.05 or above 0.95 after each epoch, on a few training "
       "samples, by layer",
       chart_svg(chart)});
}

std::string confusion_table(std::span<const std::string> names, std::span<const std::int64_t> counts) {
  constexpr std::size_t kMost = 30;
  const std::size_t classes = names.size();
  std::vector<std::int64_t> totals(classes, 0);
  for (std::size_t i = 0; i < classes * classes; ++i) totals[i / classes] += counts[i];
  std::vector<std::size_t> shown(classes);
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  std::string note;
  if (classes > kMost) {
    std::stable_sort(shown.begin(), shown.end(), [&](std::size_t a, std::size_t b) { return totals[a] > totals[b]; });
    shown.resize(kMost);
    std::sort(shown.begin(), shown.end());
    note = fmt::format("<p class=\"faint\">the {} classes with most samples out of {}</p>\n", kMost, classes);
  }
  std::string html = note + "<div class=\"wide\"><table class=\"confusion\"><thead><tr><th>true \\ predicted</th>";
  for (std::size_t column : shown) html += fmt::format("<th scope=\"col\">{}</th>", html_escaped(names[column]));
  html += "</tr></thead><tbody>\n";
  for (std::size_t row : shown) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", html_escaped(names[row]));
    for (std::size_t column : shown) {
      const std::int64_t count = counts[row * classes + column];
      const double share = totals[row] == 0 ? 0 : static_cast<double>(count) / static_cast<double>(totals[row]);
      html += fmt::format("<td style=\"--share:{:.3f}\">{}</td>", share, count);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace carousel
