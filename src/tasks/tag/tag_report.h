// tag_report.h: the pages about a tagger: how it was trained, and how it tags some sentences.
#pragma once

#include <cstdint>
#include <span>

#include "tasks/tag/tag_model.h"
#include "tasks/tag/tag_score.h"
#include "tasks/training_run.h"

namespace carousel {

// Some sentences with tags, and how well the network's are; borrowed.
struct TagOutcome {
  Sequential& network;
  const TagInfo& info;
  const TagData& data;
  std::span<const std::int64_t> samples;
  const TagScore& score;  // of these samples
};

// Write what options.output asks for (report_files.h): a table of the types of spans, the most frequent confusions, the
// sentences in which most is wrong; after training with the curves.
void write_tag_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                      const TagOutcome& outcome);
void write_tag_report(const Options& options, const EvaluateResult& result, const Model& model,
                      const TagOutcome& outcome);

}  // namespace carousel
