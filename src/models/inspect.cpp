// inspect.cpp: the walk through the layers that names and sizes every tensor.
#include "models/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "cells/cell.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/mixture.h"
#include "layers/module.h"
#include "layers/output/adaptive_softmax.h"
#include "layers/output/crf.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/sentence_encoder.h"
#include "layers/tokens/series_embedding.h"
#include "layers/tokens/term_scores.h"
#include "layers/tokens/token_inputs.h"
#include "models/inspect_recurrent.h"

namespace carousel {
namespace {

// What the first layers ask of the input.
struct InputNeeds {
  bool ids = false;
  std::int64_t features = kAnySize, time_steps = kAnySize;
};

InputNeeds input_needs(const Sequential& network) {
  InputNeeds needs;
  std::int64_t steps = 1;  // that a Flatten has put side by side
  for (const auto& [name, module] : network.modules()) {
    std::int64_t width = kAnySize;
    if (is_token_input(module->describe().type)) needs.ids = needs.features == kAnySize;
    if (const auto* scale = dynamic_cast<const Scale*>(module.get())) width = scale->factor.value.shape()[0];
    if (const auto* linear = dynamic_cast<const Linear*>(module.get())) width = linear->weight.value.shape()[1];
    if (const auto* norm = dynamic_cast<const LayerNorm*>(module.get())) width = norm->weight.value.shape()[0];
    if (const auto* recurrent = dynamic_cast<const Recurrent*>(module.get())) width = recurrent->options().input_size;
    if (const auto* conv = dynamic_cast<const Conv1d*>(module.get())) width = conv->options().input_size;
    if (const auto* attention = dynamic_cast<const MultiHeadAttention*>(module.get())) {
      width = attention->options().input_size;
    }
    if (const auto* pool = dynamic_cast<const AttentionPool*>(module.get())) width = pool->weight.value.shape()[1];
    if (const auto* decoder = dynamic_cast<const AttentionDecoder*>(module.get())) {
      width = decoder->options().input_size;
    }
    if (const auto* flatten = dynamic_cast<const Flatten*>(module.get())) {
      needs.time_steps = steps = flatten->time_steps();
    }
    for (const auto& [own, network_inside] : detail::inner_networks(*module)) {
      const InputNeeds inner = input_needs(*network_inside);
      if (width == kAnySize) width = inner.features;
      needs.ids = needs.ids || (inner.ids && needs.features == kAnySize);
      if (inner.time_steps != kAnySize) needs.time_steps = inner.time_steps;
    }
    if (needs.features == kAnySize && !needs.ids && width != kAnySize) needs.features = width / steps;
  }
  return needs;
}

class Walk {
 public:
  Walk(InspectResult& result, const InspectInput& input, const InputNeeds& needs)
      : result_(result), time_steps_(needs.time_steps), features_(needs.features), ids_(needs.ids) {
    const Shape* shape = input.values ? &input.values->shape() : input.ids ? &input.ids->shape() : nullptr;
    if (!shape) return;
    if (input.memory) memory_steps_ = input.memory->shape()[0];
    time_steps_ = (*shape)[0];
    samples_ = (*shape)[1];
    if (input.values) features_ = (*shape)[2];
  }

  TensorInfo current(std::string name, std::string meaning = {}) const {
    TensorInfo info{std::move(name), ids_ ? "int32" : "float32", {}, {}, std::move(meaning)};
    if (sequence_) info = with_axis(std::move(info), "time", time_steps_);
    info = with_axis(std::move(info), "sample", samples_);
    return ids_ ? info : with_axis(std::move(info), axis_, features_);
  }

  TensorInfo lengths() const {
    return {"lengths", "int32", {"sample"}, {samples_}, "valid steps per sample; left out: all"};
  }

  void layers(const std::string& prefix, const Sequential& network) {
    for (const auto& [name, module] : network.modules()) layer(prefix + name, *module);
  }

 private:
  static TensorInfo with_axis(TensorInfo info, const std::string& axis, std::int64_t size) {
    info.axes.push_back(axis);
    info.shape.push_back(size);
    return info;
  }

