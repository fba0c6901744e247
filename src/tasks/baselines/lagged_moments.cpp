#include "tasks/baselines/lagged_moments.h"

#include <algorithm>
#include <cmath>

#include "base/checked_size.h"
#include "base/thread_pool.h"

namespace carousel {
namespace {

// One variable of a sample: the scaled values of a column, shifted so that values[origin] belongs to that sample.
struct Variable {
  const double* values;  // of the column, [T]
  std::int64_t shift;    // row = origin + shift
  std::int64_t column;   // place among all distinct columns
};

std::vector<Variable> variables_of(const std::vector<std::vector<double>>& scaled, const LagColumns& columns,
                                   const LagWindows& windows) {
  std::vector<Variable> variables;
  const auto add = [&](std::int64_t shift, std::int64_t column) {
    variables.push_back({scaled[static_cast<std::size_t>(column)].data(), shift, column});
  };
  for (std::int64_t lag = 0; lag < windows.window; ++lag) {
    for (std::int64_t column : columns.inputs) add(lag - windows.window, column);
  }
  for (std::int64_t step = 0; step < windows.horizon; ++step) {
    for (std::int64_t column : columns.outputs) add(step, column);
  }
  return variables;
}

double sum_of_products(const Variable& a, const Variable& b, std::int64_t first, std::int64_t last) {
  const double* x = a.values + a.shift;
  const double* y = b.values + b.shift;
  double even = 0, odd = 0;
  std::int64_t o = first;
  for (; o < last; o += 2) {
    even += x[o] * y[o];
    odd += x[o + 1] * y[o + 1];
  }
  return o == last ? even + odd + x[o] * y[o] : even + odd;
}

// The variable of the same column one row earlier, or -1: its product is known when this one's turn comes.
std::vector<std::int64_t> predecessors(const std::vector<Variable>& variables, std::int64_t column_count) {
  std::vector<std::int64_t> latest(static_cast<std::size_t>(column_count), -1), result;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    std::int64_t& before = latest[static_cast<std::size_t>(variables[v].column)];
    const bool follows = before >= 0 && variables[static_cast<std::size_t>(before)].shift == variables[v].shift - 1;
    result.push_back(follows ? before : -1);
    before = static_cast<std::int64_t>(v);
  }
  return result;
}

}  // namespace

Moments lagged_moments(const Series& series, const LagColumns& columns, const LagWindows& windows) {
  Moments moments;
  moments.inputs = windows.window * static_cast<std::int64_t>(columns.inputs.size());
  if (windows.last < windows.first) return moments;
  std::vector<std::vector<double>> scaled(static_cast<std::size_t>(series.column_count()));
  for (std::size_t c = 0; c < scaled.size(); ++c) {
    double last = columns.mean[c];
    for (std::int64_t t = 0; t < series.time_steps(); ++t) {
      const double value = series.at(t, static_cast<std::int64_t>(c));
      if (!std::isnan(value)) last = value;
      scaled[c].push_back((last - columns.mean[c]) / columns.deviation[c]);
    }
  }
  const std::vector<Variable> variables = variables_of(scaled, columns, windows);
  const std::vector<std::int64_t> before = predecessors(variables, series.column_count());
  const auto size = static_cast<std::int64_t>(variables.size());
  const auto variable = [&](std::int64_t v) -> const Variable& { return variables[static_cast<std::size_t>(v)]; };
  moments.count = static_cast<double>(windows.last - windows.first + 1);
  checked_size({size, size}, "moments of the linear autoregression");
  BasicTensor<double> sums(Shape{size, size});
  // The full sums, where one of the two has no predecessor; independent of each other.
  parallel_for(size, [&](std::int64_t i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      if (before[static_cast<std::size_t>(i)] >= 0 && before[static_cast<std::size_t>(j)] >= 0) continue;
      sums[i * size + j] = sum_of_products(variable(i), variable(j), windows.first, windows.last);
    }
  });
  // The others, from the sum one row earlier: (i', j') over origins first .. last is (i, j) over first-1 .. last-1.
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      const std::int64_t p = before[static_cast<std::size_t>(i)], q = before[static_cast<std::size_t>(j)];
      if (p >= 0 && q >= 0) {
        const double entering =
            variable(i).values[windows.last + variable(i).shift] * variable(j).values[windows.last + variable(j).shift];
        const double leaving = variable(p).values[windows.first + variable(p).shift] *
                               variable(q).values[windows.first + variable(q).shift];
        sums[i * size + j] = sums[std::max(p, q) * size + std::min(p, q)] + entering - leaving;
      }
      sums[j * size + i] = sums[i * size + j];
    }
  }
  for (std::int64_t v = 0; v < size; ++v) {
    double sum = 0;
    for (std::int64_t o = windows.first; o <= windows.last; ++o) sum += variable(v).values[o + variable(v).shift];
    moments.mean.push_back(sum / moments.count);
  }
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j < size; ++j) {
      sums[i * size + j] -=
          moments.count * moments.mean[static_cast<std::size_t>(i)] * moments.mean[static_cast<std::size_t>(j)];
    }
  }
  moments.products = std::move(sums);
  return moments;
}

}  // namespace carousel
