// build.cpp: layers from their descriptions.
#include <algorithm>
#include <limits>

#include "base/checked_size.h"
#include "base/fail.h"
#include "carousel/attention.h"
#include "carousel/convolution.h"
#include "carousel/layers.h"
#include "cells/cell.h"
#include "layers/attention/sequence_to_sequence.h"
#include "layers/mixture.h"
#include "layers/output/adaptive_softmax.h"
#include "layers/output/crf.h"
#include "layers/output/tied_linear.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"
#include "layers/tokens/embedding_dropout.h"
#include "layers/tokens/sentence_encoder.h"
#include "layers/tokens/series_embedding.h"
#include "layers/tokens/term_scores.h"
#include "layers/tokens/token_inputs.h"

namespace carousel {
namespace {

// Reads the settings of one layer; what is missing, of the wrong kind or unknown is an Error{kModel}.
class Settings {
 public:
  explicit Settings(const LayerDescription& description) : description_(description) {}

  template <class T>
  T get(const char* key) {
    const auto found = description_.settings.find(key);
    if (found == description_.settings.end())
      fail(Code::kModel, "layer '{}' has no setting '{}'", description_.type, key);
    const T* value = std::get_if<T>(&found->second);
    if (!value) fail(Code::kModel, "layer '{}': setting '{}' is of the wrong kind", description_.type, key);
    ++used_;
    return *value;
  }

  bool has(const char* key) const { return description_.settings.contains(key); }

  // A size from a file: positive and small enough that products of a few of them fit.
  std::int64_t size(const char* key, std::int64_t smallest = 1) {
    const auto value = get<std::int64_t>(key);
    if (value < smallest || value > std::numeric_limits<std::int32_t>::max() / 16) {
      fail(Code::kModel, "layer '{}': {} is {}, out of range", description_.type, key, value);
    }
    return value;
  }

  void finish() const {
    if (used_ != description_.settings.size())
      fail(Code::kModel, "layer '{}' has an unknown setting", description_.type);
  }

