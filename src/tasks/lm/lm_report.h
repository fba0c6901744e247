// lm_report.h: the pages about a language model: how it was trained, and how it takes a text.
#pragma once

#include <cstdint>
#include <span>

#include "tasks/lm/lm_data.h"
#include "tasks/report/report.h"
#include "tasks/training_run.h"

namespace carousel {

// A text that was scored as one stream; borrowed.
struct ScoredText {
  const LmEncoder& encoder;
  std::span<const std::int32_t> ids;
  std::span<const double> losses;  // of each token, in nats
};

// The beginning of the text, the darker the less likely the model took a token to be.
Figure surprise_figure(const ScoredText& text);

// The tokens that the loss comes from, those with the largest share of it first, at most 20.
Figure costly_tokens_figure(const ScoredText& text);

// Write what options.output asks for (report_files.h): curves; or of a model that was trained before, both figures of
// the text.
void write_lm_report(const Options& options, const TrainResult& result, const CurveRecorder& curves);
void write_lm_report(const Options& options, const EvaluateResult& result, const Model& model, const ScoredText& text);

}  // namespace carousel
