// translate_report.h: the page about the training of a translator.
#pragma once

#include <span>

#include "tasks/training_run.h"
#include "tasks/translate/translate_write.h"

namespace carousel {

// Writes what options.output asks for (report_files.h): facts, metrics, curves, and what the outputs of the first
// validation samples looked at. `samples` are the validation samples.
void write_translate_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                            std::span<const Translator> models, const TranslateInfo& info, const TranslateData& data,
                            std::span<const std::int64_t> samples);

}  // namespace carousel