 private:
  const LayerDescription& description_;
  std::size_t used_ = 0;
};

RecurrentOptions read_recurrent(Settings& s) {
  RecurrentOptions o;
  o.cell = s.get<std::string>("cell");
  o.input_size = s.size("input_size");
  o.hidden_size = s.size("hidden_size");
  o.proj_size = s.size("proj_size", 0);
  o.layers = s.size("layers");
  o.bidirectional = s.get<bool>("bidirectional");
  o.bias = s.get<bool>("bias");
  o.dropout = s.get<double>("dropout");
  o.recurrent_dropout = s.get<double>("recurrent_dropout");
  if (s.has("output_activation")) o.output_activation = s.get<std::string>("output_activation");
  if (s.has("decay")) o.decay = s.get<double>("decay");
  if (s.has("periods")) o.periods = s.get<std::string>("periods");
  if (s.has("heads")) o.heads = s.size("heads");
  if (s.has("transitions")) o.transitions = s.size("transitions");
  if (s.has("zoneout")) o.zoneout = s.get<double>("zoneout");
  if (s.has("zoneout_memory")) o.zoneout_memory = s.get<double>("zoneout_memory");
  if (s.has("merge")) o.merge = s.get<std::string>("merge");
  if (s.has("connection")) o.connection = s.get<std::string>("connection");
  if (s.has("learned_initial_state")) o.learned_initial_state = s.get<bool>("learned_initial_state");
  if (s.has("tied")) o.tied = s.get<bool>("tied");
  if (s.has("chrono")) o.chrono = s.get<std::int64_t>("chrono");
  return o;
}

std::unique_ptr<Module> build_conv1d(Settings& s) {
  Conv1dOptions o;
  o.input_size = s.size("input_size");
  o.output_size = s.size("output_size");
  o.kernel_size = s.size("kernel_size");
  o.padding = s.get<std::string>("padding");
  o.bias = s.get<bool>("bias");
  return std::make_unique<Conv1d>(std::move(o));
}

std::unique_ptr<Module> build_attention_decoder(Settings& s) {
  AttentionDecoderOptions o;
  o.cell = s.get<std::string>("cell");
  o.input_size = s.size("input_size");
  o.hidden_size = s.size("hidden_size");
  o.memory_size = s.size("memory_size");
  o.score = s.get<std::string>("score");
  o.attention_size = s.size("attention_size", 0);
  o.output_size = s.size("output_size", 0);
  o.input_feeding = s.get<bool>("input_feeding");
  if (s.has("coverage")) o.coverage = s.get<bool>("coverage");
  if (s.has("scaled")) o.scaled = s.get<bool>("scaled");
  return std::make_unique<AttentionDecoder>(std::move(o));
}

std::unique_ptr<Module> build_multi_head_attention(Settings& s) {
  MultiHeadAttentionOptions o;
  o.input_size = s.size("input_size");
  o.heads = s.size("heads");
  o.memory_size = s.size("memory_size", 0);
  o.causal = s.get<bool>("causal");
  o.bias = s.get<bool>("bias");
  return std::make_unique<MultiHeadAttention>(o);
}

[[maybe_unused]] SequenceToSequenceOptions read_sequence_to_sequence(Settings& s) {
  SequenceToSequenceOptions o;
  o.steps = s.size("steps");
  o.first_known = s.size("first_known", 0);
  o.known_count = s.size("known_count", 0);
  o.blocks = s.size("blocks");
  return o;
}

HashedEmbedding::Sizes read_hashed_embedding(Settings& s) {
  HashedEmbedding::Sizes sizes{};
  sizes.vocabulary_size = s.size("vocabulary_size");
  sizes.buckets = s.size("buckets");
  sizes.embedding_size = s.size("embedding_size");
  sizes.pieces = s.size("pieces");
  if (std::max(sizes.buckets, sizes.pieces) > HashedEmbedding::kMostPieces) {
    fail(Code::kModel, "layer 'hashed_embedding' has {} buckets and {} pieces, too many", sizes.buckets, sizes.pieces);
  }
  return sizes;
}

std::unique_ptr<Module> build_simple(const std::string& type, Settings& s) {
  if (type == "recurrent") return std::make_unique<Recurrent>(read_recurrent(s));
  if (type == "conv1d") return build_conv1d(s);
  if (type == "attention_decoder") return build_attention_decoder(s);
  if (type == "multi_head_attention") return build_multi_head_attention(s);
  if (type == "embedding") return std::make_unique<Embedding>(s.size("vocabulary_size"), s.size("embedding_size"));
  if (type == "fixed_embedding") {
    return std::make_unique<FixedEmbedding>(s.size("vocabulary_size"), s.size("embedding_size"));
  }
  if (type == "one_hot") return std::make_unique<OneHot>(s.size("vocabulary_size"));
  if (type == "hashed_embedding") return std::make_unique<HashedEmbedding>(read_hashed_embedding(s));
  if (type == "linear") {
    const std::int64_t input_size = s.size("input_size"), output_size = s.size("output_size");
    return std::make_unique<Linear>(input_size, output_size, s.get<bool>("bias"));
  }
  if (type == "embedding_dropout") return std::make_unique<EmbeddingDropout>(s.get<double>("probability"));
  if (type == "adaptive_softmax") {
    const std::int64_t input_size = s.size("input_size"), vocabulary_size = s.size("vocabulary_size");
    return std::make_unique<AdaptiveSoftmax>(input_size, vocabulary_size, s.size("head_size"));
  }
  if (type == "tied_linear") return std::make_unique<TiedLinear>(s.size("vocabulary_size"));
  if (type == "pool") return std::make_unique<Pool>(s.get<std::string>("kind"));
  if (type == "attention_pool") {
    const std::int64_t input_size = s.size("input_size");
    return std::make_unique<AttentionPool>(input_size, s.size("attention_size"));
  }
  if (type == "memberships") {
    const std::int64_t clusters = s.size("clusters"), inputs = s.size("inputs");
    checked_size({clusters, inputs}, "memberships");
    return std::make_unique<Memberships>(Tensor({clusters, inputs}), s.get<double>("fuzzifier"));
  }
  if (type == "flatten") return std::make_unique<Flatten>(s.size("time_steps"));
  if (type == "scale") {
    const Shape shape{s.size("size")};
    return std::make_unique<Scale>(Tensor(shape), Tensor(shape));
  }
  if (type == "dropout") {
    const auto probability = s.get<double>("probability");
    return std::make_unique<Dropout>(probability, s.get<bool>("per_sequence"));
  }
  if (type == "crf") return std::make_unique<Crf>(s.size("tags"));
#ifndef CAROUSEL_INFERENCE_ONLY  // which has no forecasters of many series
  if (type == "series_embedding") {
    const std::int64_t series = s.size("vocabulary_size"), size = s.size("embedding_size");
    return std::make_unique<SeriesEmbedding>(series, size, s.get<double>("dropout"));
  }
#endif
  if (type == "layer_norm") return std::make_unique<LayerNorm>(s.size("size"));
  if (type == "term_scores") {
    const std::int64_t terms = s.size("terms");
    return std::make_unique<TermScores>(terms, s.size("classes"));
  }
  if (type == "activation") return std::make_unique<Activation>(s.get<std::string>("kind"));
  fail(Code::kModel, "unknown layer type '{}': the model may come from a newer version or need the whole library",
       type);
}

}  // namespace

namespace {

struct ScanShape {
  std::int64_t input_size, hidden_size, proj_size;
  bool bias;
  std::int64_t heads = 1;
};

// Of one layer and direction.
std::int64_t count_scan(const Cell& cell, const ScanShape& shape) {
  const std::int64_t C = shape.input_size, H = shape.hidden_size, P = shape.proj_size > 0 ? shape.proj_size : H;
  if (cell.has_matrix()) {
    const std::int64_t rows = checked_size({4, H}, "gates") + 2 * shape.heads;
    return checked_size({rows, C + (shape.bias ? 1 : 0)}, "recurrent weights");
  }
  const std::int64_t G = cell.gate_count(), K = cell.recurrent_gates();
  const std::int64_t recurrent_size = cell.recurrent_size({.hidden_size = H, .output_size = P});
  std::int64_t count = checked_size({G, H, C}, "recurrent weights") +
                       checked_size({K, H, recurrent_size}, "recurrent weights") + cell.unit_weight_count() * H;
  if (shape.proj_size > 0 || cell.output_layer) count += P * H;
  if (shape.bias) count += (G + K) * H + (cell.output_layer ? P : 0);
  return count;
}

std::int64_t count_recurrent(const RecurrentOptions& o) {
  const Cell& cell = find_cell(o.cell);
  const std::int64_t D = o.bidirectional ? 2 : 1, W = layer_output_size(o), H = o.hidden_size;
  // Of a cell of a step that is not the first: one bias a gate, and no x.
  const std::int64_t later =
      count_scan(cell, {0, H, o.proj_size, o.bias, o.heads}) - (o.bias ? cell.gate_count() * H : 0);
  const std::int64_t behind = o.transitions > 1 ? checked_size({o.transitions - 1, later}, "recurrent weights") : 0;
  const auto scan = [&](std::int64_t layer) {
    const std::int64_t C = layer_input_size(o, layer);
    return count_scan(cell_of_layer(cell, layer), {C, H, o.proj_size, o.bias, o.heads}) + behind;
  };
  const std::int64_t gate = o.connection == "highway" ? checked_size({W, W + 1}, "highway weights") : 0;
  std::int64_t count = D * scan(0) + (is_connected(o, 0) ? gate : 0);
  if (!o.tied && o.layers > 1) count += checked_size({o.layers - 1, D * scan(1) + gate}, "recurrent weights");
  if (cell.entry) count += 2 * H * (o.input_size + (o.bias ? 1 : 0));
  for (int k = 0; k < cell.state_count() && o.learned_initial_state; ++k) {
    if (learns_state(cell, k)) count += checked_size({o.layers, D, cell.state_width(k, cell_sizes(o))}, "states");
  }
  return count;
}

std::int64_t count_attention_decoder(Settings& s) {
  const Cell& cell = find_cell(s.get<std::string>("cell"));
  const std::int64_t H = s.size("hidden_size"), E = s.size("memory_size"), A = s.size("attention_size", 0);
  const std::int64_t O = s.size("output_size", 0), I = s.size("input_size");
  const auto score = s.get<std::string>("score");
  const std::int64_t beside = score == "additive" ? E : s.get<bool>("input_feeding") ? O : 0;
  const std::int64_t coverage = s.has("coverage") && s.get<bool>("coverage") ? 1 : 0;
  return count_scan(cell, {I + beside, H, 0, true}) +
         checked_size({score == "general" ? H : 0, E}, "attention weights") +
         checked_size({A, H + E + 1 + coverage}, "attention weights") + checked_size({O, E + H}, "attention weights");
}

std::int64_t count_multi_head_attention(Settings& s) {
  const std::int64_t E = s.size("input_size"), M = s.size("memory_size", 0);
  return checked_size({2 * E, E + (M == 0 ? E : M) + (s.get<bool>("bias") ? 2 : 0)}, "attention weights");
}

}  // namespace

RecurrentOptions recurrent_options(const LayerDescription& description) {
  Settings settings(description);
  return read_recurrent(settings);
}

std::int64_t count_parameters(const LayerDescription& description) {
  std::int64_t count = 0;
  for (const auto& branch : description.branches) {
    for (const auto& [name, layer] : branch) count += count_parameters(layer);
  }
  Settings s(description);
  const std::string& type = description.type;
  if (type == "recurrent") count += count_recurrent(read_recurrent(s));
  if (type == "attention_decoder") count += count_attention_decoder(s);
  if (type == "multi_head_attention") count += count_multi_head_attention(s);
  if (type == "attention_pool") {
    count += checked_size({s.size("input_size") + 2, s.size("attention_size")}, "attention_pool");
  }
  if (type == "conv1d") {
    const std::int64_t window = checked_size({s.size("input_size"), s.size("kernel_size")}, "conv1d");
    count += checked_size({window + (s.get<bool>("bias") ? 1 : 0), s.size("output_size")}, "conv1d");
  }
  if (type == "embedding" || type == "fixed_embedding" || type == "series_embedding") {
    count += checked_size({s.size("vocabulary_size"), s.size("embedding_size")}, "embedding");
  }
  if (type == "hashed_embedding") {
    const HashedEmbedding::Sizes sizes = read_hashed_embedding(s);
    count += checked_size({sizes.buckets, sizes.embedding_size}, "hashed_embedding") + sizes.vocabulary_size + 1 +
             sizes.pieces;
  }
  if (type == "linear") {
    count += checked_size({s.size("input_size") + (s.get<bool>("bias") ? 1 : 0), s.size("output_size")}, "linear");
  }
  if (type == "adaptive_softmax") {
    count += AdaptiveSoftmax::count(s.size("input_size"), s.size("vocabulary_size"), s.size("head_size"));
  }
  if (type == "tied_linear") count += s.size("vocabulary_size");
  if (type == "term_scores") {
    count += checked_size({s.size("terms"), s.size("classes") + 3}, "term_scores") + s.size("classes");
  }
  if (type == "memberships") count += checked_size({s.size("clusters"), s.size("inputs")}, "memberships");
  if (type == "crf") count += checked_size({s.size("tags"), s.size("tags") + 2}, "crf");
  if (type == "layer_norm" || type == "scale") count += 2 * s.size("size");
  return count;
}

std::unique_ptr<Module> build_module(const LayerDescription& description) {
  if (description.type == "sum") {
    std::vector<Sequential> branches;
    for (const auto& branch : description.branches) branches.push_back(build_sequential(branch));
    return std::make_unique<Sum>(std::move(branches));
  }
  if (description.type == "mixture") {
    if (description.branches.size() < 2) fail(Code::kModel, "layer 'mixture' has no network beside its gate");
    std::vector<Sequential> networks;
    for (const auto& branch : description.branches) networks.push_back(build_sequential(branch));
    Sequential gate = std::move(networks.front());
    networks.erase(networks.begin());
    return std::make_unique<Mixture>(std::move(gate), std::move(networks));
  }
  if (description.type == "sequential") {
    if (description.branches.size() != 1) {
      fail(Code::kModel, "layer 'sequential' has {} branches, expected 1", description.branches.size());
    }
    return std::make_unique<Sequential>(build_sequential(description.branches[0]));
  }
  Settings settings(description);
  if (description.type == "sentence_encoder") {
    if (description.branches.size() != 1) {
      fail(Code::kModel, "layer 'sentence_encoder' has {} branches, expected 1", description.branches.size());
    }
    const std::int64_t mark = settings.size("mark", 0);
    settings.finish();
    return std::make_unique<SentenceEncoder>(build_sequential(description.branches[0]), mark);
  }
  if constexpr (kTraining) {  // not in the inference-only library
    if (description.type == "sequence_to_sequence") {
      const SequenceToSequenceOptions options = read_sequence_to_sequence(settings);
      settings.finish();
      if (description.branches.size() != 1) {
        fail(Code::kModel, "layer '{}' has {} branches, expected 1", description.type, description.branches.size());
      }
      return std::make_unique<SequenceToSequence>(build_sequential(description.branches[0]), options);
    }
  }
  std::unique_ptr<Module> module = build_simple(description.type, settings);
  settings.finish();
  return module;
}

Sequential build_sequential(const LayerList& layers) {
  Sequential network;
  for (const auto& [name, description] : layers) network.add(name, build_module(description));
  return network;
}

}  // namespace carousel
