#include "tasks/classify/classify_report.h"

#include <algorithm>

#include "base/fail.h"
#include "kernels/softmax.h"
#include "tasks/classify/class_metrics.h"
#include "tasks/classify/token_weights.h"
#include "tasks/metrics.h"

namespace carousel {
namespace {

constexpr std::int64_t kCalibrationBins = 10;
constexpr std::size_t kMostWrong = 20, kShownBytes = 300, kShownWords = 5;

// A long text ends in a mark that says how much is left out; characters stay whole.
std::string shortened(const std::string& text) {
  if (text.size() <= kShownBytes) return text;
  std::size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return fmt::format("{} [... {} more bytes]", text.substr(0, end), text.size() - end);
}

std::string class_table(const std::vector<std::string>& names, const std::vector<ClassScore>& scores) {
  std::string html =
      "<div class=\"wide\"><table class=\"metrics\"><thead><tr><th scope=\"col\"></th><th scope=\"col\">precision</th>"
      "<th scope=\"col\">recall</th><th scope=\"col\">f1</th><th scope=\"col\">samples</th></tr></thead><tbody>\n";
  for (std::size_t k = 0; k < names.size(); ++k) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td><td>{}</td></tr>\n",
                        html_escaped(names[k]), scores[k].precision, scores[k].recall, scores[k].f1, scores[k].support);
  }
  return html + "</tbody></table></div>\n";
}

LineChart reliability_chart(const std::vector<CalibrationBin>& bins) {
  LineChart chart;
  chart.x_label = "probability of the predicted class";
  chart.y_label = "share that is right";
  chart.description = "how often the predicted class is right, by the probability that it was given";
  chart.lines = {{"calibrated", {0, 1}, {0, 1}, true}, {"model", {}, {}, false}};
  for (const CalibrationBin& bin : bins) {
    if (bin.count == 0) continue;
    chart.lines[1].x.push_back(bin.confidence);
    chart.lines[1].y.push_back(bin.accuracy);
  }
  return chart;
}

// The words with most weight under attention pooling: "superb 0.61, film 0.12".
std::string heaviest_words(const ClassifyOutcome& o, const std::vector<std::int32_t>& ids) {
  if (ids.empty()) return "";
  const std::vector<std::int32_t> lengths{static_cast<std::int32_t>(ids.size())};
  const auto weights = token_weights(o.network, IdTensor({lengths[0], 1}, ids), lengths);
  if (weights.empty()) return "";
  std::vector<std::size_t> order(ids.size());
  for (std::size_t t = 0; t < order.size(); ++t) order[t] = t;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weights[0][a] > weights[0][b]; });
  order.resize(std::min(order.size(), kShownWords));
  std::vector<std::string> words;
  for (const std::size_t t : order) {
    words.push_back(fmt::format("{} {:.2f}", o.info.vocabulary[static_cast<std::size_t>(ids[t])], weights[0][t]));
  }
  return fmt::format("attention: {}", fmt::join(words, ", "));
}

// The terms of the linear branch that speak for the class that was predicted, against the true one.
std::string strongest_terms(const ClassifyOutcome& o, const std::vector<std::int32_t>& ids, std::int32_t predicted,
                            std::int32_t actual) {
  std::vector<std::string> words;
  const auto word = [&](std::int32_t id) { return o.info.vocabulary[static_cast<std::size_t>(id)]; };
  for (const TermPush& term : term_pushes(o.network, ids, predicted, actual, kShownWords)) {
    words.push_back(
        fmt::format("{}{} {:.2f}", word(term.first), term.second < 0 ? "" : " " + word(term.second), term.push));
  }
  return words.empty() ? "" : fmt::format("terms: {}", fmt::join(words, ", "));
}

struct Mistake {
  std::size_t place;  // among the samples
  std::int32_t predicted, actual;
  float predicted_probability, actual_probability;
};

// Those to whose true class the least probability was given first.
std::vector<Mistake> worst_mistakes(const Tensor& probabilities, const std::vector<std::int32_t>& predicted,
                                    const std::vector<std::int32_t>& actual) {
  std::vector<Mistake> list;
  const std::int64_t K = probabilities.shape()[1];
  for (std::size_t n = 0; n < actual.size(); ++n) {
    if (predicted[n] == actual[n]) continue;
    const float* row = probabilities.data() + static_cast<std::int64_t>(n) * K;
    list.push_back({n, predicted[n], actual[n], row[predicted[n]], row[actual[n]]});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Mistake& a, const Mistake& b) { return a.actual_probability < b.actual_probability; });
  return list;
}

