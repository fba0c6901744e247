#include "tasks/transcribe/transcribe_report.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"
#include "tasks/report/time_map.h"

namespace carousel {
namespace {

// Low frequencies at the bottom; shades from the least to the greatest value.
TimePanel feature_panel(const Tensor& steps, const FrameSettings& frames) {
  const std::int64_t C = frames.features, T = steps.elements() / C;
  const auto [low, high] = std::minmax_element(steps.span().begin(), steps.span().end());
  const double range = std::max(static_cast<double>(*high) - *low, 1e-9);
  TimePanel panel{.name = frames.from_audio() ? "log-mel features, low frequencies at the bottom" : "features",
                  .rows = C,
                  .columns = T,
                  .values = std::vector<double>(static_cast<std::size_t>(C * T)),
                  .row_names = {},
                  .height = 160};
  for (std::int64_t t = 0; t < T; ++t) {
    for (std::int64_t c = 0; c < C; ++c) {
      panel.values[static_cast<std::size_t>((C - 1 - c) * T + t)] = (steps[t * C + c] - *low) / range;
    }
  }
  return panel;
}

// The labels that were ever likely, in the order of when they were most so, and the blank.
TimePanel label_panel(const BasicTensor<double>& log_p, const TranscriptLabels& labels) {
  constexpr std::size_t kMost = 24;
  constexpr double kLikely = 0.1;
  const std::int64_t T = log_p.shape()[0], K = log_p.shape()[1];
  std::vector<std::pair<std::int64_t, std::int32_t>> shown;  // step of the peak, label
  for (std::int32_t k = 1; k < K; ++k) {
    std::int64_t peak = 0;
    for (std::int64_t t = 0; t < T; ++t) {
      if (log_p[t * K + k] > log_p[peak * K + k]) peak = t;
    }
    if (log_p[peak * K + k] >= std::log(kLikely)) shown.emplace_back(peak, k);
  }
  std::sort(shown.begin(), shown.end());
  shown.resize(std::min(shown.size(), kMost));
  shown.emplace_back(T, 0);
  TimePanel panel{.name = "probability of the labels",
                  .rows = std::ssize(shown),
                  .columns = T,
                  .values = {},
                  .row_names = {},
                  .height = 20 * static_cast<double>(shown.size())};
  for (const auto& [peak, k] : shown) {
    panel.row_names.push_back(k == 0 ? "(blank)" : labels.name(k) == " " ? "(space)" : labels.name(k));
    for (std::int64_t t = 0; t < T; ++t) panel.values.push_back(std::exp(log_p[t * K + k]));
  }
  return panel;
}

}  // namespace

void write_transcribe_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                             const TranscriptLabels& labels, const FrameSettings& frames,
                             const HeardRecording& recording) {
  Report report = training_report(fmt::format("Transcription of {}", file_names(options.data.data)),
                                  {"cell", result.options.model.cell}, "recordings", result, curves);
  const BasicTensor<double> log_p = ctc_log_probabilities(recording.logits);
  if (log_p.shape()[0] > 0) {
    const TimePanel panels[] = {feature_panel(recording.steps, frames), label_panel(log_p, labels)};
    const std::string x_label = frames.from_audio() ? "seconds" : "frames";
    report.figures.push_back(
        {"One recording",
         fmt::format("The first recording of the validation part. Said: \"{}\"; heard: \"{}\"", recording.said,
                     labels.text(ctc_greedy(log_p))),
         time_map_svg(panels, frames.begin(log_p.shape()[0]), x_label,
                      "the features of one recording and the probabilities of the labels over time")});
  }
  add_saturation_figure(curves.epochs(), report.figures);
  write_report_files(options.output, report);
}

}  // namespace carousel
