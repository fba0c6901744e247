// tag_predict.h: tags and spans for new text.
#pragma once

#include "tasks/task.h"

namespace carousel {

// One row per sentence of options.data: text, tokens, tags, spans (unless the tags are no spans), words (of a model
// that cuts text into words; white space parts them, too) and intent with its probability (of a model that knows
// intents). A span is {type, begin, end, text, score}: begin and end count code points of the text, end is the one
// behind it; score is the probability that the model gives to its tags. Where the scheme allows no sequence of so many
// tags, those of the highest score stand there, which is noted.
//
// With options.model.n_best above 1 a sentence has as many rows, if there are as many valid sequences of tags, best
// first, each with its rank, from 1, and the probability of the whole sequence.
//
// What options.format may be: "lines" (the default) is raw text, cut as the model says; "tokens" has blanks between;
// "columns", "segmented": as for training, tags not needed and passed over. The text of tokens is these with blanks
// between them, or without if the model takes characters, and places count in it. A line without a token gives a row
// without tags, but for "columns", where blank lines end sentences. Throws Error{kData} for a line that is not UTF-8 or
// too long.
void predict_tags(const Model& model, const Options& options, RowSink& sink);

}  // namespace carousel
