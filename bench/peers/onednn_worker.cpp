// The peer "onednn": oneDNN's own recurrent primitives, cached. Layers above the first take H inputs, so a stack is one
// primitive if C = H, else one for the first layer and one for the others.
//
// Weights lie in the layout that oneDNN prefers for each pass; bringing them there is not timed, and neither is
// bringing gradients back. Zeroing the weight gradients (oneDNN adds to them) is.
#include <omp.h>

#include <algorithm>
#include <memory>

#include "base/denormals.h"
#include "base/fail.h"
#include "onednn_layers.h"
#include "worker.h"

namespace carousel::peers {
namespace {

class Stack {
 public:
  explicit Stack(const RaceCase& c) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const std::int64_t below = c.input_size == c.hidden_size ? c.layers : 1;
    runs_.push_back(std::make_unique<OnednnLayers>(c, 0, below, engine_));
    if (below < c.layers) {
      runs_.push_back(std::make_unique<OnednnLayers>(c, below, c.layers - below, engine_));
      runs_[1]->connect(*runs_[0]);
    }
  }

  float* input() { return runs_.front()->data(DNNL_ARG_SRC_LAYER); }
  const float* output() { return runs_.back()->data(DNNL_ARG_DST_LAYER); }
  OnednnLayers& bottom() { return *runs_.front(); }
  OnednnLayers& top() { return *runs_.back(); }

  void forward() {
    for (const auto& run : runs_) run->forward(stream_);
    stream_.wait();
  }

  void backward() {
    for (std::size_t i = runs_.size(); i-- > 0;) runs_[i]->backward(stream_);
    stream_.wait();
  }

  void collect_gradients(Results& results) {
    for (const auto& run : runs_) run->collect_gradients(results, stream_);
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<std::unique_ptr<OnednnLayers>> runs_;
};

Prepared prepare_training(const RaceCase& c, const std::shared_ptr<Stack>& stack) {
  const auto copy = [c](const float* data, std::int64_t width) {
    const Shape shape{c.time_steps, c.batch_size, width};
    return Tensor(shape, {data, static_cast<std::size_t>(shape.elements())});
  };
  float* gradient = stack->top().data(DNNL_ARG_DIFF_DST_LAYER);
  std::fill_n(gradient, c.time_steps * c.batch_size * c.hidden_size, 1.0F);
  const auto run = [stack] {
    stack->forward();
    stack->backward();
  };
  const auto collect = [=] {
    Results results{{"y", copy(stack->output(), c.hidden_size)},
                    {"dx", copy(stack->bottom().data(DNNL_ARG_DIFF_SRC_LAYER), c.input_size)}};
    stack->collect_gradients(results);
    return results;
  };
  return {.run = run, .collect = collect};
}

// Inference of a whole batch is one call; step by step it is T calls that carry the state, copies of x and y included.
Prepared prepare_inference(const RaceCase& c, const std::shared_ptr<Stack>& stack, const Tensor& input) {
  const bool steps = c.mode == "step";
  const auto output = std::make_shared<Tensor>(Shape{c.time_steps, c.batch_size, c.hidden_size});
  const std::int64_t calls = steps ? c.time_steps : 1;
  const std::int64_t read = input.elements() / calls, written = output->elements() / calls;
  const auto run = [=] {
    for (std::int64_t t = 0; t < calls; ++t) {
      if (steps) std::copy_n(input.data() + t * read, read, stack->input());
      stack->forward();
      if (steps) std::copy_n(stack->output(), written, output->data() + t * written);
    }
  };
  const auto collect = [=] {
    if (!steps) std::copy_n(stack->output(), written, output->data());
    return Results{{"y", *output}};
  };
  return {.run = run, .steps = calls, .collect = collect};
}

void flush_denormals_in_every_thread(int threads) {
  omp_set_num_threads(threads);
#pragma omp parallel
  {
    thread_local const FlushDenormals flush;
    static_cast<void>(flush);
  }
}

}  // namespace

Prepared prepare(const RaceCase& race_case) {
  if (race_case.variant != "onednn") fail(Code::kUsage, "unknown variant {}", race_case.variant);
  if (race_case.mode == "lengths") fail(Code::kUsage, "oneDNN's primitives take no lengths");
  flush_denormals_in_every_thread(race_case.threads);
  const auto stack = std::make_shared<Stack>(race_case);
  const Tensor input = race_case.read("x");
  if (race_case.mode != "step") std::copy_n(input.data(), input.elements(), stack->input());
  Prepared prepared =
      race_case.mode == "train" ? prepare_training(race_case, stack) : prepare_inference(race_case, stack, input);
  const dnnl_version_t* version = dnnl::version();
  prepared.version = fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
  return prepared;
}

}  // namespace carousel::peers
