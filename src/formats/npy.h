// npy.h: reading and writing NumPy's .npy files, also compressed (.npy.gz).
//
// Read: format versions 1.0 and 2.0, row-major, little-endian, element types f4, f8, i4, i8, u1 and bool, at most five
// axes. Written: version 1.0. Source: the "NPY format" page of NumPy's manual (numpy.lib.format). A file that cannot be
// used throws Error{kData} that names the path, what was expected and what was got; memory grows with the bytes that
// are there, never with what the header claims.
#pragma once

#include <string>
#include <string_view>

#include "carousel/tensor.h"

namespace carousel {

enum class NpyType { kFloat32, kFloat64, kInt32, kInt64, kUint8, kBool };

std::string_view npy_type_name(NpyType type);  // "float32", as NumPy calls it

struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  Shape shape;
};

// kExact: each element must be held by T as it is. float64 as float and floating point as int32 are refused by their
// type, int64 as int32 and wide integers as floating point by their values (the message names the element). kRound:
// floating point and integers may be rounded to a floating point T; a finite number may not become infinite.
enum class NpyConversion { kExact, kRound };

NpyHeader read_npy_header(const std::string& path);

// T is float, double or int32.
template <class T>
BasicTensor<T> read_npy(const std::string& path, NpyConversion conversion = NpyConversion::kExact);

// Atomically; compressed if the path ends in .gz.
template <class T>
void write_npy(const std::string& path, View<const T> view);

}  // namespace carousel
