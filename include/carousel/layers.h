// layers.h: networks put together from layers.
//
//   auto net = carousel::Sequential{carousel::Embedding{vocabulary_size, 128},
//                                   carousel::Recurrent{{.cell = "lstm", .input_size = 128, .hidden_size = 256}},
//                                   carousel::Pool{"last"}, carousel::Linear{256, classes}};
//   auto logits = net(tokens, lengths);               // records; then loss, backward(loss), optimiser step
//   carousel::Tensor scores = net.predict(tokens, lengths);
//
// Sequences go in time-major: values [T, N, C] or token ids [T, N], with the true length of every sample if they
// differ. Padded steps are neither computed nor able to influence anything; a sample of length 0 yields its initial
// state. The layers own their parameters and keep no state between calls: State is a value of the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carousel/module.h"
#include "carousel/recurrent.h"

namespace carousel {

namespace detail {
struct Session;  // tape and workspace of one Sequential
}  // namespace detail

struct AttentionPass;  // carousel/attention.h

// One row of a table per token: [T, N] -> [T, N, embedding_size]. Before a Recurrent layer it is folded: W x is then
// computed once per distinct token of the batch.
class Embedding : public Module {
 public:
  Embedding(std::int64_t vocabulary_size, std::int64_t embedding_size);
  std::vector<Parameter*> parameters() override { return {&weight}; }
  void initialize(std::uint64_t seed) override;  // normal, deviation 0.1; the row of <pad> (0) is zero
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter weight;  // [vocabulary_size, embedding_size]
};

// y = x W^T + b for every row.
class Linear : public Module {
 public:
  Linear(std::int64_t input_size, std::int64_t output_size, bool bias = true);
  std::vector<Parameter*> parameters() override;
  void initialize(std::uint64_t seed) override;  // uniform in +-1/sqrt(input_size), as PyTorch
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter weight, bias;  // [output_size, input_size], [output_size]
 private:
  bool has_bias_;
};

// From a sequence to one row per sample: [T, N, C] -> [N, C]. "last": the state h after the last valid step, the
// directions side by side; "mean", "max": over the valid steps (0 for a sample of length 0).
class Pool : public Module {
 public:
  explicit Pool(std::string kind);  // throws Error{kUsage} for an unknown kind
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

 private:
  std::string kind_;
};

// [T, N, C] -> [N, time_steps C]: step after step in one row. All samples must have time_steps steps.
class Flatten : public Module {
 public:
  explicit Flatten(std::int64_t time_steps);
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  std::int64_t time_steps() const noexcept { return time_steps_; }

 private:
  std::int64_t time_steps_;
};

// y = factor x + offset per feature, fixed numbers: how a model takes and gives values in the units of the data.
class Scale : public Module {
 public:
  Scale(Tensor factor, Tensor offset);  // [C] each
  std::vector<Parameter*> buffers() override { return {&factor, &offset}; }
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter factor, offset;
};

// Active while training only. per_sequence: one mask for all steps of a sample (Gal and Ghahramani 2016).
class Dropout : public Module {
 public:
  explicit Dropout(double probability, bool per_sequence = false);
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

 private:
  double probability_;
  bool per_sequence_;
};

// Each row to mean 0 and variance 1, then gain and bias (Ba et al. 2016), eps 1e-5.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(std::int64_t size);
  std::vector<Parameter*> parameters() override { return {&weight, &bias}; }
  void initialize(std::uint64_t seed) override;  // gain 1, bias 0
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter weight, bias;  // [size]
};

class Activation : public Module {
 public:
  // "tanh", "relu", "sigmoid", "gelu" (the form with tanh: PyTorch's GELU(approximate="tanh"))
  explicit Activation(std::string kind);
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

 private:
  std::string kind_;
};

// Layers one after another. May itself be a layer of another one: a named part of a network.
class Sequential : public Module {
 public:
  // A layer whose parameters are all zero, as every layer is made, gets fresh weights (seed 1); any other keeps those
  // that it has: set by hand, by its own initialize(), or by the Sequential that it comes in.
  template <class... Modules>
  requires(sizeof...(Modules) > 0 &&
           (std::is_base_of_v<Module, Modules> && ...)) explicit Sequential(Modules... modules)
      : Sequential() {
    (add(std::to_string(size()), std::make_unique<Modules>(std::move(modules))), ...);
    initialize_new_layers();
  }
  Sequential();
  Sequential(Sequential&&) noexcept;
  Sequential& operator=(Sequential&&) noexcept;
  ~Sequential() override;

  void add(std::string name, std::unique_ptr<Module> module);
  std::size_t size() const noexcept { return modules_.size(); }
  const std::vector<std::pair<std::string, std::unique_ptr<Module>>>& modules() const noexcept { return modules_; }

  // Of all layers. The pointers live as long as the network.
  std::vector<Parameter*> parameters() override;
  std::vector<Parameter*> buffers() override;
  // Parameters and buffers with their full names, "module.parameter", as the model file has them.
  std::vector<std::pair<std::string, Parameter*>> named_tensors();
  void initialize(std::uint64_t seed) override;  // of all layers, whatever weights they have
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

  // Records a forward pass for training. The values live until the first call after backward(), and so must `values`,
  // `ids` and `initial`, which are borrowed. Sequence output comes
  // back padded with zeros, [T, N, O]; pooled output is [N, O]. `initial` is the state to start from (null: zero,
  // or as learned), `final` receives the state after the last valid step.
  Variable operator()(const Tensor& values, std::span<const std::int32_t> lengths = {}, const State* initial = nullptr,
                      State* final = nullptr);
  Variable operator()(const IdTensor& ids, std::span<const std::int32_t> lengths = {}, const State* initial = nullptr,
                      State* final = nullptr);
  // The same without recording and without dropout.
  Tensor predict(const Tensor& values, std::span<const std::int32_t> lengths = {}, const State* initial = nullptr,
                 State* final = nullptr);
  Tensor predict(const IdTensor& ids, std::span<const std::int32_t> lengths = {}, const State* initial = nullptr,
                 State* final = nullptr);

  // Both with a memory for attention layers to look at, and with their weights as a result.
  Variable operator()(const AttentionPass& pass);
  Tensor predict(const AttentionPass& pass);

  State zero_state(std::int64_t samples) const;
  void set_dropout_seed(std::uint64_t seed);  // the masks of training pass k follow from (seed, k)

 private:
  void initialize_new_layers();
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> modules_;
  std::unique_ptr<detail::Session> session_;
};

// Runs branches on the same input and adds their outputs; a narrower one than the first is added to its first columns.
// Networks made alike start with the same weights and are trained alike: initialize() gives each weights of its own.
class Sum : public Module {
 public:
  explicit Sum(std::vector<Sequential> branches);
  std::vector<Parameter*> parameters() override;
  std::vector<Parameter*> buffers() override;
  void initialize(std::uint64_t seed) override;
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  std::vector<Sequential>& branches() noexcept { return branches_; }

 private:
  std::vector<Sequential> branches_;
};

// Recurrent::set_inference_dtype() for every recurrent layer of the network.
void set_inference_dtype(Sequential& network, const std::string& dtype);

// Builds the layers again. Throws Error{kModel} that names the layer and the setting that does not fit.
std::unique_ptr<Module> build_module(const LayerDescription& description);
// Elements of all parameters and buffers, counted before any memory is asked for.
std::int64_t count_parameters(const LayerDescription& description);
Sequential build_sequential(const LayerList& layers);

}  // namespace carousel
