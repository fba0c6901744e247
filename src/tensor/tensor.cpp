#include "carousel/tensor.h"

#include <algorithm>
#include <new>
#include <type_traits>
#include <utility>

#include "base/aligned.h"
#include "base/fail.h"

namespace carousel {

namespace {

// Not initialised; null for no elements.
template <class T>
T* allocate(const Shape& shape) {
  if (shape.elements() == 0) return nullptr;
  try {
    return AlignedAllocator<T>().allocate(static_cast<std::size_t>(shape.elements()));
  } catch (const std::bad_alloc&) {
    fail(Code::kUsage, "not enough memory for a tensor of shape {}; choose smaller sizes", shape.to_string());
  }
}

}  // namespace

template <class T>
BasicTensor<T>::BasicTensor(const Shape& shape) : shape_(shape), data_(allocate<T>(shape)) {
  if (!AlignedAllocator<T>::gives_zeros(static_cast<std::size_t>(elements()))) fill(T{});
}

template <class T>
BasicTensor<T>::BasicTensor(const Shape& shape, std::span<const T> values) : shape_(shape) {
  if (shape.elements() != static_cast<std::int64_t>(values.size())) {
    fail(Code::kUsage, "tensor: got {} values for shape {}, expected {}", values.size(), shape.to_string(),
         shape.elements());
  }
  data_ = allocate<T>(shape);
  std::copy(values.begin(), values.end(), data_);
}

template <class T>
BasicTensor<T>::BasicTensor(View<const T> view) : shape_(view.shape), data_(allocate<T>(view.shape)) {
  std::copy_n(view.data, view.elements(), data_);
}

template <class T>
BasicTensor<T>::BasicTensor(const BasicTensor& other) : BasicTensor(other.view()) {}

template <class T>
BasicTensor<T>::BasicTensor(BasicTensor&& other) noexcept
    : shape_(std::exchange(other.shape_, Shape{0})), data_(std::exchange(other.data_, nullptr)) {}

template <class T>
BasicTensor<T>& BasicTensor<T>::operator=(const BasicTensor& other) {
  if (this == &other) return *this;
  if (shape_.elements() == other.elements()) {  // keeps the memory
    shape_ = other.shape_;
    std::copy_n(other.data_, other.elements(), data_);
    return *this;
  }
  return *this = BasicTensor(other);
}

template <class T>
BasicTensor<T>& BasicTensor<T>::operator=(BasicTensor&& other) noexcept {
  std::swap(shape_, other.shape_);
  std::swap(data_, other.data_);
  return *this;
}

template <class T>
BasicTensor<T>::~BasicTensor() {
  if (data_ != nullptr) AlignedAllocator<T>().deallocate(data_, static_cast<std::size_t>(elements()));
}

template <class T>
void BasicTensor<T>::fill(T value) noexcept {
  std::fill_n(data_, elements(), value);
}

template <class T>
BasicTensor<T> BasicTensor<T>::reshaped(const Shape& shape) const {
  return BasicTensor(shape, span());
}

template <class T>
BasicTensor<T> transpose_time_and_batch(View<const T> input) {
  const Shape& shape = input.shape;
  if (shape.rank() < 2) fail(Code::kUsage, "transpose: got shape {}, expected [T, N, ...]", shape.to_string());
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  std::copy(shape.sizes().begin(), shape.sizes().end(), sizes.begin());
  std::swap(sizes[0], sizes[1]);
  BasicTensor<T> output{Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(shape.rank())))};
  if (input.elements() == 0) return output;
  const std::int64_t rows = shape[0], columns = shape[1], inner = input.elements() / (rows * columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      std::copy_n(input.data + (i * columns + j) * inner, inner, output.data() + (j * rows + i) * inner);
    }
  }
  return output;
}

template class BasicTensor<float>;
template class BasicTensor<double>;
template class BasicTensor<std::int32_t>;
template BasicTensor<float> transpose_time_and_batch(View<const float>);
template BasicTensor<double> transpose_time_and_batch(View<const double>);
template BasicTensor<std::int32_t> transpose_time_and_batch(View<const std::int32_t>);

}  // namespace carousel
