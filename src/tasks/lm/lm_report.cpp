#include "tasks/lm/lm_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"

namespace carousel {
namespace {

constexpr std::size_t kShownTokens = 2000, kCostlyTokens = 20;
constexpr double kDarkest = 4;  // -log10 p from which on nothing becomes darker

std::string shaded(std::string_view text, double loss) {
  const double share = std::clamp(loss / std::log(10.0) / kDarkest, 0.0, 1.0);
  return fmt::format("<span style=\"--share:{:.2f}\" title=\"p = {:.3g}\">{}</span>", share, std::exp(-loss),
                     html_escaped(text));
}

std::string shades() {
  std::string html = "<p class=\"surprise\">";
  for (int k = 0; k <= static_cast<int>(kDarkest); ++k) {
    const double p = std::pow(10.0, -k);
    html += shaded(fmt::format(" {}p = {:g} ", k == static_cast<int>(kDarkest) ? "at most " : "", p), -std::log(p));
  }
  return html + "</p>\n";
}

// What a reader sees of a token in a table.
std::string shown_token(const std::string& token) {
  return token == "\n" ? "(line end)" : token == " " ? "(blank)" : token;
}

}  // namespace

Figure surprise_figure(const ScoredText& text) {
  const std::size_t shown = std::min(kShownTokens, text.ids.size());
  std::string html = shades() + "<p class=\"surprise\">";
  std::int32_t previous = text.encoder.line_end();
  for (std::size_t t = 0; t < shown; ++t) {
    html += shaded(text.encoder.text_of(text.ids[t], previous), text.losses[t]);
    previous = text.ids[t];
  }
  return {"Surprise",
          fmt::format("The first {} of {} tokens, shaded by the probability that the model gave to each after all "
                      "before it: the darker the less likely",
                      shown, text.ids.size()),
          html + "</p>\n"};
}

Figure costly_tokens_figure(const ScoredText& text) {
  struct Cost {
    double loss = 0;
    std::int64_t count = 0;
  };
  const Vocabulary& vocabulary = text.encoder.pipeline().vocabulary();
  std::vector<Cost> costs(static_cast<std::size_t>(vocabulary.size()));
  for (std::size_t t = 0; t < text.ids.size(); ++t) {
    Cost& cost = costs[static_cast<std::size_t>(text.ids[t])];
    cost.loss += text.losses[t];
    ++cost.count;
  }
  std::vector<std::int32_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0);
  const auto loss_of = [&](std::int32_t id) { return costs[static_cast<std::size_t>(id)].loss; };
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return loss_of(a) > loss_of(b); });
  order.resize(std::min(order.size(), kCostlyTokens));
  const double total = std::accumulate(text.losses.begin(), text.losses.end(), 0.0);
  std::string html =
      "<div class=\"wide\"><table class=\"metrics\"><thead><tr><th scope=\"col\">token</th><th scope=\"col\">times</th>"
      "<th scope=\"col\">share of the loss</th><th scope=\"col\">mean probability</th></tr></thead><tbody>\n";
  for (const std::int32_t id : order) {
    const Cost& cost = costs[static_cast<std::size_t>(id)];
    if (cost.count == 0) continue;
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{:.2f} %</td><td>{:.3g}</td></tr>\n",
                        html_escaped(shown_token(vocabulary.token(id))), cost.count, 100 * cost.loss / total,
                        std::exp(-cost.loss / static_cast<double>(cost.count)));
  }
  return {"Where the loss comes from",
          "The tokens with the largest sums of -log p; the mean of their probabilities is the geometric one",
          html + "</tbody></table></div>\n"};
}

void write_lm_report(const Options& options, const TrainResult& result, const CurveRecorder& curves) {
  Report report = training_report(fmt::format("Language model of {}", file_names(options.data.data)),
                                  {"cell", result.options.model.cell}, "tokens", result, curves);
  add_saturation_figure(curves.epochs(), report.figures);
  write_report_files(options.output, report);
}

void write_lm_report(const Options& options, const EvaluateResult& result, const Model& model, const ScoredText& text) {
  Report report = evaluation_report(options, "tokens", result, model);
  report.figures = {surprise_figure(text), costly_tokens_figure(text)};
  write_report_files(options.output, report);
}

}  // namespace carousel
