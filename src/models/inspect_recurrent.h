// inspect_recurrent.h: a recurrent layer's tensors in words. Internal to models/inspect*.cpp.
#pragma once

#include <string>
#include <vector>

#include "models/inspect.h"

namespace carousel {

// Axes and meaning of a parameter of the layer; name and shape are given.
void describe_recurrent_parameter(const Recurrent& layer, TensorInfo& info);

// "hidden"; "projected" with projection; "direction x hidden" for two directions.
std::string recurrent_output_axis(const Recurrent& layer);

// h, or h and c ..., [layer x direction, sample, width], without the ending _0 or _n.
std::vector<TensorInfo> recurrent_states(const Recurrent& layer, std::int64_t samples);

// Which output is the last, what h_n[k] is, what happens to padding, the gates in their order.
std::vector<std::string> recurrent_notes(const Recurrent& layer);

}  // namespace carousel
