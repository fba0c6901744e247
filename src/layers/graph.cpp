// graph.cpp: the tape of a Graph, and layers run on it.
#include "carousel/graph.h"

#include <algorithm>

#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "layers/module.h"
#include "layers/pool_ops.h"

namespace carousel {

struct Graph::Pass {
  Tape<float> tape;
  detail::Layouts layouts;    // of the sequences since the last reset()
  const SequenceLayout rows;  // its layouts of one step serve all rows
  std::uint64_t seed = 1, draws = 0, runs = 0;

  void check_owner(const char* what, const Variable& variable) const {
    if (&variable.tape() != &tape) fail(Code::kUsage, "graph: {} is a variable of another graph", what);
  }

  detail::Flow flow(const Variable& x, const SequenceLayout& layout) {
    check_owner("the input of the layers", x);
    detail::Flow flow;
    flow.tape = &tape;
    flow.layout = &layout;
    flow.training = tape.recording();
    flow.dropout_key = {seed, Purpose::kDropout, runs++};
    flow.x = x;
    return flow;
  }
};

Graph::Graph(std::uint64_t seed) : pass_(std::make_unique<Pass>()) { pass_->seed = seed; }
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

Variable Graph::input(const Tensor& values) {
  float* copy = pass_->tape.arena().allocate<float>(values.elements());
  std::copy_n(values.data(), values.elements(), copy);
  return pass_->tape.constant({copy, values.shape()});
}

Variable Graph::parameter(Parameter& parameter) { return pass_->tape.parameter(parameter); }

Variable Graph::normal(const Shape& shape) {
  const View<float> numbers{pass_->tape.arena().allocate<float>(shape.elements()), shape};
  fill_normal({pass_->seed, Purpose::kNoise, pass_->draws++}, 0.0f, 1.0f, numbers.span());
  return pass_->tape.constant(numbers);
}

namespace {

// [T, N, C] to the packed rows of the layout.
Variable pack(const Variable& x, const SequenceLayout& layout) {
  if (!layout.uniform()) return select_rows<float>(x, layout.padded_rows());
  return reshape<float>(x, {layout.rows(), x.shape().back()});
}

}  // namespace

Variable Graph::run(Module& layers, const Variable& x, std::span<const std::int32_t> lengths) {
  const Shape& shape = x.shape();
  if (shape.rank() == 2 && lengths.empty()) {
    detail::Flow flow = pass_->flow(x, pass_->rows.one_step(shape[0]));
    layers.forward(flow);
    return flow.rows("output");
  }
  if (shape.rank() != 3) {
    fail(Code::kUsage, "graph: the input of the layers has shape {}, expected {}", shape.to_string(),
         lengths.empty() ? "[rows, features] or [time_steps, samples, features]" : "[time_steps, samples, features]");
  }
  if (!lengths.empty() && std::ssize(lengths) != shape[1]) {
    fail(Code::kUsage, "graph: got {} lengths for {} samples", lengths.size(), shape[1]);
  }
  SequenceLayout& layout = pass_->layouts.next(pass_->tape);
  layout.assign(shape[0], shape[1], lengths);
  detail::Flow flow = pass_->flow(pack(x, layout), layout);
  layers.forward(flow);
  return flow.is_sequence ? unpack(flow.rows("output"), *flow.layout) : flow.x;
}

Variable Graph::step(Recurrent& layer, const Variable& x, std::vector<Variable>& state) {
  const auto count = static_cast<std::size_t>(layer.options().layers * layer.state_count());
  if (layer.directions() != 1) fail(Code::kUsage, "graph: a bidirectional layer needs the whole sequence: use run()");
  if (x.shape().rank() != 2) {
    fail(Code::kUsage, "graph: the input of a step has shape {}, expected [samples, features]", x.shape().to_string());
  }
  if (!state.empty() && state.size() != count) {
    fail(Code::kUsage, "graph: the layer got {} states, expected {} or none", state.size(), count);
  }
  for (const Variable& value : state) pass_->check_owner("a state", value);
  detail::Flow flow = pass_->flow(x, pass_->rows.one_step(x.shape()[0]));
  flow.initial_variables = state;
  std::vector<Variable> next;
  flow.final_variables = &next;
  layer.forward(flow);
  state = std::move(next);
  return flow.x;
}

void Graph::set_recording(bool recording) { pass_->tape.set_recording(recording); }

void Graph::reset() { pass_->tape.reset(); }

}  // namespace carousel
