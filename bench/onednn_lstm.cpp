// How fast is oneDNN's own LSTM primitive here? One training step, forward and backward, fp32, zero initial state.
//
//   bench_onednn_lstm T N C H L [THREADS]     prints one JSON object
//
// Weights lie in the layout that oneDNN prefers for each pass; bringing them there is not timed. The workspace and
// zeroing the weight gradients (oneDNN adds to them) are. Layers above the first take H inputs. Operations:
// 24 H (C + H) T N a layer, a third of them forward.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

namespace {

using dnnl::memory;
using Format = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

struct Sizes {
  memory::dim time_steps, batch_size, input_size, hidden_size, layers;
};

memory::desc describe(const memory::dims& dims, Format format) {
  return memory::desc(dims, memory::data_type::f32, format);
}

// Memory filled with small numbers that have no pattern, or with zeros.
memory allocate(const memory::desc& description, const dnnl::engine& engine, bool zero) {
  memory result(description, engine);
  auto* data = static_cast<float*>(result.get_data_handle());
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < description.get_size() / sizeof(float); ++i) {
    state = state * 1664525u + 1013904223u;
    data[i] = zero ? 0.0f : (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) * 0.1f;
  }
  return result;
}

// A run of layers with the same input size: one forward and one backward primitive.
class Layers {
 public:
  Layers(const Sizes& s, const dnnl::engine& engine) {
    const memory::dims weights_x{s.layers, 1, s.input_size, 4, s.hidden_size};
    const memory::dims weights_h{s.layers, 1, s.hidden_size, 4, s.hidden_size};
    const memory::desc x = describe({s.time_steps, s.batch_size, s.input_size}, Format::tnc);
    const memory::desc y = describe({s.time_steps, s.batch_size, s.hidden_size}, Format::tnc);
    const memory::desc wx = describe(weights_x, Format::any), wh = describe(weights_h, Format::any);
    const memory::desc bias = describe({s.layers, 1, 4, s.hidden_size}, Format::ldgo), none;
    const auto direction = dnnl::rnn_direction::unidirectional_left2right;
    const dnnl::lstm_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direction, x, none, none, wx, wh, bias, y, none, none}, engine);
    const dnnl::lstm_backward::primitive_desc backward({dnnl::prop_kind::backward,
                                                        direction,
                                                        x,
                                                        none,
                                                        none,
                                                        wx,
                                                        wh,
                                                        bias,
                                                        y,
                                                        none,
                                                        none,
                                                        x,
                                                        none,
                                                        none,
                                                        wx,
                                                        wh,
                                                        bias,
                                                        y,
                                                        none,
                                                        none},
                                                       engine, forward);
    forward_ = dnnl::lstm_forward(forward);
    backward_ = dnnl::lstm_backward(backward);
    const memory workspace = allocate(forward.workspace_desc(), engine, true);
    const memory biases = allocate(bias, engine, false);
    forward_arguments_ = {{DNNL_ARG_SRC_LAYER, allocate(x, engine, false)},
                          {DNNL_ARG_WEIGHTS_LAYER, allocate(forward.weights_layer_desc(), engine, false)},
                          {DNNL_ARG_WEIGHTS_ITER, allocate(forward.weights_iter_desc(), engine, false)},
                          {DNNL_ARG_BIAS, biases},
                          {DNNL_ARG_DST_LAYER, allocate(y, engine, true)},
                          {DNNL_ARG_WORKSPACE, workspace}};
    weight_gradients_ = {allocate(backward.diff_weights_layer_desc(), engine, true),
                         allocate(backward.diff_weights_iter_desc(), engine, true), allocate(bias, engine, true)};
    backward_arguments_ = {{DNNL_ARG_SRC_LAYER, forward_arguments_.at(DNNL_ARG_SRC_LAYER)},
                           {DNNL_ARG_WEIGHTS_LAYER, allocate(backward.weights_layer_desc(), engine, false)},
                           {DNNL_ARG_WEIGHTS_ITER, allocate(backward.weights_iter_desc(), engine, false)},
                           {DNNL_ARG_BIAS, biases},
                           {DNNL_ARG_DST_LAYER, forward_arguments_.at(DNNL_ARG_DST_LAYER)},
                           {DNNL_ARG_WORKSPACE, workspace},
                           {DNNL_ARG_DIFF_DST_LAYER, allocate(y, engine, false)},
                           {DNNL_ARG_DIFF_SRC_LAYER, allocate(x, engine, true)},
                           {DNNL_ARG_DIFF_WEIGHTS_LAYER, weight_gradients_[0]},
                           {DNNL_ARG_DIFF_WEIGHTS_ITER, weight_gradients_[1]},
                           {DNNL_ARG_DIFF_BIAS, weight_gradients_[2]}};
  }

  void forward(dnnl::stream& stream) { forward_.execute(stream, forward_arguments_); }

  void backward(dnnl::stream& stream) {
    for (const memory& gradient : weight_gradients_) {
      std::memset(gradient.get_data_handle(), 0, gradient.get_desc().get_size());
    }
    backward_.execute(stream, backward_arguments_);
  }

  // This run reads what `below` wrote, and sends its input gradient there.
  void connect(Layers& below) {
    forward_arguments_.at(DNNL_ARG_SRC_LAYER) = below.forward_arguments_.at(DNNL_ARG_DST_LAYER);
    backward_arguments_.at(DNNL_ARG_SRC_LAYER) = below.forward_arguments_.at(DNNL_ARG_DST_LAYER);
    backward_arguments_.at(DNNL_ARG_DIFF_SRC_LAYER) = below.backward_arguments_.at(DNNL_ARG_DIFF_DST_LAYER);
  }

 private:
  dnnl::lstm_forward forward_;
  dnnl::lstm_backward backward_;
  Arguments forward_arguments_, backward_arguments_;
  std::vector<memory> weight_gradients_;
};

