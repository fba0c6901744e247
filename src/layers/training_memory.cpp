#include "layers/training_memory.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/fail.h"
#include "cells/cell.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"
#include "layers/scan/scan_memory.h"
#include "layers/tokens/token_inputs.h"

namespace carousel {
namespace {

template <class T>
T setting(const LayerDescription& layer, const char* key) {
  return std::get<T>(layer.settings.at(key));
}

// Walks through the layers as a pass does and notes what each operation puts into the arena, in floats.
class PassCounter {
 public:
  explicit PassCounter(bool training) : training_(training) {}

  // One pass more, of values or ids, which are packed if there is padding among them, or of what is recorded already.
  void begin(const PassSizes& sizes, bool reads_values) {
    sizes_ = sizes;
    width_ = sizes.features;
    is_sequence_ = true;
    folded_ = false;
    has_gradient_ = !reads_values;
    const bool padded = sizes.rows < sizes.time_steps * sizes.samples;
    if (reads_values && padded) add(sizes.rows * std::max<std::int64_t>(width_, 1), 0);
  }

  void operation(const PassPart& part) {
    operations_.push_back({part.kept, training_ ? part.gradient : 0, part.work, part.forward_work});
  }

  void layer(const LayerDescription& d) {
    if (d.type == "sequential") branch(d.branches[0]);
    if (d.type == "sentence_encoder") sentence_encoder(d);
    if (d.type == "sequence_to_sequence") sequence_to_sequence(d);
    if (d.type == "sum") sum(d);
    if (d.type == "mixture") mixture(d);
    if (d.type == "memberships") memberships(d);
    if (d.type == "series_embedding") series_embedding(d);
    if (is_token_input(d.type)) token_input(d);
    if (d.type == "recurrent") recurrent(d);
    if (d.type == "pool") pool(setting<std::string>(d, "kind"));
    if (d.type == "attention_pool") attention_pool(setting<std::int64_t>(d, "attention_size"));
    if (d.type == "flatten") flatten();
    if (d.type == "linear") linear(setting<std::int64_t>(d, "output_size"));
    if (d.type == "embedding_dropout") embedding_dropout(setting<double>(d, "probability"));
    if (d.type == "adaptive_softmax") linear(setting<std::int64_t>(d, "vocabulary_size"));
    if (d.type == "tied_linear") linear(setting<std::int64_t>(d, "vocabulary_size"));
    if (d.type == "scale") value(rows() * width_, 0);
    if (d.type == "activation") activation(setting<std::string>(d, "kind"));
    if (d.type == "conv1d") conv1d(d);
    if (d.type == "multi_head_attention") self_attention(d);
    if (d.type == "attention_decoder") attention_decoder(d);
    if (d.type == "layer_norm") layer_norm();
    if (d.type == "dropout") dropout(setting<double>(d, "probability"), setting<bool>(d, "per_sequence"));
  }

  // The rows of a sequence that comes out at the end, or its padded form.
  void output() {
    if (!is_sequence_) return;
    rows();
    if (!sizes_.packed) value(sizes_.time_steps * sizes_.samples * width_, 0);
  }

  // The backward pass goes from the last operation to the first. What it needs for one operation stands on top of all
  // that the forward pass keeps and of the gradients that are there by then, the operation's inputs' included.
  std::int64_t peak_bytes() const {
    std::int64_t kept = masked_weights_, gradients = 0, peak = 0;
    for (const Operation& operation : operations_) {
      kept += operation.kept;
      peak = std::max(peak, kept + (training_ ? operation.forward_work : operation.work));
    }
    for (std::size_t k = operations_.size(); training_ && k-- > 0;) {
      gradients += operations_[k].gradient;
      const std::int64_t input = k == 0 ? 0 : operations_[k - 1].gradient;
      peak = std::max(peak, kept + gradients + input + operations_[k].work);
    }
    return peak * static_cast<std::int64_t>(sizeof(float));
  }

 private:
  struct Operation {
    std::int64_t kept, gradient;  // value and what the backward pass reads; the gradient of the value
    std::int64_t work;            // given back at the end of the operation's backward pass
    std::int64_t forward_work;    // given back when the operation is recorded
  };

  // Each operation has a node of a few hundred bytes.
  void add(std::int64_t kept, std::int64_t gradient, std::int64_t work = 0) {
    constexpr std::int64_t kNode = 64;
    operations_.push_back({kept + kNode, has_gradient_ && training_ ? gradient : 0, work, 0});
  }
  void value(std::int64_t elements, std::int64_t also_kept) { add(elements + also_kept, elements); }

