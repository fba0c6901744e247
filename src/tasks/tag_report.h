// tag_report.h: the page about the training of a tagger.
#pragma once

#include <cstdint>
#include <span>

#include "tasks/tag_model.h"
#include "tasks/tag_score.h"
#include "tasks/training_run.h"

namespace carousel {

// What the page is about; borrowed.
struct TagReport {
  const TrainResult& result;
  const CurveRecorder& curves;
  const ModelOptions& model;  // resolved
  const TagInfo& info;
  const TagScore& score;  // of the validation part
};

// Writes options.output.report: curves, a table of the types of spans, the most frequent confusions, and the sentences
// of `samples` in which most is wrong.
void write_tag_report(const TagReport& report, Sequential& network, const TagData& data,
                      std::span<const std::int64_t> samples);

}  // namespace carousel
