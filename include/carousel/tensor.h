// tensor.h: shapes, tensors that own their numbers, and views that do not.
//
// A tensor is a dense row-major array: the last axis is contiguous. Sequences are time-major, [T, N, C] (time steps,
// samples, features), because one step is then one contiguous block. Axes are counted from 0.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace carousel {

// Up to five axis sizes. A value; rank 0 is a scalar with one element.
class Shape {
 public:
  static constexpr int kMaxRank = 5;
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes);  // throws Error{kUsage}: more than 5 axes, negative, overflow
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const noexcept { return rank_; }
  std::int64_t operator[](int axis) const noexcept { return sizes_[static_cast<std::size_t>(axis)]; }
  std::int64_t back() const noexcept { return rank_ == 0 ? 1 : sizes_[static_cast<std::size_t>(rank_ - 1)]; }
  std::int64_t elements() const noexcept;                                               // product of the sizes
  std::int64_t rows() const noexcept { return back() == 0 ? 0 : elements() / back(); }  // elements() / back()
  std::span<const std::int64_t> sizes() const noexcept { return {sizes_.data(), static_cast<std::size_t>(rank_)}; }
  bool operator==(const Shape& other) const noexcept;
  std::string to_string() const;  // "[3, 2, 4]"

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

// A shape and a pointer; owns nothing. `const T` views cannot be written through.
template <class T>
struct View {
  T* data = nullptr;
  Shape shape;

  std::int64_t elements() const noexcept { return shape.elements(); }
  std::span<T> span() const noexcept { return {data, static_cast<std::size_t>(elements())}; }
  T* row(std::int64_t index) const noexcept { return data + index * shape.back(); }
  operator View<const T>() const noexcept { return {data, shape}; }
};

// Owns its elements (aligned to 64 bytes); copying copies them. Zero-filled when made from a shape alone.
template <class T>
class BasicTensor {
 public:
  BasicTensor() : BasicTensor(Shape{0}) {}
  explicit BasicTensor(const Shape& shape);
  BasicTensor(const Shape& shape, std::span<const T> values);  // throws Error{kUsage} if the counts differ
  explicit BasicTensor(View<const T> view);                    // copies
  BasicTensor(const BasicTensor& other);
  BasicTensor(BasicTensor&& other) noexcept;
  BasicTensor& operator=(const BasicTensor& other);
  BasicTensor& operator=(BasicTensor&& other) noexcept;
  ~BasicTensor();

  const Shape& shape() const noexcept { return shape_; }
  std::int64_t elements() const noexcept { return shape_.elements(); }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::span<T> span() noexcept { return {data_, static_cast<std::size_t>(elements())}; }
  std::span<const T> span() const noexcept { return {data_, static_cast<std::size_t>(elements())}; }
  View<T> view() noexcept { return {data_, shape_}; }
  View<const T> view() const noexcept { return {data_, shape_}; }
  T& operator[](std::int64_t index) noexcept { return data_[index]; }
  const T& operator[](std::int64_t index) const noexcept { return data_[index]; }
  void fill(T value) noexcept;
  BasicTensor reshaped(const Shape& shape) const;  // a copy; throws Error{kUsage} if the element counts differ

 private:
  Shape shape_;
  T* data_ = nullptr;
};

using Tensor = BasicTensor<float>;
using IdTensor = BasicTensor<std::int32_t>;  // token ids, labels

extern template class BasicTensor<float>;
extern template class BasicTensor<double>;
extern template class BasicTensor<std::int32_t>;

// [T, N, C] <-> [N, T, C]: the one way batch-first data enters and leaves.
template <class T>
BasicTensor<T> transpose_time_and_batch(View<const T> input);

}  // namespace carousel
