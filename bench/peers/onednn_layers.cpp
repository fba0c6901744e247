#include "onednn_layers.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace carousel::peers {
namespace {

using dnnl::memory;
using Format = memory::format_tag;

constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;
constexpr int kDifferential = DNNL_ARG_DIFF_SRC_LAYER - DNNL_ARG_SRC_LAYER;  // from a tensor to its gradient
constexpr int kWeightGradients[] = {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS};

memory::desc describe(const memory::dims& dims, Format format) { return {dims, memory::data_type::f32, format}; }

float* floats(const memory& m) { return static_cast<float*>(m.get_data_handle()); }

// PyTorch's number of each of oneDNN's gates: i, f, g, o; u, r, o are z, r, n; one.
std::vector<std::int64_t> gate_order(const std::string& cell) {
  if (cell == "lstm") return {0, 1, 2, 3};
  if (cell == "gru") return {1, 0, 2};
  return {0};
}

// The GRU whose reset gate acts behind the recurrent product has a second bias for its last gate.
std::int64_t bias_count(const std::string& cell) { return cell == "rnn" ? 1 : 4; }

// [G H, C] in PyTorch's order of gates to or from [C, G, H] in oneDNN's.
struct WeightOrder {
  std::vector<std::int64_t> gates;
  std::int64_t rows, hidden_size;

  template <class Visit>
  void each(const Visit& visit) const {  // visit(index in PyTorch's, index in oneDNN's)
    for (std::int64_t c = 0, theirs = 0; c < rows; ++c) {
      for (const std::int64_t gate : gates)
        for (std::int64_t h = 0; h < hidden_size; ++h) visit((gate * hidden_size + h) * rows + c, theirs++);
    }
  }
};

}  // namespace

struct OnednnLayers::Descriptions {
  // h and c: the state before and behind, empty if it is zero and nobody asks for it. Training takes them all the same:
  // without them oneDNN 2.6.3 computes a wrong gradient of the LSTM's recurrent weights.
  memory::desc x, y, h, c, wx, wh, bias;
};

OnednnLayers::OnednnLayers(const RaceCase& race_case, std::int64_t first, std::int64_t count,
                           const dnnl::engine& engine)
    : engine_(engine),
      training_(race_case.mode == "train"),
      stateful_(race_case.mode == "step"),
      cell_(race_case.cell),
      first_(first),
      count_(count),
      input_size_(first == 0 ? race_case.input_size : race_case.hidden_size),
      hidden_size_(race_case.hidden_size) {
  const std::int64_t G = std::ssize(gate_order(cell_)), H = hidden_size_, N = race_case.batch_size;
  const std::int64_t T = stateful_ ? 1 : race_case.time_steps;
  Descriptions d;
  d.x = describe({T, N, input_size_}, Format::tnc);
  d.y = describe({T, N, H}, Format::tnc);
  if (stateful_ || training_) d.h = d.c = describe({count, 1, N, H}, Format::ldnc);
  d.wx = describe({count, 1, input_size_, G, H}, Format::any);
  d.wh = describe({count, 1, H, G, H}, Format::any);
  d.bias = describe({count, 1, bias_count(cell_), H}, Format::ldgo);
  make_primitives(d);
  dnnl::stream stream(engine_);
  load_weights(race_case, stream);
}

void OnednnLayers::make_primitives(const Descriptions& d) {
  if (cell_ == "gru") {
    make<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(d);
  } else if (cell_ == "rnn") {
    make<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(d, dnnl::algorithm::eltwise_tanh);
  } else {
    make<dnnl::lstm_forward, dnnl::lstm_backward>(d);
  }
  const bool has_state = !d.h.is_zero();
  std::vector<int> forward{DNNL_ARG_SRC_LAYER, DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS,
                           DNNL_ARG_DST_LAYER};
  if (has_state) forward.insert(forward.end(), {DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER});
  if (has_state && cell_ == "lstm") forward.insert(forward.end(), {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C});
  for (const int argument : forward) add(forward_arguments_, forward_description_, argument);
  if (!training_) return;
  add(forward_arguments_, forward_description_, DNNL_ARG_WORKSPACE);
  backward_arguments_ = forward_arguments_;
  for (const int weights : {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER}) {
    backward_arguments_.erase(weights);  // they lie otherwise on the way back
    add(backward_arguments_, backward_description_, weights);
  }
  for (const int argument : forward) add(backward_arguments_, backward_description_, argument + kDifferential);
}