  void layer(const std::string& name, Module& module) {
    LayerInfo info;
    info.name = name;
    const LayerDescription description = module.describe();
    info.type = description.type;
    info.settings = settings_text(description);
    info.inputs.push_back(current("input"));
    if (std::vector<Sequential>* all = detail::branches_of(module)) {
      info.settings = description.type == "sum"
                          ? fmt::format("{} branches get the same input, their outputs are added up", all->size())
                          : fmt::format(
                                "{} branches get the same input; column k of the first weighs branch k + 1, the "
                                "weighted outputs are added up",
                                all->size());
      branches(std::move(info), *all);
      return;
    }
    if (auto* encoder = dynamic_cast<SentenceEncoder*>(&module)) {
      sentences(std::move(info), *encoder);
      return;
    }
    if (auto* both = dynamic_cast<SequenceToSequence*>(&module)) {
      encoder_and_decoder(std::move(info), *both);
      return;
    }
    if (auto* inner = dynamic_cast<Sequential*>(&module)) {
      layers(name + ".", *inner);
      return;
    }
    for (Parameter* parameter : module.parameters()) {
      info.parameter_count += parameter->value.elements();
      info.parameters.push_back(parameter_info(module, *parameter));
    }
    for (Parameter* buffer : module.buffers()) info.parameters.push_back(parameter_info(module, *buffer));
    step_over(module, info);
    result_.layers.push_back(std::move(info));
  }

  // The layer itself, then its branches, each from the same input.
  void branches(LayerInfo info, std::vector<Sequential>& all) {
    const std::string name = info.name;
    const std::size_t place = result_.layers.size();
    result_.layers.push_back(std::move(info));
    const Walk start = *this;
    std::int64_t widest = 0;  // the first; a narrower branch is added to its first columns
    for (std::size_t k = 0; k < all.size(); ++k) {
      Walk branch = start;
      branch.layers(fmt::format("{}.{}.", name, k), all[k]);
      branch.axis_ = "output";
      sequence_ = branch.sequence_;
      ids_ = branch.ids_;
      time_steps_ = branch.time_steps_;
      widest = std::max(widest, branch.features_);
      axis_ = branch.axis_;
    }
    features_ = widest;
    result_.layers[place].outputs.push_back(current("output"));
  }

  // The encoder itself, then the layers inside, for which every sentence is a sample.
  void sentences(LayerInfo info, SentenceEncoder& encoder) {
    const std::string name = info.name;
    const std::int64_t samples = samples_;
    info.notes.push_back(
        "the mark ends a sentence; a step of the output is a sentence, which the layers inside see alone");
    const std::size_t place = result_.layers.size();
    result_.layers.push_back(std::move(info));
    time_steps_ = samples_ = kAnySize;
    layers(name + ".", encoder);
    samples_ = samples;
    sequence_ = true;
    result_.layers[place].outputs.push_back(current("output"));
  }

  // The layer itself, then its parts.
  void encoder_and_decoder(LayerInfo info, SequenceToSequence& both) {
    const std::string name = info.name;
    const std::int64_t window = time_steps_, steps = both.options().steps;
    info.notes.push_back(
        "the bridge gives the states that the decoder starts with; a step of the decoder reads what is known of it and "
        "how far off it is");
    const std::size_t place = result_.layers.size(), states = result_.states.size();
    result_.layers.push_back(std::move(info));
    layers(name + ".encoder.", both.encoder());
    layers(name + ".bridge.", both.bridge());
    memory_steps_ = window;
    time_steps_ = steps;
    sequence_ = true;
    set_features("feature", both.options().known_count + 1);
    layers(name + ".decoder.", both.decoder());
    result_.states.resize(states);  // no state goes in or comes out
    time_steps_ = window;
    sequence_ = false;
    set_features("output", features_ * steps);
    result_.layers[place].outputs.push_back(current("output"));
  }

  static std::string settings_text(const LayerDescription& description) {
    std::vector<std::string> list;
    for (const auto& [key, setting] : description.settings) {
      std::visit(
          [&, name = key](const auto& value) {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::int64_t> ||
                          std::is_same_v<std::decay_t<decltype(value)>, double>) {
              if (value == 0) return;  // proj_size, dropout: not used
            }
            list.push_back(fmt::format("{} {}", name, value));
          },
          setting);
    }
    return fmt::format("{}", fmt::join(list, ", "));
  }

