// transcribe_report.h: the page of a transcriber's training: curves, and one recording with what was heard in it.
#pragma once

#include <string>

#include "tasks/training_run.h"
#include "tasks/transcribe/transcribe_data.h"
#include "tasks/transcribe/transcript_labels.h"

namespace carousel {

// One recording as a picture: its features above, the probabilities of the labels that were ever likely below.
struct HeardRecording {
  const Tensor& steps;  // [T, stack C], as the network reads them
  View<const float> logits;
  std::string said;  // the text of the data
};

// Writes what options.output asks for (report_files.h).
void write_transcribe_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                             const TranscriptLabels& labels, const FrameSettings& frames,
                             const HeardRecording& recording);

}  // namespace carousel
