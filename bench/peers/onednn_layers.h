// onednn_layers.h: neighbouring layers with the same input size as one oneDNN primitive (two in training).
#pragma once

#include <dnnl.hpp>
#include <string>
#include <unordered_map>

#include "worker.h"

namespace carousel::peers {

class OnednnLayers {
 public:
  // Layers first .. first + count - 1 of the case, with its weights. The mode says which primitives are made and
  // whether the state goes from call to call ("step"). Throws dnnl::error if oneDNN has none.
  OnednnLayers(const RaceCase& race_case, std::int64_t first, std::int64_t count, const dnnl::engine& engine);

  void forward(dnnl::stream& stream);
  void backward(dnnl::stream& stream);  // zeroes the weight gradients first
  // This run reads what `below` wrote, and sends its input gradient there.
  void connect(OnednnLayers& below);

  float* data(int argument);  // of a DNNL_ARG_..., in the layout [T, N, F] for sequences
  // Appends dweight_ih_l0 ... with PyTorch's shapes and order of gates.
  void collect_gradients(Results& results, dnnl::stream& stream);

 private:
  using Arguments = std::unordered_map<int, dnnl::memory>;
  struct Descriptions;
  template <class Forward, class Backward, class... Activation>
  void make(const Descriptions& d, Activation... activation);
  void make_primitives(const Descriptions& d);
  void add(Arguments& arguments, const dnnl::primitive_desc& primitive, int argument);
  void load_weights(const RaceCase& race_case, dnnl::stream& stream);
  void set_weights(int argument, dnnl::memory& plain, dnnl::stream& stream);
  dnnl::memory::desc plain_weights(std::int64_t rows) const;

  dnnl::engine engine_;
  bool training_ = false, stateful_ = false;
  std::string cell_;
  std::int64_t first_, count_, input_size_, hidden_size_;
  dnnl::primitive_desc forward_description_, backward_description_;
  dnnl::primitive forward_, backward_;
  Arguments forward_arguments_, backward_arguments_;
};

}  // namespace carousel::peers
