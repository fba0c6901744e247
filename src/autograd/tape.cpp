#include "autograd/tape.h"

namespace carousel {
namespace {

template <class T>
struct LeafNode final : Node<T> {};

template <class T>
Node<T>* make_leaf(Arena& arena, View<const T> value) {
  auto* node = new (arena.allocate_bytes(sizeof(LeafNode<T>))) LeafNode<T>;
  node->value = {const_cast<T*>(value.data), value.shape};  // operations never write to the value of an input
  return node;
}

}  // namespace

template <class T>
GradientTarget<T> Node<T>::claim_gradient() {
  if (!needs_gradient) return {nullptr, T(0)};
  if (gradient) return {gradient, T(1)};
  gradient = tape->arena().template allocate<T>(value.elements());
  return {gradient, T(0)};
}

template <class T>
BasicVariable<T>::BasicVariable(Node<T>* node)
    : node_(node), tape_(node->tape), generation_(node->tape->generation()) {}

template <class T>
Node<T>* BasicVariable<T>::node() const {
  if (!node_) fail(Code::kUsage, "this variable is empty: nothing was computed into it");
  if (tape_->generation() != generation_) fail(Code::kUsage, "this variable ended with the tape's reset()");
  return node_;
}

template <class T>
Tape<T>& BasicVariable<T>::tape() const {
  return *node()->tape;
}

template <class T>
View<const T> BasicVariable<T>::value() const {
  return node()->value;
}

template <class T>
const Shape& BasicVariable<T>::shape() const {
  return node()->value.shape;
}

template <class T>
View<const T> BasicVariable<T>::gradient() const {
  if (!node()->gradient) fail(Code::kUsage, "no gradient reached this variable: it is not an input of the loss");
  return {node_->gradient, node_->value.shape};
}

template <class T>
T BasicVariable<T>::item() const {
  if (node()->value.elements() != 1) {
    fail(Code::kUsage, "item(): the variable has shape {}, expected one element", shape().to_string());
  }
  return node_->value.data[0];
}

void backward(const Variable& loss) { loss.tape().backward(loss); }

template <class T>
BasicVariable<T> Tape<T>::constant(View<const T> value) {
  Node<T>* node = make_leaf<T>(arena_, value);
  append(node, false);
  return BasicVariable<T>(node);
}

template <class T>
BasicVariable<T> Tape<T>::input(View<const T> value) {
  Node<T>* node = make_leaf<T>(arena_, value);
  append(node, true);
  return BasicVariable<T>(node);
}

template <class T>
BasicVariable<T> Tape<T>::parameter(BasicParameter<T>& parameter) {
  Node<T>* node = make_leaf<T>(arena_, parameter.value.view());
  append(node, true);
  if (node->needs_gradient) {
    parameter.make_gradient();
    node->gradient = parameter.gradient.data();  // claimed from the start: always added to
  }
  return BasicVariable<T>(node);
}

template <class T>
void Tape<T>::append(Node<T>* node, bool needs_gradient) noexcept {
  node->tape = this;
  node->needs_gradient = needs_gradient && recording_;
  node->previous = last_;
  last_ = node;
}

template <class T>
void Tape<T>::backward(BasicVariable<T> loss) {
  if (!loss || loss.value().elements() != 1) fail(Code::kUsage, "backward() needs a loss with exactly one element");
  Node<T>* node = loss.node();
  if (spent_) fail(Code::kUsage, "backward() was called twice for one forward pass");
  if (!node->needs_gradient) fail(Code::kUsage, "backward(): the loss depends on no parameter");
  spent_ = true;
  *node->claim_gradient().data = T(1);
  for (; node; node = node->previous) {
    if (node->needs_gradient && node->reached()) node->backward();
  }
}

template <class T>
void Tape<T>::reset() noexcept {
  last_ = nullptr;
  spent_ = false;
  ++generation_;
  arena_.reset();
}

template class Tape<float>;
template class Tape<double>;
template struct Node<float>;
template struct Node<double>;
template class BasicVariable<float>;
template class BasicVariable<double>;

}  // namespace carousel
