// attention_decoder.cpp: the AttentionDecoder layer.
#include <algorithm>

#include "base/fail.h"
#include "carousel/attention.h"
#include "cells/cell.h"
#include "layers/attention/decoder.h"
#include "layers/initialize.h"
#include "layers/module.h"

namespace carousel {
namespace {

bool is_additive(const AttentionDecoderOptions& o) { return o.score == "additive"; }
bool has_sum(const AttentionDecoderOptions& o) { return is_additive(o) || o.score == "concat"; }

void check_decoder(const AttentionDecoderOptions& o) {
  const auto check = [](const char* name, std::int64_t value, bool wanted) {
    if (wanted && value < 1) fail(Code::kUsage, "attention decoder: {} is {}, expected at least 1", name, value);
    if (!wanted && value != 0) {
      fail(Code::kUsage, "attention decoder: {} is {}, but this score has none: leave it out", name, value);
    }
  };
  if (!has_sum(o) && o.score != "dot" && o.score != "general") {
    fail(Code::kUsage, "attention decoder: unknown score '{}', expected dot, general, concat or additive", o.score);
  }
  const Cell& cell = find_cell(o.cell);
  if (cell.lower || cell.output_layer || cell.has_matrix() || cell.fixed_unit_weights ||
      cell.blocks != RecurrentBlocks::kAll) {
    fail(Code::kUsage, "attention decoder: cell '{}' needs more than one step gives it: choose lstm, gru or the like",
         o.cell);
  }
  check("input_size", o.input_size, true);
  check("hidden_size", o.hidden_size, true);
  check("memory_size", o.memory_size, true);
  check("attention_size", o.attention_size, has_sum(o));
  check("output_size", o.output_size, !is_additive(o));
  if (o.coverage && !has_sum(o)) {
    fail(Code::kUsage, "attention decoder: coverage is a part of the sum of score concat or additive, not of {}",
         o.score);
  }
  if (o.scaled && has_sum(o)) {
    fail(Code::kUsage, "attention decoder: scores dot and general are scaled, not {}", o.score);
  }
  if (o.score == "dot" && o.memory_size != o.hidden_size) {
    fail(Code::kUsage, "attention decoder: score dot needs memory_size {} and hidden_size {} to be the same",
         o.memory_size, o.hidden_size);
  }
}

// Of the cell inside; throws Error{kUsage} if the options do not fit each other.
RecurrentOptions cell_options(const AttentionDecoderOptions& o) {
  check_decoder(o);
  const std::int64_t beside = is_additive(o) ? o.memory_size : o.input_feeding ? o.output_size : 0;
  return {.cell = o.cell, .input_size = o.input_size + beside, .hidden_size = o.hidden_size};
}

// `attention`: as AttentionDecoder keeps them, null where the score has none.
void record_parameters(const std::vector<Parameter*>& cell, std::span<const std::unique_ptr<Parameter>> attention,
                       Tape<float>& tape, DecoderInput<float>& input) {
  const std::pair<std::string_view, Variable*> of_cell[] = {{"weight_ih", &input.weights.weight_ih},
                                                            {"weight_hh", &input.weights.weight_hh},
                                                            {"bias_ih", &input.weights.bias_ih},
                                                            {"bias_hh", &input.weights.bias_hh},
                                                            {"weight_ph", &input.weights.weight_ph}};
  for (Parameter* parameter : cell) {
    for (const auto& [name, slot] : of_cell) {
      if (parameter->name == name) *slot = tape.parameter(*parameter);
    }
  }
  Variable* const of_attention[] = {&input.score.weight, &input.score.weight_s, &input.score.weight_h,
                                    &input.score.v,      &input.weight_c,       &input.score.coverage};
  for (std::size_t k = 0; k < attention.size(); ++k) {
    if (attention[k]) *of_attention[k] = tape.parameter(*attention[k]);
  }
}

MemoryRows<float> cached_rows(const detail::AttentionCache& cache, const detail::Flow& flow) {
  const SequenceLayout& layout = *flow.layout;
  if (!layout.uniform() || layout.time_steps() != 1 || layout.samples() != std::ssize(cache.lengths)) {
    fail(Code::kUsage, "attention decoder: a cache of {} samples is for one step of all of them, got {} of {}",
         cache.lengths.size(), layout.time_steps(), layout.samples());
  }
  const bool has_keys = cache.keys.elements() > 0;
  return {flow.tape->constant(cache.states.view()), cache.lengths,
          has_keys ? flow.tape->constant(cache.keys.view()) : Variable()};
}

}  // namespace

AttentionDecoder::AttentionDecoder(AttentionDecoderOptions options)
    : options_(std::move(options)), cell_(cell_options(options_)) {
  if (is_additive(options_)) options_.input_feeding = false;
  cell_parameters_ = cell_.parameters();
  for (Parameter* parameter : cell_parameters_) parameter->name.erase(parameter->name.rfind("_l0"));
  const std::int64_t H = options_.hidden_size, E = options_.memory_size, A = options_.attention_size;
  const auto make = [&](bool present, const char* name, const Shape& shape) {
    attention_.push_back(present ? std::make_unique<Parameter>(name, Tensor(shape)) : nullptr);
  };
  make(options_.score == "general", "attn_weight", {H, E});
  make(has_sum(options_), "attn_weight_s", {A, H});
  make(has_sum(options_), "attn_weight_h", {A, E});
  make(has_sum(options_), "attn_v", {A});
  make(!is_additive(options_), "weight_c", {options_.output_size, E + H});
  make(options_.coverage, "attn_weight_coverage", {A});
}

std::vector<Parameter*> AttentionDecoder::parameters() {
  std::vector<Parameter*> list = cell_parameters_;
  for (const auto& parameter : attention_) {
    if (parameter) list.push_back(parameter.get());
  }
  return list;
}

void AttentionDecoder::initialize(std::uint64_t seed) {
  cell_.initialize(seed);
  constexpr std::uint64_t kBehindTheCell = 64;  // of the cell's keys
  for (std::size_t k = 0; k < attention_.size(); ++k) {
    if (!attention_[k]) continue;
    Tensor& value = attention_[k]->value;
    const std::int64_t rows = value.shape().rank() == 1 ? 1 : value.shape()[0];
    initialize_xavier({seed, Purpose::kWeights, kBehindTheCell + k}, rows, value.view());
  }
}

LayerDescription AttentionDecoder::describe() const {
  LayerDescription description{"attention_decoder",
                               {{"cell", options_.cell},
                                {"input_size", options_.input_size},
                                {"hidden_size", options_.hidden_size},
                                {"memory_size", options_.memory_size},
                                {"score", options_.score},
                                {"attention_size", options_.attention_size},
                                {"output_size", options_.output_size},
                                {"input_feeding", options_.input_feeding}},
                               {}};
  if (options_.coverage) description.settings["coverage"] = true;
  if (options_.scaled) description.settings["scaled"] = true;
  return description;
}

std::int64_t AttentionDecoder::output_size() const noexcept {
  return is_additive(options_) ? options_.hidden_size : options_.output_size;
}

int AttentionDecoder::state_count() const { return cell_.state_count() + (options_.input_feeding ? 1 : 0); }

Shape AttentionDecoder::state_shape(int state, std::int64_t samples) const {
  return {1, samples, state < cell_.state_count() ? options_.hidden_size : options_.output_size};
}

detail::AttentionCache AttentionDecoder::make_cache(const Tensor& memory, std::span<const std::int32_t> lengths) {
  Tape<float> tape;
  tape.set_recording(false);
  DecoderInput<float> input;
  record_parameters(cell_parameters_, attention_, tape, input);
  input.score.scaled = options_.scaled;
  const SequenceLayout order(1, memory.shape()[1]);
  const MemoryRows<float> rows = sample_rows<float>({tape.constant(memory.view()), lengths}, order);
  const AttentionMemory<float> made = make_memory(input.score, rows, options_.hidden_size);
  detail::AttentionCache cache{Tensor(rows.rows.value()), {}, {rows.lengths.begin(), rows.lengths.end()}, {}};
  if (options_.score != "dot" || options_.scaled) cache.keys = Tensor(made.keys.value());
  if (options_.coverage) cache.coverage = Tensor({cache.states.shape()[0]});
  return cache;
}

void AttentionDecoder::forward(detail::Flow& flow) {
  const char* name = "attention decoder";
  if (!flow.is_sequence) fail(Code::kUsage, "{}: the layer below gives one row per sample, expected a sequence", name);
  if (flow.bptt > 0)
    fail(Code::kUsage, "{}: back-propagation goes through the whole sequence, not {} steps", name, flow.bptt);
  DecoderInput<float> input;
  input.cell = &find_cell(options_.cell);
  input.layout = flow.layout;
  input.x = flow.rows(name);
  if (flow.cache) {
    input.memory_rows = cached_rows(*flow.cache, flow);
    if (options_.coverage) input.coverage = flow.tape->constant(flow.cache->coverage.view());
  } else {
    input.memory = {flow.memory_for(name), flow.memory_lengths};
  }
  record_parameters(cell_parameters_, attention_, *flow.tape, input);
  input.score.scaled = options_.scaled;
  input.input_feeding = options_.input_feeding;
  input.wants_final = flow.final != nullptr;
  const std::int64_t N = flow.layout->samples();
  for (int k = 0; flow.has_initial() && k < state_count(); ++k) {
    const std::size_t state = flow.states_used + static_cast<std::size_t>(k);
    (k < cell_.state_count() ? input.weights.initial[k] : input.feed) = flow.initial_state(state, 0, state_shape(k, N));
  }
  const DecoderOutput<float> out = decode(input);
  flow.x = out.output;
  flow.last = {};
  if (flow.cache && options_.coverage) flow.cache->coverage = Tensor(out.coverage.value());
  flow.states_used += static_cast<std::size_t>(state_count());
  for (int k = 0; flow.final && k < state_count(); ++k) {
    flow.final->values.push_back(Tensor(out.final[k].value()).reshaped(state_shape(k, N)));
  }
  if (flow.alignments) flow.alignments->push_back(decoder_alignments(input, out));
  if (flow.attended) *flow.attended = out.steps;
}

}  // namespace carousel