  // As Flow::rows(): one row per valid step, written out if the layer below is a folded embedding.
  std::int64_t rows() {
    if (folded_) value(sizes_.rows * width_, 4 * sizes_.rows);
    folded_ = false;
    return is_sequence_ ? sizes_.rows : sizes_.samples;
  }

  void branch(const LayerList& layers) {
    for (const auto& [name, description] : layers) layer(description);
  }

  void sum(const LayerDescription& d) {
    const auto before = std::tuple(sizes_, width_, is_sequence_, folded_, has_gradient_);
    std::int64_t width = 0;  // of the first branch, and of the sum
    for (std::size_t k = 0; k < d.branches.size(); ++k) {
      if (k > 0) std::tie(sizes_, width_, is_sequence_, folded_, has_gradient_) = before;
      branch(d.branches[k]);
      if (k > 0) value(rows() * width, 0);
      if (k == 0) width = width_;
    }
    width_ = width;
  }

  // Branch 0 is the gate; each of the others is weighted by a column of it.
  void mixture(const LayerDescription& d) {
    const auto before = std::tuple(sizes_, width_, is_sequence_, folded_, has_gradient_);
    for (std::size_t k = 0; k < d.branches.size(); ++k) {
      if (k > 0) std::tie(sizes_, width_, is_sequence_, folded_, has_gradient_) = before;
      branch(d.branches[k]);
      if (k == 0) continue;
      add(sizes_.samples * (1 + width_), 0);
      value(sizes_.samples * width_, 0);
      if (k > 1) value(sizes_.samples * width_, 0);
    }
  }

  void memberships(const LayerDescription& d) {
    rows();
    const auto clusters = setting<std::int64_t>(d, "clusters");
    has_gradient_ = false;
    add(sizes_.samples * (setting<std::int64_t>(d, "inputs") + 2 * clusters), 0);
    width_ = clusters;
    is_sequence_ = false;
  }

  // All series are taken to be known ones.
  void series_embedding(const LayerDescription& d) {
    const std::int64_t count = rows(), size = setting<std::int64_t>(d, "embedding_size");
    value(count * (width_ - 1), 0);
    has_gradient_ = true;
    value(count * size, 2 * count);
    if (training_ && setting<double>(d, "dropout") > 0) value(count * size, 2 * count + sizes_.samples * size);
    width_ += size - 1;
    value(count * width_, 0);
  }

  void sentence_encoder(const LayerDescription& d) {
    const PassSizes documents = sizes_;
    sizes_.rows -= std::max<std::int64_t>(documents.sentences - documents.samples, 0);  // the marks
    sizes_.time_steps = documents.sentence_steps;
    sizes_.samples = documents.sentences;
    add(sizes_.rows, 0);
    branch(d.branches[0]);
    sizes_ = documents;
    sizes_.rows = documents.sentences;
    sizes_.time_steps = documents.document_sentences;
    value(sizes_.rows * width_, 4 * sizes_.rows);
    is_sequence_ = true;
  }

  // The states that the decoder starts with, what it reads, its rows in another order.
  void sequence_to_sequence(const LayerDescription& d) {
    const PassSizes window = sizes_;
    const std::int64_t N = window.samples, steps = setting<std::int64_t>(d, "steps"), C = width_;
    const std::int64_t known = setting<std::int64_t>(d, "known_count"), blocks = setting<std::int64_t>(d, "blocks");
    const bool of_data = !has_gradient_;
    const LayerList& parts = d.branches[0];
    layer(parts[0].layer);
    const std::int64_t encoded = width_;
    const bool looks_back = parts[2].layer.branches[0].front().layer.type == "attention_decoder";
    if (looks_back) top_scan_ = operations_.size();  // a gradient reaches the output of the encoder
    layer(parts[1].layer);
    value(N * width_, 0);
    has_gradient_ = !of_data;
    if (known > 0) {
      value(steps * N * C, 4 * steps * N);
      value(steps * N * known, 0);
      value(steps * N * (known + 1), 0);
    }
    add(steps * N, 0);
    has_gradient_ = true;
    if (looks_back) add(0, window.rows * encoded);  // the memory, which is the output of the encoder
    sizes_.time_steps = steps;
    sizes_.rows = steps * N;
    sizes_.memory_rows = window.rows;
    sizes_.memory_pairs = steps * window.rows;
    width_ = known + 1;
    is_sequence_ = true;
    layer(parts[2].layer);
    const std::int64_t elements = sizes_.rows * width_;
    add(0, elements);
    value(elements, 4 * sizes_.rows * blocks);
    add(0, elements);
    sizes_ = window;
    width_ *= steps;
    is_sequence_ = false;
  }

