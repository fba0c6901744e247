// Oracles: compiled cells whose equations an expression repeats, with the same weights, in double and in float; a step
// by hand; the suites that run on every cell; and for broken expressions, the place where they break.
#include <gtest/gtest.h>

#include <cmath>

#include "cells/cell_program.h"
#include "tests/cells/recurrent_case.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

struct Twin {
  const char *cell, *expression;
};

const Twin kTwins[] = {
    {"rnn", "expr:g0=tanh; h=g0"},
    {"rnn_relu", "expr:g0=relu; h=g0"},
    {"rnn_linear", "expr: g0 = identity; h = g0"},
    {"cifg", "expr:g0=sigmoid; g1=tanh; g2=sigmoid; c=(1-g0)*c+g0*g1; h=g2*tanh(c)"},
    {"lstm", "expr:g0=sigmoid; g1=sigmoid; g2=tanh; g3=sigmoid; c=g1*c+g0*g2; h=g3*tanh(c)"},
    {"gru", "expr:g0=sigmoid; g1=sigmoid; g2=tanh(x+g0*r); h=(1-g1)*g2+g1*h"},
};

// Outputs, final states and all gradients of a stack in both directions with lengths.
template <class T>
std::vector<BasicTensor<T>> everything(const Cell& cell) {
  RecurrentCase<T> c(cell, {.time_steps = 6,
                            .samples = 5,
                            .input_size = 7,
                            .hidden_size = 37,
                            .layers = 2,
                            .directions = 2,
                            .lengths = {6, 2, 5, 1, 6}});
  for (auto* p : c.parameters()) {
    if (!p->name.starts_with("weight")) continue;
    for (T& value : p->value.span()) value *= static_cast<T>(0.3);
  }
  Tape<T> tape;
  const auto outputs = c.all_outputs(tape);
  std::vector<BasicTensor<T>> list;
  list.emplace_back(outputs.shape(), outputs.value().span());
  tape.backward(sum(outputs));
  for (auto* p : c.parameters()) list.push_back(std::move(p->gradient));
  return list;
}

template <class T>
void expect_twins(double tolerance) {
  for (const Twin& twin : kTwins) {
    const auto got = everything<T>(find_cell(twin.expression)), expected = everything<T>(find_cell(twin.cell));
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t k = 0; k < got.size(); ++k) expect_near(got[k], expected[k], tolerance, twin.cell);
  }
}

TEST(Expression, EqualsTheCompiledCellInDouble) { expect_twins<double>(1e-12); }
TEST(Expression, EqualsTheCompiledCellInFloat) { expect_twins<float>(1e-5); }

TEST(Expression, IsACellLikeAnyOther) {
  const Cell& cell = find_cell("expr:g0=sigmoid;g1=tanh(x+(1-g0)*h*r);c=g0*c+.5*relu(g1);h=sigmoid(c)-tanh(h)");
  EXPECT_EQ(&cell, &find_cell(cell.name));
  EXPECT_EQ(cell.gate_count(), 2);
  EXPECT_EQ(cell.state_count(), 2);
  EXPECT_TRUE(cell.split_gates);
  EXPECT_EQ(cell.forget_gates, 1U);  // g0 multiplies the previous c
  EXPECT_EQ(cell.equations, cell.name.substr(5));
  EXPECT_EQ(find_cell("expr:g0=tanh;h=g0*h").forget_gates, 0U);
  EXPECT_EQ(find_cell("expr:g0=sigmoid;g1=sigmoid;c=g1;h=g0*c").forget_gates, 0U);  // c is the next one there

  double a[] = {0.4, -0.3}, q[] = {0.2, 0.7}, h = 0.6, c = -0.9, extra[2], kept[2], next[2];
  StepForward<double> s;
  s.rows = s.hidden_size = 1;
  s.program = cell.program;
  s.a = a;
  s.q = q;
  s.save = true;
  s.previous[0] = &h;
  s.previous[1] = &c;
  for (int k = 0; k < 2; ++k) {
    s.extra[k] = &extra[k];
    s.saved_previous[k] = &kept[k];
    s.next[k] = &next[k];
  }
  cell.double_steps.step(s);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double g0 = sigmoid(0.6), g1 = std::tanh(-0.3 + (1 - g0) * 0.6 * 0.7);
  const double next_c = g0 * -0.9 + 0.5 * std::max(g1, 0.0);
  EXPECT_DOUBLE_EQ(a[0], g0);
  EXPECT_DOUBLE_EQ(a[1], g1);
  EXPECT_DOUBLE_EQ(next[1], next_c);
  EXPECT_DOUBLE_EQ(next[0], sigmoid(next_c) - std::tanh(0.6));
}

TEST(Expression, ThatIsWrongIsToldWithItsPlace) {
  struct Wrong {
    const char *text, *place, *expected, *got;
  };
  const Wrong wrong[] = {
      {"", "character 1:", "h=", "the end"},
      {"g0=tanh", "character 8:", "a statement h=...", "the end"},
      {"h=h", "character 4:", "g0=...", "the end"},
      {"g1=tanh; h=g1", "character 1:", "g0=...", "'g1=tanh; h=g'"},
      {"g0=tanh; h=g0*c", "character 15:", "no statement c=", "'c'"},
      {"g0=tanh; h=g1", "character 12:", "given before", "'g1'"},
      {"g0=softmax; h=g0", "character 4:", "sigmoid, tanh, relu or identity", "'softmax; h=g'"},
      {"g0=tanh; h=(g0", "character 15:", "')'", "the end"},
      {"g0=tanh; h=g0 h", "character 15:", "';' or the end", "'h'"},
      {"g0=tanh; h=g0; h=h", "character 16:", "one statement h=...", "'h=h'"},
      {"g0=tanh; h=-g0", "character 12:", "a number", "'-g0'"},
      {"g0=tanh; h=1.2.3*g0", "character 12:", "a number", "'1.2.3*g0'"},
      {"g0=tanh(x-r); h=g0", "character 10:", "'+'", "'-r); h=g0'"},
      {"g0=tanh(x+r*h); h=g0", "character 12:", "')'", "'*h); h=g0'"},
      {"g0=tanh; h=g0\n", "character 14:", "';' or the end", "'?'"},
      {"g0=tanh;g1=tanh;g2=tanh;g3=tanh;g4=tanh;h=g0", "character 33:", "h=... or c=...", "'g4=tanh;h=g0'"},
  };
  for (const Wrong& one : wrong) {
    SCOPED_TRACE(one.text);
    expect_error(Code::kUsage, {one.place, one.expected, one.got}, [&] { find_cell("expr:" + std::string(one.text)); });
  }
  std::string sum = "expr:g0=tanh;h=g0";
  for (int k = 0; k < 70; ++k) sum += "+h";
  expect_error(Code::kUsage, {"at most 40 operations"}, [&] { find_cell(sum); });
  expect_error(Code::kUsage, {"100012 characters, expected at most 500"},
               [&] { find_cell("expr:g0=tanh;h=g0;" + std::string(99998, ' ') + ";"); });
}

}  // namespace
}  // namespace carousel