std::string mistake_row(const ClassifyOutcome& o, const Mistake& mistake) {
  const std::int64_t sample = o.samples[mistake.place];
  const auto name = [&](std::int32_t label) { return html_escaped(o.info.labels[static_cast<std::size_t>(label)]); };
  std::string html =
      fmt::format("<tr><td>{}</td><td>{} {:.3f}</td><td>{} {:.3f}</td>", sample + 1, name(mistake.actual),
                  mistake.actual_probability, name(mistake.predicted), mistake.predicted_probability);
  if (o.data.is_text()) {
    const std::vector<std::int32_t>& ids = o.data.samples.ids[static_cast<std::size_t>(sample)];
    std::string words = html_escaped(strongest_terms(o, ids, mistake.predicted, mistake.actual));
    const std::string weights = html_escaped(heaviest_words(o, ids));
    if (!words.empty() && !weights.empty()) words += "<br>";
    html += fmt::format("<td>{}</td><td>{}</td>",
                        html_escaped(shortened(o.data.texts[static_cast<std::size_t>(sample)])), words + weights);
  } else {
    html += fmt::format("<td>{} time steps</td><td></td>", o.data.samples.length(sample));
  }
  return html + "</tr>\n";
}

Figure mistakes_figure(const ClassifyOutcome& o, const std::vector<Mistake>& mistakes) {
  const std::size_t shown = std::min(mistakes.size(), kMostWrong);
  std::string html =
      "<div class=\"wide\"><table class=\"examples\"><thead><tr><th scope=\"col\">sample</th><th "
      "scope=\"col\">true</th>"
      "<th scope=\"col\">predicted</th><th scope=\"col\">input</th><th scope=\"col\">what spoke for it</th></tr>"
      "</thead><tbody>\n";
  for (std::size_t k = 0; k < shown; ++k) html += mistake_row(o, mistakes[k]);
  html += "</tbody></table></div>\n";
  return {
      "Most wrong",
      fmt::format("{} of {} mistakes: those whose true class got the least probability. Samples count from 1 in the "
                  "order of the data; the numbers are probabilities, and what a word adds to the score of the "
                  "predicted class over that of the true one (terms) or its weight in the sum (attention)",
                  shown, mistakes.size()),
      html};
}

}  // namespace

Tensor class_probabilities(const Tensor& scores) {
  Tensor probabilities(scores.shape());
  kernels::softmax<float>(scores.shape()[0], scores.shape()[1], scores.data(), probabilities.data());
  return probabilities;
}

Metrics probability_metrics(const Tensor& scores, std::span<const std::int32_t> labels) {
  const Tensor probabilities = class_probabilities(scores);
  return {{"nll", negative_log_likelihood(probabilities, labels)},
          {"ece", expected_calibration_error(calibration_bins(probabilities, labels, kCalibrationBins))}};
}

void add_classify_figures(const ClassifyOutcome& o, std::vector<Figure>& figures) {
  const std::vector<std::int32_t> actual = labels_of(o.data, o.samples), predicted = predicted_classes(o.scores);
  const std::int64_t classes = std::ssize(o.info.labels);
  const auto counts = confusion_counts(predicted, actual, classes);
  const Tensor probabilities = class_probabilities(o.scores);
  const auto bins = calibration_bins(probabilities, actual, kCalibrationBins);
  figures.push_back(
      {"Confusion", "Rows: the true class, columns: the predicted one", confusion_table(o.info.labels, counts)});
  figures.push_back(
      {"Classes", "Each class against all others", class_table(o.info.labels, class_scores(counts, classes))});
  figures.push_back(
      {"Calibration",
       fmt::format(
           "Samples by the probability of their predicted class, {} equal intervals: on the dashed line what is "
           "given 80 % is right in 80 % of the cases. Expected calibration error (ece) {:.4f}, negative "
           "log-likelihood {:.4f}",
           kCalibrationBins, expected_calibration_error(bins), negative_log_likelihood(probabilities, actual)),
       chart_svg(reliability_chart(bins))});
  if (const auto mistakes = worst_mistakes(probabilities, predicted, actual); !mistakes.empty()) {
    figures.push_back(mistakes_figure(o, mistakes));
  }
}

}  // namespace carousel
