// tape.h: reverse-mode differentiation in one short file.
//
// Every operation computes its value and puts a Node on the Tape; the node knows its inputs and how to send its
// gradient back to them. backward() walks the nodes from the last to the first. Nodes, values and gradients live in
// the tape's arena, which is taken back as a whole by reset(): a training step allocates nothing after the first.
//
//   Tape<double> tape;
//   BasicVariable<double> w = tape.parameter(weight);          // gradients are added to weight.gradient
//   BasicVariable<double> loss = mean(square(linear(x, w)));
//   tape.backward(loss);
//   tape.reset();                                         // every Variable of this tape is now invalid
//
// Gradients of nodes are claimed, not zero-filled: the first operation that sends a gradient to a node overwrites, the
// later ones add (GradientTarget::beta is 0, then 1, as in a GEMM).
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/fail.h"
#include "carousel/autograd.h"

namespace carousel {

template <class T>
struct GradientTarget {
  T* data;  // null if this node needs no gradient
  T beta;   // 0: overwrite all elements; 1: add to them
  explicit operator bool() const noexcept { return data != nullptr; }
};

// One value on the tape. Operations derive from it; members must be trivially destructible (it lives in an arena).
template <class T>
struct Node {
  View<T> value;
  T* gradient = nullptr;        // null until the first claim
  bool needs_gradient = false;  // true if a parameter or a watched input stands behind it
  Tape<T>* tape = nullptr;
  Node* previous = nullptr;  // the node recorded before this one

  // Whether backward() has something to send: a gradient came in, or into a further result of the operation.
  virtual bool reached() const noexcept { return gradient != nullptr; }
  // Sends `gradient` (never null here) to the inputs, through their claim_gradient().
  virtual void backward() {}

  // Where to write the gradient of this node. Call at most once per input and backward pass, and then write or add
  // every element: the second claim tells its caller to add.
  GradientTarget<T> claim_gradient();

  T* data() const noexcept { return value.data; }
  const Shape& shape() const noexcept { return value.shape; }

 protected:
  ~Node() = default;  // never destroyed one by one
};

template <class T>
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Leaves. A constant takes no gradient; an input does (read it with Variable::gradient()); a parameter's gradient is
  // added to Parameter::gradient, its value is borrowed, not copied. constant() and input() borrow too: the memory must
  // live until reset().
  BasicVariable<T> constant(View<const T> value);
  BasicVariable<T> input(View<const T> value);
  BasicVariable<T> parameter(BasicParameter<T>& parameter);

  // For operations: a new node of type Op (a Node<T>) with an uninitialised value of this shape. `needs_gradient` is
  // whether any input needs one and the tape is recording.
  template <class Op>
  Op* record(const Shape& shape, bool needs_gradient) {
    Op* op = new (arena_.allocate_bytes(sizeof(Op))) Op;
    op->value = {arena_.allocate<T>(shape.elements()), shape};
    append(op, needs_gradient);
    return op;
  }

  // Gradients of everything that `loss` (one element) depends on. Callable once per tape and reset().
  void backward(BasicVariable<T> loss);

  // With recording off (inference) no node asks for a gradient, so operations need not save anything for backward().
  void set_recording(bool recording) noexcept { recording_ = recording; }
  bool recording() const noexcept { return recording_; }

  Arena& arena() noexcept { return arena_; }  // for what operations save; same lifetime as the nodes
  void reset() noexcept;

  // How often reset() was called: tells a Variable whether it is still alive.
  std::uint64_t generation() const noexcept { return generation_; }
  bool spent() const noexcept { return spent_; }  // backward() has run since the last reset()

 private:
  void append(Node<T>* node, bool needs_gradient) noexcept;

  Arena arena_;
  Node<T>* last_ = nullptr;
  bool recording_ = true;
  bool spent_ = false;
  std::uint64_t generation_ = 0;
};

extern template class Tape<float>;
extern template class Tape<double>;
extern template struct Node<float>;
extern template struct Node<double>;

}  // namespace carousel
