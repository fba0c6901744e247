// text_options.h: what the options say about the way from text to ids, for every task that reads text.
#pragma once

#include <string>

#include "data/text/pipeline.h"
#include "tasks/options.h"

namespace carousel {

// `defaults`, a task's own, with what the options ask for in their place. A SentencePiece model that is given is read,
// and is its own normaliser: nothing is changed before it unless asked for. Throws Error{kUsage} for options that
// contradict each other, Error{kIo} or Error{kData} if the model cannot be read.
TextSettings text_settings(const DataOptions& options, TextSettings defaults);

std::string_view normal_form_name(const TextSettings& settings);  // "nfkc", "nfc", "none"

// "text: cut at level word, 217314 tokens, ...", for the observer.
std::string describe_text(const FittedText& fitted, const VocabularyLimits& limits);

}  // namespace carousel
