// inspect_input.h: some samples of a data file, or texts, as the network of a model takes them, and what its numbers
// mean: the way from the input of a task to the tensors that models/inspect.h names.
#pragma once

#include <string>
#include <vector>

#include "carousel/model.h"
#include "data/text/pipeline.h"
#include "layers/tokens/token_inputs.h"
#include "tasks/options.h"
#include "tasks/tag/tag_data.h"
#include "tasks/translate/translate_write.h"

namespace carousel {

struct InspectRequest {
  std::vector<std::string> texts;  // instead of options.data
  std::int64_t samples = 4;        // the first ones of the data
  std::int64_t time_step = 0;      // to work through
};

struct InspectData {
  std::vector<TextTrace> traces;            // texts: raw, normalized, tokens, ids, padded, mask, all of one length
  std::vector<std::vector<float>> weights;  // texts: what attention pooling gives each token; empty: it is not there
  TagData sentences;                        // a tagger's, as numbers
  // A translator's: what its decoder reads, [target T, N], and what each token that it writes looks at.
  IdTensor target_ids;
  std::vector<std::int32_t> target_lengths;
  // One per text; of a forecaster with a decoder one per window: which rows each step of the horizon looks at.
  std::vector<Alignment> alignments;
  WordPieces unseen;                   // texts: words beyond the vocabulary of a model that hashes words
  IdTensor ids;                        // texts: [T, N]
  Tensor values;                       // numbers: [T, N, C]
  std::vector<std::int32_t> lengths;   // [N]; empty: no sample was asked for
  std::vector<std::string> columns;    // names of the features; empty: they have none
  std::vector<std::string> results;    // what the numbers of the output are: labels, targets of every step
  std::string result_axis = "output";  // "class", "horizon x target", "target"
  std::vector<std::string> notes;      // what was passed over or filled in while reading
};

// The first samples of options.data or the texts; neither: the names alone. A forecaster is shown the last window of
// each series. A model of no task that reads data takes .npy files [T, N, C] (or [N, T, C] with options.batch_first).
// Of a translator it is the sources, and the targets if the data have them. Throws Error{kUsage} for texts where the
// model takes numbers or that have no token to tag, Error{kModel} for a description that does not fit the network of a
// translator, and what reading the data throws.
InspectData read_inspect_data(const Model& model, const DataOptions& options, const InspectRequest& request);

}  // namespace carousel