template <class Forward, class Backward, class... Activation>
void OnednnLayers::make(const Descriptions& d, Activation... activation) {
  using dnnl::prop_kind;
  const auto kind = training_ ? prop_kind::forward_training : prop_kind::forward_inference;
  typename Forward::primitive_desc forward;
  if constexpr (std::is_same_v<Forward, dnnl::lstm_forward>) {
    forward = {{kind, kDirection, d.x, d.h, d.c, d.wx, d.wh, d.bias, d.y, d.h, d.c}, engine_};
  } else {
    forward = {{kind, activation..., kDirection, d.x, d.h, d.wx, d.wh, d.bias, d.y, d.h}, engine_};
  }
  forward_description_ = forward;
  forward_ = dnnl::primitive(forward);
  if (!training_) return;
  typename Backward::primitive_desc backward;
  if constexpr (std::is_same_v<Forward, dnnl::lstm_forward>) {
    const typename Backward::desc all(prop_kind::backward, kDirection, d.x, d.h, d.c, d.wx, d.wh, d.bias, d.y, d.h, d.c,
                                      d.x, d.h, d.c, d.wx, d.wh, d.bias, d.y, d.h, d.c);
    backward = {all, engine_, forward};
  } else {
    const typename Backward::desc all(prop_kind::backward, activation..., kDirection, d.x, d.h, d.wx, d.wh, d.bias, d.y,
                                      d.h, d.x, d.h, d.wx, d.wh, d.bias, d.y, d.h);
    backward = {all, engine_, forward};
  }
  backward_description_ = backward;
  backward_ = dnnl::primitive(backward);
}

void OnednnLayers::add(Arguments& arguments, const dnnl::primitive_desc& primitive, int argument) {
  const memory::desc description = argument == DNNL_ARG_WORKSPACE
                                       ? primitive.query_md(dnnl::query::workspace_md)
                                       : primitive.query_md(dnnl::query::exec_arg_md, argument);
  memory zeros(description, engine_);
  std::memset(zeros.get_data_handle(), 0, description.get_size());
  arguments.emplace(argument, zeros);
}

memory::desc OnednnLayers::plain_weights(std::int64_t rows) const {
  return describe({count_, 1, rows, std::ssize(gate_order(cell_)), hidden_size_}, Format::ldigo);
}

void OnednnLayers::load_weights(const RaceCase& race_case, dnnl::stream& stream) {
  const std::vector<std::int64_t> gates = gate_order(cell_);
  const std::int64_t H = hidden_size_, G = std::ssize(gates);
  for (const bool recurrent : {false, true}) {
    const std::int64_t rows = recurrent ? H : input_size_;
    memory plain(plain_weights(rows), engine_);
    for (std::int64_t l = 0; l < count_; ++l) {
      const Tensor weight = race_case.read((recurrent ? "weight_hh_l" : "weight_ih_l") + std::to_string(first_ + l));
      float* theirs = floats(plain) + l * rows * G * H;
      WeightOrder{gates, rows, H}.each([&](std::int64_t from, std::int64_t to) { theirs[to] = weight[from]; });
    }
    set_weights(recurrent ? DNNL_ARG_WEIGHTS_ITER : DNNL_ARG_WEIGHTS_LAYER, plain, stream);
  }
  for (std::int64_t l = 0; l < count_; ++l) {
    const std::string layer = std::to_string(first_ + l);
    const Tensor of_x = race_case.read("bias_ih_l" + layer), of_h = race_case.read("bias_hh_l" + layer);
    float* bias = data(DNNL_ARG_BIAS) + l * bias_count(cell_) * H;
    for (std::int64_t k = 0; k < G * H; ++k) {
      const std::int64_t from = gates[k / H] * H + k % H;
      const bool apart = cell_ == "gru" && k / H == 2;
      bias[k] = apart ? of_x[from] : of_x[from] + of_h[from];
      if (apart) bias[k + H] = of_h[from];
    }
  }
}

