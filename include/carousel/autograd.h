// autograd.h: parameters, and the values that a network computes on the way to a loss.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "carousel/tensor.h"

namespace carousel {

template <class T>
class Tape;
template <class T>
struct Node;

// A trainable tensor with a name. It outlives every tape that uses it; `gradient` has the shape of `value` and is
// added to by backward(); the optimiser zeroes it after its step.
template <class T>
struct BasicParameter {
  std::string name;
  BasicTensor<T> value;
  BasicTensor<T> gradient;  // [0] until a pass is recorded or an optimiser is made: inference needs none
  BasicParameter() = default;
  BasicParameter(std::string parameter_name, BasicTensor<T> initial)
      : name(std::move(parameter_name)), value(std::move(initial)) {}

  // Zeros of the shape of `value`, if there is no gradient yet.
  void make_gradient() {
    if (gradient.elements() != value.elements()) gradient = BasicTensor<T>(value.shape());
  }
};

// A handle to one value on a tape: cheap to copy, owns nothing. It ends with the tape's next reset(); using it later
// throws Error{kUsage}.
template <class T>
class BasicVariable {
 public:
  BasicVariable() = default;
  explicit BasicVariable(Node<T>* node);

  View<const T> value() const;
  const Shape& shape() const;
  View<const T> gradient() const;  // after backward(); throws Error{kUsage} if none reached this variable
  T item() const;                  // the only element; throws Error{kUsage} if there are more
  Tape<T>& tape() const;
  Node<T>* node() const;
  explicit operator bool() const noexcept { return node_ != nullptr; }

 private:
  Node<T>* node_ = nullptr;
  Tape<T>* tape_ = nullptr;
  std::uint64_t generation_ = 0;
};

using Parameter = BasicParameter<float>;
using Variable = BasicVariable<float>;

// Adds the gradient of `loss` (one element) to Parameter::gradient of every parameter behind it. Once per forward pass.
void backward(const Variable& loss);

extern template class BasicVariable<float>;
extern template class BasicVariable<double>;

}  // namespace carousel
