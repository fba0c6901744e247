// commands.h: the verbs, one cmd_<verb>.cpp each.
#pragma once

#include "verb.h"

namespace carousel::cli {

extern const Verb kTrainVerb, kResumeVerb, kEvaluateVerb, kPredictVerb, kGenerateVerb, kRunVerb, kExportVerb;
extern const Verb kInspectVerb, kCellsVerb, kTokenizeVerb, kDataVerb;
extern const Verb kCompareVerb, kBenchVerb;
extern const Verb kConfigVerb, kCompletionVerb, kVersionVerb;

}  // namespace carousel::cli