  void token_input(const LayerDescription& d) {
    const auto vocabulary = setting<std::int64_t>(d, "vocabulary_size");
    width_ = d.type == "one_hot" ? vocabulary : setting<std::int64_t>(d, "embedding_size");
    folded_ = true;
    has_gradient_ = d.type == "embedding" || d.type == "hashed_embedding";
    std::int64_t own = d.type == "one_hot" ? 0 : sizes_.distinct_tokens;  // the ids that the operation copies
    if (d.type == "hashed_embedding") {  // where the pieces of each word begin, 8 bytes, and the pieces
      own = 2 * (sizes_.distinct_tokens + 1) + setting<std::int64_t>(d, "pieces") * sizes_.distinct_tokens / vocabulary;
    }
    value(sizes_.distinct_tokens * width_, sizes_.rows + std::min(sizes_.rows, vocabulary) + vocabulary + own);
  }

  void embedding_dropout(double probability) {
    if (!training_ || probability == 0) return;
    value(sizes_.distinct_tokens * width_, sizes_.distinct_tokens * (width_ + 1));
  }

  void recurrent(const LayerDescription& d);
  void initial_states(const RecurrentOptions& o);
  void join_layer(const RecurrentOptions& o, std::int64_t layer);
  void mask_weights(const RecurrentOptions& o, const Cell& cell);

  void pool(const std::string& kind) {
    if (kind != "last") rows();
    // The last state is read from the scan itself, unless there is a connection: no gradient reaches its output, nor
    // what was made of that.
    for (std::size_t k = top_scan_; kind == "last" && k < operations_.size(); ++k) operations_[k].gradient = 0;
    if (kind == "last" && halves_ > 0) add(0, halves_);
    is_sequence_ = false;
    const std::int64_t elements = sizes_.samples * width_;
    value(elements, kind == "max" ? elements : kind == "mean" ? sizes_.samples : 0);
  }

  void attention_pool(std::int64_t attention_size) {
    const std::int64_t count = rows(), units = count * attention_size;
    value(count * width_, 6 * count + 18 * sizes_.samples);
    has_gradient_ = true;
    for (int k = 0; k < 2; ++k) value(units, 0);
    value(count, 0);
    add(0, count);  // the same under another shape
    value(count, 0);
    for (int k = 0; k < 2; ++k) value(sizes_.samples * width_, 0);
    is_sequence_ = false;
  }

  void flatten() {
    value(rows() * width_, 4 * sizes_.rows);
    width_ *= sizes_.time_steps;
    is_sequence_ = false;
  }

  void linear(std::int64_t output_size) {
    const std::int64_t count = rows();
    has_gradient_ = true;
    width_ = output_size;
    value(count * width_, 0);
  }

  void activation(const std::string& kind) {
    const std::int64_t elements = rows() * width_;
    add(elements, elements, kind == "gelu" && training_ ? elements : 0);
  }

  void conv1d(const LayerDescription& d);
  void self_attention(const LayerDescription& d);
  void attention_decoder(const LayerDescription& d);
  void attend(const LayerDescription& d);

  static void refuse_memory(const std::string& type) {
    fail(Code::kUsage, "the memory of a step cannot be told for a network with a '{}' layer that looks at a memory",
         type);
  }

  void layer_norm() {
    const std::int64_t count = rows();
    has_gradient_ = true;
    value(count * width_, 2 * count);
  }

  void dropout(double probability, bool per_sequence) {
    if (!training_ || probability == 0) return;
    const std::int64_t count = rows();
    const bool one_mask = per_sequence && is_sequence_;
    value(count * width_, one_mask ? 2 * count + sizes_.samples * width_ : count * width_);
  }