  static TensorInfo parameter_info(const Module& module, const Parameter& parameter) {
    TensorInfo info;
    info.name = parameter.name;
    const auto sizes = parameter.value.shape().sizes();
    info.shape.assign(sizes.begin(), sizes.end());
    if (const auto* recurrent = dynamic_cast<const Recurrent*>(&module)) {
      describe_recurrent_parameter(*recurrent, info);
    } else if (dynamic_cast<const Embedding*>(&module) || dynamic_cast<const FixedEmbedding*>(&module)) {
      info.axes = {"token", "embedding"};
      info.meaning = "one row per token of the vocabulary; row 0 is <pad>";
    } else if (dynamic_cast<const HashedEmbedding*>(&module)) {
      if (info.name == "weight") info.axes = {"bucket", "embedding"};
      if (info.name == "starts") info.axes = {"token"};
      if (info.name == "pieces") info.axes = {"piece"};
      info.meaning = info.name == "weight" ? "a word's vector is the sum of the rows of its pieces"
                                           : "which pieces the words of the vocabulary have";
    } else if (dynamic_cast<const Linear*>(&module) || dynamic_cast<const Conv1d*>(&module) ||
               dynamic_cast<const AdaptiveSoftmax*>(&module) || dynamic_cast<const MultiHeadAttention*>(&module) ||
               dynamic_cast<const AttentionDecoder*>(&module) || dynamic_cast<const AttentionPool*>(&module)) {
      info.axes = {"output", "input", "kernel"};
      info.axes.resize(info.shape.size());
    } else if (dynamic_cast<const TermScores*>(&module)) {
      info.meaning = "fixed, not trained";
      if (info.name == "terms") info.axes = {"term", "word"};
      if (info.name == "idf") info.axes = {"term"};
      if (info.name == "weight") info.axes = {"term", "output"};
      if (info.name == "bias") info.axes = {"output"};
    } else if (dynamic_cast<const Memberships*>(&module)) {
      info.axes = {"cluster", "time x feature"};
      info.meaning = "fixed, not trained";
    } else if (dynamic_cast<const Crf*>(&module)) {
      if (info.name == "transitions") info.axes.emplace_back("tag before");
      info.axes.emplace_back("tag");
    } else if (dynamic_cast<const TiedLinear*>(&module)) {
      info.axes = {"output"};
    } else if (dynamic_cast<const SeriesEmbedding*>(&module)) {
      info.axes = {"series", "embedding"};
    } else {
      info.axes = {"feature"};
      if (dynamic_cast<const Scale*>(&module)) info.meaning = "fixed, not trained";
    }
    return info;
  }

  static std::string output_meaning(const Recurrent& recurrent) {
    const RecurrentOptions& o = recurrent.options();
    std::string text =
        o.bidirectional && o.merge != "concat" ? o.merge + " of the two h of the top layer" : "h of the top layer";
    if (o.connection != "none") text += " with what goes past it";
    return text + " after each step";
  }

