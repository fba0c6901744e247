// inspect_model.h: the network of a model on the samples that were read; of a translator and a tagger part by part.
#pragma once

#include "carousel/model.h"
#include "models/inspect.h"
#include "tasks/inspect_input.h"

namespace carousel {

// inspect_network for these samples, the axis of the output named after the task. Of a translator the encoder, the
// bridge and the decoder one after another, the decoder on the targets of the data or on what it writes itself; of a
// tagger all parts, each on the ids or numbers that it reads. Throws Error{kModel} for a description that does not fit
// the network of a tagger.
InspectResult inspect_model(const Model& model, const InspectData& data, std::int64_t time_step);

}  // namespace carousel