  PassSizes sizes_;  // as they are after the layers so far
  bool training_;
  std::int64_t width_ = 0;
  bool is_sequence_ = true, folded_ = false, has_gradient_ = false;
  std::vector<Operation> operations_;
  std::int64_t masked_weights_ = 0;  // weight_hh [K H, Q] of each scan without what does not count, and its gradient
  std::size_t top_scan_ = 0;         // the operation of the last recurrent layer so far
  std::int64_t halves_ = 0;  // of its output once more, seen as halves of rows, if the last ones are picked there
};

void PassCounter::conv1d(const LayerDescription& d) {
  const auto K = setting<std::int64_t>(d, "kernel_size"), O = setting<std::int64_t>(d, "output_size");
  const std::int64_t before = rows(), weights = O * width_ * K;
  if (setting<std::string>(d, "padding") == "valid") {  // all samples taken to be longer than the kernel
    sizes_.rows = std::max<std::int64_t>(before - sizes_.samples * (K - 1), 0);
    sizes_.time_steps = std::max<std::int64_t>(sizes_.time_steps - K + 1, 0);
  }
  const std::int64_t windows = sizes_.rows * K * width_;
  value(windows, 4 * sizes_.rows * K);
  const std::int64_t gradient = has_gradient_ ? windows : 0;  // the windows and the weights under another shape
  has_gradient_ = true;
  add(weights, gradient + 2 * weights);
  width_ = O;
  value(sizes_.rows * width_, 0);
}

void PassCounter::self_attention(const LayerDescription& d) {
  if (setting<std::int64_t>(d, "memory_size") > 0) refuse_memory(d.type);
  const std::int64_t count = rows(), elements = count * width_;
  value(elements, 6 * count + 2 * sizes_.samples);
  has_gradient_ = true;
  value(3 * width_ * width_, 0);
  for (int k = 0; k < 4; ++k) value(elements, 0);  // q, q scaled, k, v
  // A row of weights is as long as its sample: exact if all samples are equally long, else more than there is.
  const std::int64_t pairs = setting<std::int64_t>(d, "heads") * count * sizes_.time_steps;
  for (int k = 0; k < 2; ++k) value(pairs, 0);
  value(elements, 0);
  value(elements, 2 * count);
  value(elements, 0);
}

// Scores, weights and context of all steps.
void PassCounter::attend(const LayerDescription& d) {
  const std::int64_t count = sizes_.rows, pairs = sizes_.memory_pairs, A = setting<std::int64_t>(d, "attention_size");
  if (A > 0) {
    value(count * A, 0);
    for (int k = 0; k < 2; ++k) value(pairs * A, 0);  // the sum and its tanh
    if (d.settings.contains("coverage")) {
      for (int k = 0; k < 2; ++k) value(pairs * A, 0);
      value(pairs, 0);
      add(0, pairs);
    }
    add(0, pairs);  // the scores under another shape
  }
  for (int k = 0; k < 2; ++k) value(pairs, 0);
  value(count * setting<std::int64_t>(d, "memory_size"), 0);
}

void PassCounter::attention_decoder(const LayerDescription& d) {
  const auto H = setting<std::int64_t>(d, "hidden_size"), E = setting<std::int64_t>(d, "memory_size");
  const auto A = setting<std::int64_t>(d, "attention_size"), O = setting<std::int64_t>(d, "output_size");
  const bool general = setting<std::string>(d, "score") == "general", feeding = setting<bool>(d, "input_feeding");
  const Cell& cell = find_cell(setting<std::string>(d, "cell"));
  if (sizes_.memory_rows == 0) refuse_memory(d.type);
  const std::int64_t count = rows(), N = sizes_.samples, beside = O == 0 ? E : feeding ? O : 0;
  has_gradient_ = true;
  value(sizes_.memory_rows * E, 4 * sizes_.memory_rows);
  value(sizes_.memory_rows * (general ? H : A), 0);
  if (d.settings.contains("scaled")) value(general ? H * E : sizes_.memory_rows * E, 0);
  value(N * (cell.state_count() * H + (feeding ? O : 0)), 4 * N * (cell.state_count() + 1));  // the initial states
  value(count * width_, 4 * count);                                                           // each step's input
  if (beside > 0) value(count * (width_ + beside), 0);
  // A step is a scan over one step, so the samples of all steps are one step of as many samples.
  const ScanMemory scan = scan_memory(cell, {.rows = count, .samples = count, .hidden_size = H, .training = training_});
  const ScanMemory step = scan_memory(cell, {.rows = N, .samples = N, .hidden_size = H, .training = training_});
  const std::int64_t constants = (sizes_.time_steps - 1) * cell.gate_count() * H;
  add(count * H + scan.kept + constants, count * H * cell.state_count(), step.work);
  attend(d);
  width_ = H;
  if (O > 0) {
    value(count * (E + H), 0);
    for (int k = 0; k < 2; ++k) value(count * O, 0);
    width_ = O;
  }
  value(count * width_, 0);
}

void PassCounter::mask_weights(const RecurrentOptions& o, const Cell& cell) {
  if (cell.blocks != RecurrentBlocks::kCandidateSeesH && o.periods.empty() && o.heads == 1) return;
  const std::int64_t scans = o.layers * (o.bidirectional ? 2 : 1) * o.transitions;
  const std::int64_t rows = cell.recurrent_gates() * o.hidden_size;
  masked_weights_ += (training_ ? 2 : 1) * scans * rows * cell.recurrent_size(cell_sizes(o));
}

// A learned one, and its row for each sample.
void PassCounter::initial_states(const RecurrentOptions& o) {
  if (!o.learned_initial_state) return;
  const Cell& cell = find_cell(o.cell);
  has_gradient_ = true;
  for (std::int64_t scan = 0; scan < o.layers * (o.bidirectional ? 2 : 1); ++scan) {
    for (int k = 0; k < cell.state_count(); ++k) {
      if (learns_state(cell, k)) value(sizes_.samples * cell.state_width(k, cell_sizes(o)), 4 * sizes_.samples);
    }
  }
}

// What becomes of the directions of a layer, [rows, D P], before the next one reads it.
void PassCounter::join_layer(const RecurrentOptions& o, std::int64_t layer) {
  width_ = layer_output_size(o);
  const std::int64_t elements = sizes_.rows * width_;
  if (o.bidirectional && o.merge != "concat") value(elements, 0);
  if (!is_connected(o, layer)) return;
  if (o.connection == "highway") value(elements, 0);
  value(elements, o.connection == "highway" ? elements : 0);
}

void PassCounter::recurrent(const LayerDescription& d) {
  const RecurrentOptions o = recurrent_options(d);
  ScanSizes s{.rows = sizes_.rows,
              .time_steps = sizes_.time_steps,
              .samples = sizes_.samples,
              .hidden_size = o.hidden_size,
              .proj_size = o.proj_size,
              .directions = o.bidirectional ? 2 : 1,
              .heads = o.heads,
              .transitions = o.transitions,
              .masked = training_ && o.recurrent_dropout > 0,
              .zoneout = o.zoneout > 0,
              .zoneout_memory = o.zoneout_memory > 0,
              .training = training_,
              .checkpoint_steps = sizes_.checkpoint_steps};
  const Cell& top = find_cell(o.cell);
  mask_weights(o, top);
  initial_states(o);
  if (top.entry) {  // h and m for the lowest layer, and m twice side by side for two directions
    has_gradient_ = true;
    value((s.directions == 2 ? 4 : 2) * rows() * s.hidden_size, 0);
  }
  if (is_connected(o, 0)) rows();
  for (std::int64_t l = 0; l < o.layers; ++l) {
    s.distinct_rows = folded_ ? sizes_.distinct_tokens : 0;
    const ScanMemory memory = scan_memory(cell_of_layer(top, l), s);
    const std::int64_t upper = top.lower && l + 1 < o.layers ? sizes_.rows * s.directions * s.hidden_size : 0;
    folded_ = false;
    has_gradient_ = true;
    top_scan_ = operations_.size();
    const std::int64_t output = sizes_.rows * s.directions * cell_sizes(o).output_size;
    add(output + upper + memory.kept, output + upper, memory.work);
    join_layer(o, l);
    if (training_ && o.dropout > 0 && l + 1 < o.layers) value(sizes_.rows * width_, sizes_.rows * width_);
  }
  if (o.connection != "none") top_scan_ = operations_.size();
  halves_ = o.connection != "none" && o.bidirectional ? sizes_.rows * width_ : 0;
}

}  // namespace

std::int64_t training_pass_bytes(const LayerDescription& network, const PassSizes& sizes) {
  const PassPart whole{.network = network, .sizes = sizes};
  return training_pass_bytes({&whole, 1});
}

std::int64_t training_pass_bytes(std::span<const PassPart> parts) {
  PassCounter counter(true);
  for (const PassPart& part : parts) {
    if (part.network.type.empty()) {
      counter.operation(part);
      continue;
    }
    counter.begin(part.sizes, part.reads_values);
    counter.layer(part.network);
    counter.output();
  }
  return counter.peak_bytes();
}

std::int64_t inference_pass_bytes(const LayerDescription& network, const PassSizes& sizes) {
  PassCounter counter(false);
  counter.begin(sizes, true);
  counter.layer(network);
  counter.output();
  return counter.peak_bytes();
}

}  // namespace carousel