  void step_over(const Module& module, LayerInfo& info) {
    if (const LayerDescription description = module.describe(); is_token_input(description.type)) {
      ids_ = false;
      const bool one_hot = description.type == "one_hot";
      set_features(one_hot ? "token" : "embedding",
                   std::get<std::int64_t>(description.settings.at(one_hot ? "vocabulary_size" : "embedding_size")));
    } else if (const auto* adaptive = dynamic_cast<const AdaptiveSoftmax*>(&module)) {
      set_features("output", adaptive->vocabulary_size());
      info.notes.push_back("gives log-probabilities");
    } else if (const auto* tied = dynamic_cast<const TiedLinear*>(&module)) {
      set_features("output", tied->bias.value.elements());
      info.notes.push_back("its weight is the table of the embedding");
    } else if (const auto* linear = dynamic_cast<const Linear*>(&module)) {
      set_features("output", linear->weight.value.shape()[0]);
    } else if (dynamic_cast<const Flatten*>(&module)) {
      sequence_ = false;
      set_features("time x " + axis_,
                   time_steps_ == kAnySize || features_ == kAnySize ? kAnySize : time_steps_ * features_);
      info.notes.push_back("the steps of a sample side by side: all samples must have this many steps");
    } else if (const auto* scores = dynamic_cast<const TermScores*>(&module)) {
      ids_ = sequence_ = false;
      set_features("output", scores->bias.value.elements());
      info.notes.push_back("counts words and pairs of neighbouring words of the valid steps; their order is not seen");
    } else if (const auto* clusters = dynamic_cast<const Memberships*>(&module)) {
      sequence_ = false;
      set_features("cluster", clusters->centers.value.shape()[0]);
      info.notes.push_back("how much a sample belongs to each cluster; the shares add up to 1");
    } else if (const auto* series = dynamic_cast<const SeriesEmbedding*>(&module)) {
      set_features("column", features_ == kAnySize ? kAnySize : features_ - 1 + series->weight.value.shape()[1]);
      info.notes.push_back("instead of the last column, the number of a series, its learnt vector");
    } else if (dynamic_cast<const Pool*>(&module)) {
      pool(info);
    } else if (dynamic_cast<const AttentionPool*>(&module)) {
      sequence_ = false;
      info.notes.push_back("the valid steps of each sample, weighed; 0 for a sample of length 0");
    } else if (const auto* recurrent = dynamic_cast<const Recurrent*>(&module)) {
      set_features(recurrent_output_axis(*recurrent), recurrent->output_size());
      states(*recurrent, info);
      info.outputs.insert(info.outputs.begin(), current("output", output_meaning(*recurrent)));
      last_axis_ = axis_;
      last_features_ = features_;
      last_connected_ = recurrent->options().connection != "none";
      return;
    } else if (const auto* conv = dynamic_cast<const Conv1d*>(&module)) {
      convolution(conv->options(), info);
    } else if (const auto* attention = dynamic_cast<const MultiHeadAttention*>(&module)) {
      if (attention->options().memory_size > 0) info.inputs.push_back(memory(attention->options().memory_size));
    } else if (const auto* decoder = dynamic_cast<const AttentionDecoder*>(&module)) {
      info.inputs.push_back(memory(decoder->options().memory_size));
      decoder_states(*decoder, info);
      set_features("output", decoder->output_size());
      info.outputs.insert(info.outputs.begin(), current("output"));
      TensorInfo weights{"attention", "float32", {}, {}, "of each step, on each step of the memory; they add up to 1"};
      weights = with_axis(std::move(weights), "time", time_steps_);
      weights = with_axis(std::move(weights), "sample", samples_);
      info.outputs.push_back(with_axis(std::move(weights), "memory time", memory_steps_));
      return;
    } else if (dynamic_cast<const Dropout*>(&module)) {
      info.notes.push_back("active in training only: here the output is the input");
    }
    info.outputs.push_back(current("output"));
  }

  void convolution(const Conv1dOptions& options, LayerInfo& info) {
    set_features("output", options.output_size);
    if (options.padding == "same") return;
    if (time_steps_ != kAnySize) time_steps_ = std::max<std::int64_t>(time_steps_ - options.kernel_size + 1, 0);
    info.notes.push_back("every sample has kernel_size - 1 steps less, but not less than none");
  }

  TensorInfo memory(std::int64_t size) const {
    TensorInfo info{"memory", "float32", {}, {}, "another sequence of the same samples, with lengths of its own"};
    info = with_axis(std::move(info), "memory time", memory_steps_);
    info = with_axis(std::move(info), "sample", samples_);
    return with_axis(std::move(info), "memory", size);
  }

  void pool(LayerInfo& info) {
    sequence_ = false;
    if (info.settings != "kind last") {
      info.notes.push_back("over the valid steps of each sample only; 0 for a sample of length 0");
      return;
    }
    set_features(last_axis_, last_features_);
    info.notes.push_back(last_connected_
                             ? "output of the top layer below where each direction has read its whole sample"
                             : "h_n of the top layer below, its directions as in its output: for each sample the state "
                               "after its own last valid step, never a padded one");
  }

