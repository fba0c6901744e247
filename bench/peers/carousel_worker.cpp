// The peer "carousel": the library of this repository. VARIANT carousel, or carousel_bf16 and carousel_int8 for
// streams.
#include <algorithm>
#include <memory>

#include "autograd/ops/sum.h"
#include "base/fail.h"
#include "base/thread_pool.h"
#include "carousel/stream.h"
#include "layers/module.h"
#include "worker.h"

namespace carousel::peers {
namespace {

Recurrent make_layers(const RaceCase& c) {
  return Recurrent{{.cell = c.cell, .input_size = c.input_size, .hidden_size = c.hidden_size, .layers = c.layers}};
}

void read_weights(const RaceCase& c, Module& network) {
  for (Parameter* parameter : network.parameters()) parameter->value = c.read(parameter->name);
}

// Forward and backward: gradients of input, weights and biases, from a gradient of 1 for every valid output.
class Training {
 public:
  explicit Training(const RaceCase& c)
      : layers_(make_layers(c)), parameters_(layers_.parameters()), input_(c.read("x")), packed_(input_) {
    read_weights(c, layers_);
    if (c.mode == "lengths") lengths_ = c.read_lengths();
  }

  void run() {
    const Shape& shape = input_.shape();
    tape_.reset();
    layout_.assign(shape[0], shape[1], lengths_);
    if (!layout_.uniform()) pack();
    for (Parameter* parameter : parameters_) parameter->gradient.fill(0);
    detail::Flow flow;
    flow.tape = &tape_;
    flow.layout = &layout_;
    flow.training = true;
    x_ = flow.x = tape_.input({layout_.uniform() ? input_.data() : packed_.data(), {layout_.rows(), shape[2]}});
    layers_.forward(flow);
    y_ = flow.x;
    tape_.backward(sum(y_));
  }

  Results collect() const {
    Results results;
    results.emplace_back("y", padded(y_.value()));
    results.emplace_back("dx", padded(x_.gradient()));
    for (const Parameter* parameter : parameters_) results.emplace_back("d" + parameter->name, parameter->gradient);
    return results;
  }

 private:
  void pack() {
    const std::int64_t C = input_.shape()[2];
    for (std::int64_t row = 0; row < layout_.rows(); ++row)
      std::copy_n(input_.data() + layout_.padded_rows()[row] * C, C, packed_.data() + row * C);
  }

  // [rows, F] as [T, N, F], zeros behind the end of a sample.
  Tensor padded(View<const float> rows) const {
    const std::int64_t F = rows.shape[1];
    Tensor result(Shape{input_.shape()[0], input_.shape()[1], F});
    for (std::int64_t row = 0; row < layout_.rows(); ++row)
      std::copy_n(rows.row(row), F, result.data() + layout_.padded_rows()[row] * F);
    return result;
  }

  Recurrent layers_;
  std::vector<Parameter*> parameters_;
  Tensor input_, packed_;
  std::vector<std::int32_t> lengths_;
  SequenceLayout layout_;
  Tape<float> tape_;
  Variable x_, y_;
};

Prepared prepare_training(const RaceCase& c) {
  const auto training = std::make_shared<Training>(c);
  return {.run = [=] { training->run(); }, .collect = [=] { return training->collect(); }};
}

Prepared prepare_inference(const RaceCase& c) {
  const auto network = std::make_shared<Sequential>(Sequential{make_layers(c)});
  read_weights(c, *network);  // after it is built: that fills in weights of its own
  const auto output = std::make_shared<Tensor>();
  return {.run = [=, input = c.read("x")] { *output = network->predict(input); },
          .collect =
              [=] {
                return Results{{"y", *output}};
              }};
}

Prepared prepare_steps(const RaceCase& c, const std::string& dtype) {
  Sequential network{make_layers(c)};
  read_weights(c, network);
  const auto stream = std::make_shared<Stream>(network, StreamOptions{.dtype = dtype});
  const auto output = std::make_shared<Tensor>(Shape{c.time_steps, 1, c.hidden_size});
  const auto run = [=, input = c.read("x")] {
    for (std::int64_t t = 0; t < c.time_steps; ++t) {
      const auto y = stream->step({input.data() + t * c.input_size, static_cast<std::size_t>(c.input_size)});
      std::copy(y.begin(), y.end(), output->data() + t * c.hidden_size);
    }
  };
  return {.run = run, .steps = c.time_steps, .collect = [=] { return Results{{"y", *output}}; }};
}

Prepared prepare_mode(const RaceCase& c) {
  const std::string dtype = c.variant == "carousel" ? "f32" : c.variant.substr(c.variant.find('_') + 1);
  if (c.mode == "step") return prepare_steps(c, dtype);
  if (dtype != "f32") fail(Code::kUsage, "{} runs step by step only", c.variant);
  return c.mode == "infer" ? prepare_inference(c) : prepare_training(c);
}

}  // namespace

Prepared prepare(const RaceCase& race_case) {
  set_threads(race_case.threads);
  Prepared prepared = prepare_mode(race_case);
  prepared.version = CAROUSEL_VERSION;
  return prepared;
}

}  // namespace carousel::peers
