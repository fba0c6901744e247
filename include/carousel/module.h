// module.h: what every layer is: a thing with parameters that computes and can say how to build it again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "carousel/autograd.h"
#include "carousel/tensor.h"

namespace carousel {

namespace detail {
struct Flow;  // what runs from layer to layer: src/layers/module.h
}  // namespace detail

// The recurrent state of a network: for every recurrent layer in order, every state of its cell (h; or h and c),
// [layers x directions, samples, width]. Entry l * directions + d is layer l, direction d.
struct State {
  std::vector<Tensor> values;
};

struct NamedLayer;
using LayerList = std::vector<NamedLayer>;

// What a layer is, as plain data: enough to build it again.
struct LayerDescription {
  using Setting = std::variant<bool, std::int64_t, double, std::string>;
  std::string type;                         // "recurrent", "linear" ...
  std::map<std::string, Setting> settings;  // "hidden_size" -> 256 ...
  std::vector<LayerList> branches;          // of "sum"; the only one of "sequential" are its layers
};

struct NamedLayer {
  std::string name;  // in the network
  LayerDescription layer;
};

class Module {
 public:
  virtual ~Module() = default;
  virtual std::vector<Parameter*> parameters() { return {}; }  // what training changes
  virtual std::vector<Parameter*> buffers() { return {}; }     // fixed numbers that the model file keeps as well
  virtual void initialize(std::uint64_t seed) { static_cast<void>(seed); }  // fresh random weights
  virtual LayerDescription describe() const = 0;
  virtual void forward(detail::Flow& flow) = 0;
};

}  // namespace carousel