  void states(const Recurrent& recurrent, LayerInfo& info) {
    for (const TensorInfo& state : recurrent_states(recurrent, samples_)) {
      TensorInfo initial = state, final = state;
      initial.name += "_0";
      initial.meaning = recurrent.options().learned_initial_state ? "before the first step; left out: as learned"
                                                                  : "before the first step; left out: zero";
      final.name += "_n";
      info.inputs.push_back(std::move(initial));
      info.outputs.push_back(final);
      final.name = info.name + "." + final.name;
      result_.states.push_back(std::move(final));
    }
    info.notes = recurrent_notes(recurrent);
  }

  // Those of the cell and, with input feeding, the output of the step before.
  void decoder_states(const AttentionDecoder& decoder, LayerInfo& info) {
    const Cell& cell = find_cell(decoder.options().cell);
    for (int k = 0; k < decoder.state_count(); ++k) {
      const bool is_state = k < cell.state_count();
      const Shape shape = decoder.state_shape(k, 1);
      TensorInfo state{is_state ? std::string(cell.states[static_cast<std::size_t>(k)]) : "y",
                       "float32",
                       {"layer", "sample", is_state ? "hidden" : "output"},
                       {shape[0], samples_, shape[2]},
                       {}};
      const std::string name = state.name;
      state.name = name + "_0";
      state.meaning = "before the first step; left out: zero";
      info.inputs.push_back(state);
      state.name = name + "_n";
      state.meaning = is_state ? "after the last step of each sample" : "the last output, fed to the next step";
      info.outputs.push_back(state);
      state.name = info.name + "." + state.name;
      result_.states.push_back(std::move(state));
    }
  }

  void set_features(std::string axis, std::int64_t size) {
    axis_ = std::move(axis);
    features_ = size;
  }

  InspectResult& result_;
  std::int64_t time_steps_ = kAnySize, samples_ = kAnySize, features_ = kAnySize, last_features_ = kAnySize;
  std::int64_t memory_steps_ = kAnySize;
  std::string axis_ = "feature", last_axis_ = "hidden";
  bool ids_ = false, sequence_ = true, last_connected_ = false;
};

// "recurrent.h_n" becomes "h_n" if the network has one recurrent layer only.
void shorten_state_names(InspectResult& result) {
  const auto is_recurrent = [](const LayerInfo& layer) { return layer.type == "recurrent"; };
  if (std::count_if(result.layers.begin(), result.layers.end(), is_recurrent) != 1) return;
  for (TensorInfo& state : result.states) state.name = state.name.substr(state.name.rfind('.') + 1);
}

void fill_mask(const InspectInput& input, InspectResult& result) {
  const Shape& shape = input.values ? input.values->shape() : input.ids->shape();
  const std::int64_t T = shape[0], N = shape[1];
  result.lengths.assign(input.lengths.begin(), input.lengths.end());
  if (result.lengths.empty()) result.lengths.assign(static_cast<std::size_t>(N), static_cast<std::int32_t>(T));
  result.mask = IdTensor({T, N});
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t t = 0; t < result.lengths[static_cast<std::size_t>(n)]; ++t) result.mask[t * N + n] = 1;
  }
}

}  // namespace

InspectResult inspect_network(Sequential& network, const InspectInput& input) {
  InspectResult result;
  const bool has_values = input.values || input.ids;
  // The pass checks that the input fits; its output has the last word on the shape.
  Tensor output;
  if (has_values) {
    detail::PassInput pass{input.values, input.ids, input.lengths};
    pass.unseen = input.unseen;
    pass.initial = input.initial;
    pass.memory_values = input.memory;
    pass.memory_lengths = input.memory_lengths;
    Tape<float> tape;
    tape.set_recording(false);
    SequenceLayout layout;
    output = Tensor(detail::run_pass(network, tape, layout, pass, false, {}).value());
  }
  Walk walk(result, input, input_needs(network));
  result.inputs = {walk.current("input"), walk.lengths()};
  walk.layers("", network);
  result.outputs.push_back(walk.current("output"));
  if (has_values) {
    const auto sizes = output.shape().sizes();
    result.outputs[0].shape.assign(sizes.begin(), sizes.end());
    fill_mask(input, result);
    result.step = work_through_step(network, input);
  }
  for (const LayerInfo& layer : result.layers) result.parameter_count += layer.parameter_count;
  shorten_state_names(result);
  return result;
}

}  // namespace carousel
