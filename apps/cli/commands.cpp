// The verb table.
#include "commands.h"

namespace carousel::cli {

std::span<const Verb* const> all_verbs() {
  static const Verb* const verbs[] = {&kTrainVerb,    &kResumeVerb, &kEvaluateVerb,   &kPredictVerb,
                                      &kGenerateVerb, &kRunVerb,    &kExportVerb,     &kCompareVerb,
                                      &kInspectVerb,  &kCellsVerb,  &kTokenizeVerb,   &kDataVerb,
                                      &kBenchVerb,    &kConfigVerb, &kCompletionVerb, &kVersionVerb};
  return verbs;
}

}  // namespace carousel::cli
