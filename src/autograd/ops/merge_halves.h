// merge_halves.h: the left and the right half of every row made one: the two directions of a recurrent layer.
//
//   x [..., 2 P], its halves a and b      y [..., P]
//
//   sum       y = a + b            da = db = dy
//   mean      y = (a + b) / 2      da = db = dy / 2
//   product   y = a b              da = dy b      db = dy a
//   concat    y = x, which stays [..., 2 P]
//
// Throws Error{kUsage} if the rows have no halves.
#pragma once

#include "carousel/autograd.h"

namespace carousel {

enum class Merge { kConcat, kSum, kMean, kProduct };

template <class T>
BasicVariable<T> merge_halves(BasicVariable<T> x, Merge merge);

}  // namespace carousel
