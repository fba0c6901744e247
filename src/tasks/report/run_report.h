// run_report.h: what the pages of all tasks begin with.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "tasks/report/report.h"
#include "tasks/training_run.h"

namespace carousel {

// "window: 24 steps (auto)" becomes the fact "window"; a note without a colon is left out.
void add_notes(std::span<const std::string> notes, Report& report);

// The page of a training: `model` as a fact and as the name of its row ("cell", "lstm"), parameters, epochs and notes,
// the scores of the validation part, whose samples are counted in `unit` ("sentences"), and the loss as first figure.
Report training_report(const std::string& title, const std::pair<std::string, std::string>& model,
                       const std::string& unit, const TrainResult& result, const CurveRecorder& curves);

// The page of a trained model on other data: parameters and scores.
Report evaluation_report(const Options& options, const std::string& unit, const EvaluateResult& result,
                         const Model& model);

}  // namespace carousel