void OnednnLayers::set_weights(int argument, memory& plain, dnnl::stream& stream) {
  for (Arguments* arguments : {&forward_arguments_, &backward_arguments_}) {
    const auto found = arguments->find(argument);
    if (found != arguments->end()) dnnl::reorder(plain, found->second).execute(stream, plain, found->second);
  }
  stream.wait();
}

void OnednnLayers::forward(dnnl::stream& stream) {
  forward_.execute(stream, forward_arguments_);
  if (!stateful_) return;
  std::swap(forward_arguments_.at(DNNL_ARG_SRC_ITER), forward_arguments_.at(DNNL_ARG_DST_ITER));
  if (cell_ == "lstm")
    std::swap(forward_arguments_.at(DNNL_ARG_SRC_ITER_C), forward_arguments_.at(DNNL_ARG_DST_ITER_C));
}

void OnednnLayers::backward(dnnl::stream& stream) {
  for (const int argument : kWeightGradients) {
    const memory& gradient = backward_arguments_.at(argument);
    std::memset(gradient.get_data_handle(), 0, gradient.get_desc().get_size());
  }
  backward_.execute(stream, backward_arguments_);
}

void OnednnLayers::connect(OnednnLayers& below) {
  forward_arguments_.at(DNNL_ARG_SRC_LAYER) = below.forward_arguments_.at(DNNL_ARG_DST_LAYER);
  if (!training_) return;
  backward_arguments_.at(DNNL_ARG_SRC_LAYER) = below.forward_arguments_.at(DNNL_ARG_DST_LAYER);
  backward_arguments_.at(DNNL_ARG_DIFF_SRC_LAYER) = below.backward_arguments_.at(DNNL_ARG_DIFF_DST_LAYER);
}

float* OnednnLayers::data(int argument) {
  const auto found = forward_arguments_.find(argument);
  return floats(found != forward_arguments_.end() ? found->second : backward_arguments_.at(argument));
}

void OnednnLayers::collect_gradients(Results& results, dnnl::stream& stream) {
  const std::vector<std::int64_t> gates = gate_order(cell_);
  const std::int64_t H = hidden_size_, G = std::ssize(gates);
  for (const bool recurrent : {false, true}) {
    const std::int64_t rows = recurrent ? H : input_size_;
    memory plain(plain_weights(rows), engine_);
    memory& theirs = backward_arguments_.at(recurrent ? DNNL_ARG_DIFF_WEIGHTS_ITER : DNNL_ARG_DIFF_WEIGHTS_LAYER);
    dnnl::reorder(theirs, plain).execute(stream, theirs, plain);
    stream.wait();
    for (std::int64_t l = 0; l < count_; ++l) {
      Tensor weight(Shape{G * H, rows});
      const float* from = floats(plain) + l * rows * G * H;
      WeightOrder{gates, rows, H}.each([&](std::int64_t to, std::int64_t index) { weight[to] = from[index]; });
      results.emplace_back((recurrent ? "dweight_hh_l" : "dweight_ih_l") + std::to_string(first_ + l), weight);
    }
  }
  for (std::int64_t l = 0; l < count_; ++l) {
    Tensor of_x(Shape{G * H}), of_h(Shape{G * H});
    const float* bias = floats(backward_arguments_.at(DNNL_ARG_DIFF_BIAS)) + l * bias_count(cell_) * H;
    for (std::int64_t k = 0; k < G * H; ++k) {
      const std::int64_t to = gates[k / H] * H + k % H;
      of_x[to] = bias[k];
      of_h[to] = bias[cell_ == "gru" && k / H == 2 ? k + H : k];
    }
    results.emplace_back("dbias_ih_l" + std::to_string(first_ + l), of_x);
    results.emplace_back("dbias_hh_l" + std::to_string(first_ + l), of_h);
  }
}

}  // namespace carousel::peers