// The median time in microseconds of one step, over at least 5 steps and about two seconds.
double median_microseconds(std::vector<Layers>& runs, dnnl::stream& stream) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  double total = 0;
  for (int step = -2; step < 5 || total < 2e6; ++step) {
    const auto start = Clock::now();
    for (Layers& run : runs) run.forward(stream);
    for (std::size_t i = runs.size(); i-- > 0;) runs[i].backward(stream);
    stream.wait();
    const double time = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    if (step < 0) continue;  // warm-up
    times.push_back(time);
    total += time;
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  memory::dim values[6] = {0, 0, 0, 0, 0, 1};
  for (int i = 1; i < argc && i <= 6; ++i) values[i - 1] = std::strtoll(argv[i], nullptr, 10);
  if (argc < 6 || argc > 7 || *std::min_element(values, values + 6) < 1) {
    std::fprintf(stderr, "usage: bench_onednn_lstm T N C H L [THREADS], all at least 1\n");
    return 2;
  }
  const auto [T, N, C, H, L, threads] = values;
  omp_set_num_threads(static_cast<int>(threads));
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  std::vector<Layers> runs;
  if (C == H) {
    runs.emplace_back(Sizes{T, N, C, H, L}, engine);
  } else {
    runs.emplace_back(Sizes{T, N, C, H, 1}, engine);
    if (L > 1) runs.emplace_back(Sizes{T, N, H, H, L - 1}, engine);
    if (L > 1) runs[1].connect(runs[0]);
  }
  const double time = median_microseconds(runs, stream);
  const auto operations = 24.0 * static_cast<double>(H * T * N) * static_cast<double>((C + H) + (L - 1) * 2 * H);
  std::printf(
      "{\"median_us\":%.1f,\"gflops\":%.2f,\"T\":%lld,\"N\":%lld,\"C\":%lld,\"H\":%lld,\"L\":%lld,\"threads\":%lld}\n",
      time, operations / time * 1e-3, static_cast<long long>(T), static_cast<long long>(N), static_cast<long long>(C),
      static_cast<long long>(H), static_cast<long long>(L), static_cast<long long>(threads));
  return 0;
}
