// Oracle: a Stream for each sequence: the same bits, whoever else is in the pool.
#include "carousel/stream_pool.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>

#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "cells/stream_layer.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

std::vector<float> random_input(std::int64_t size, std::uint64_t step, std::uint64_t sequence) {
  std::vector<float> x(static_cast<std::size_t>(size));
  fill_normal({sequence, Purpose::kTest, step}, 0.0f, 1.0f, std::span(x));
  return x;
}

// In step t the sequences k with (t + k) % 3 != 0 are fed, every second time from the last to the first.
void expect_pool_equals_streams(Sequential& network, const std::string& dtype, std::int64_t count) {
  StreamPool pool(network, {.capacity = count, .dtype = dtype});
  std::vector<Stream> streams;
  std::vector<StreamPool::Id> ids;
  for (std::int64_t k = 0; k < count; ++k) {
    streams.emplace_back(network, StreamOptions{.dtype = dtype});
    ids.push_back(pool.open());
  }
  for (std::uint64_t t = 0; t < 6; ++t) {
    std::int64_t fed = 0;
    std::vector<std::vector<float>> expected(ids.size());
    for (std::size_t n = 0; n < ids.size(); ++n) {
      const std::size_t k = t % 2 == 0 ? n : ids.size() - 1 - n;
      if ((t + k) % 3 == 0) continue;
      const auto x = random_input(pool.input_size(), t, k);
      const auto y = streams[k].step(x);
      expected[k].assign(y.begin(), y.end());
      pool.feed(ids[k], x);
      ++fed;
    }
    EXPECT_EQ(fed, pool.step());
    for (std::size_t k = 0; k < ids.size(); ++k) {
      const std::string name = dtype + " step " + std::to_string(t) + " sequence " + std::to_string(k);
      if (!expected[k].empty()) expect_near(pool.output(ids[k]), expected[k], 0, name);
      const State got = pool.state(ids[k]), state = streams[k].state();
      ASSERT_EQ(got.values.size(), state.values.size());
      for (std::size_t v = 0; v < state.values.size(); ++v) expect_near(got.values[v], state.values[v], 0, name);
    }
  }
}

TEST(StreamPool, EveryCellInEveryFormatEqualsAStreamForEachSequence) {
  for (const Cell& cell : all_cells()) {
    for (const std::string_view dtype : kWeightFormats) {
      Sequential network{Recurrent{{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 21, .layers = 2}}};
      for (const std::int64_t count : {1, 5, 11}) expect_pool_equals_streams(network, std::string(dtype), count);
    }
  }
}

TEST(StreamPool, EveryKindOfLayerEqualsAStreamForEachSequence) {
  for (const std::string_view dtype : kWeightFormats) {
    std::vector<Sequential> branches;
    branches.push_back(Sequential{
        Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 19, .proj_size = 6, .layers = 2}}, Dropout{0.5},
        LayerNorm{6}, Linear{6, 7}, Activation{"sigmoid"}, Pool{"last"}, Linear{7, 3, false}, Activation{"relu"}});
    branches.push_back(Sequential{Flatten{4}, Linear{8, 3}, Activation{"tanh"}});
    Sequential network{Scale{Tensor({2}, std::vector<float>{2, 3}), Tensor({2}, std::vector<float>{1, -1})},
                       Sum{std::move(branches)}, Linear{3, 2}};
    expect_pool_equals_streams(network, std::string(dtype), 7);
  }
}

// One layer whose input is as wide as its output, and above it some whose input is; states that are learned.
TEST(StreamPool, JoinedLayersEqualAStreamForEachSequence) {
  for (const std::string_view dtype : kWeightFormats) {
    for (const char* connection : {"residual", "highway"}) {
      for (const std::int64_t input_size : {3, 19}) {
        RecurrentOptions options{.cell = "lstm", .input_size = input_size, .hidden_size = 19, .layers = 3};
        options.connection = connection;
        options.learned_initial_state = true;
        options.tied = input_size == 19;
        Sequential network{Recurrent{options}};
        for (Parameter* parameter : network.parameters()) {
          fill_normal({7, Purpose::kTest, 3}, 0.0f, 0.3f, parameter->value.span());
        }
        for (const std::int64_t count : {1, 5, 40}) expect_pool_equals_streams(network, std::string(dtype), count);
      }
    }
  }
}

// The second branch reads what was gathered after the first has written what is given; neither fills whole lines.
TEST(StreamPool, InputsAndOutputsOfABlockStandApart) {
  std::vector<Sequential> branches;
  for (int k = 0; k < 2; ++k) branches.push_back(Sequential{Linear{3, 5}});
  Sequential network{Sum{std::move(branches)}};
  network.initialize(2);
  for (const std::int64_t count : {1, 5, 9}) expect_pool_equals_streams(network, "f32", count);
}

TEST(StreamPool, TheNumberOfThreadsChangesNoBit) {
  Sequential network{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 9}}, Linear{9, 2}};
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    expect_pool_equals_streams(network, "f32", 100);
  }
  set_threads(0);
}

// Oracle: the same pool on the calling thread alone. Long enough that blocks do run at the same time: 100 steps of 8.
TEST(StreamPool, BlocksThatRunAtTheSameTimeShareNothing) {
  set_threads(2);
  Sequential network{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 64}}, Linear{64, 2}};
  StreamPool together(network, {.capacity = 256}), alone(network, {.capacity = 256, .parallel = false});
  std::vector<StreamPool::Id> ids(256);
  for (StreamPool::Id& id : ids) {
    id = together.open();
    ASSERT_EQ(id, alone.open());
  }
  for (std::uint64_t t = 0; t < 100; ++t) {
    for (std::size_t k = 0; k < ids.size(); ++k) {
      const auto x = random_input(3, t, k);
      together.feed(ids[k], x);
      alone.feed(ids[k], x);
    }
    together.step();
    alone.step();
    for (const StreamPool::Id id : ids) expect_near(together.output(id), alone.output(id), 0, std::to_string(t));
    if (HasFailure()) break;
  }
  set_threads(0);
}

// Oracle: y = x, but for numbers below 1.18e-38, which are zero inside; and the caller's arithmetic, where they are
// not.
TEST(StreamPool, DenormalsAreZeroInsideAndNotOutside) {
  Linear same(1, 1);
  same.weight.value[0] = 1;
  Sequential network{std::move(same)};
  const float tiny[] = {1e-39f}, small[] = {1.5e-38f};
  const volatile float outside = 1e-39f;
  std::fenv_t before;
  std::fegetenv(&before);
  for (const bool parallel : {true, false}) {
    StreamPool pool(network, {.capacity = 64, .parallel = parallel});
    std::vector<StreamPool::Id> ids(64);
    for (std::size_t k = 0; k < 64; ++k) pool.feed(ids[k] = pool.open(), k % 2 == 0 ? tiny : small);
    std::fesetenv(FE_DFL_ENV);
    EXPECT_EQ(64, pool.step());
    if (!parallel) {
      EXPECT_TRUE(outside > 0);
    }
    for (std::size_t k = 0; k < 64; ++k) {
      const float y = pool.output(ids[k])[0];
      EXPECT_TRUE(k % 2 == 0 ? y == 0 : y == small[0]) << y;
    }
  }
  std::fesetenv(&before);
}

TEST(StreamPool, ASequenceThatIsNotFedIsNotTouched) {
  Sequential network{Flatten{2}, Linear{2, 1}};
  StreamPool pool(network, {.capacity = 2});
  const auto a = pool.open(), b = pool.open();
  const float x[] = {1.0f}, bad[] = {NAN};
  pool.feed(a, x);
  EXPECT_EQ(1, pool.step());
  const State before = pool.state(a);
  const float y = pool.output(a)[0];
  pool.feed(b, bad);
  EXPECT_EQ(1, pool.step());
  EXPECT_EQ(0, pool.step());
  EXPECT_EQ(y, pool.output(a)[0]);
  expect_near(pool.state(a).values[0], before.values[0], 0, "state");
  EXPECT_TRUE(std::isnan(pool.output(b)[0]));
}

TEST(StreamPool, AStateMovesBetweenPoolAndStreamAndASlotIsFreshWhenItIsGivenAgain) {
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 1, .hidden_size = 5}}, Linear{5, 1}};
  Stream stream(network), fresh(network);
  StreamPool pool(network, {.capacity = 1});
  const float x[] = {0.7f};
  stream.step(x);
  auto id = pool.open();
  pool.set_state(id, stream.state());
  pool.feed(id, x);
  pool.step();
  EXPECT_EQ(stream.step(x)[0], pool.output(id)[0]);
  const float first = fresh.step(x)[0];
  pool.feed(id, x);  // dropped by reset
  pool.reset(id);
  EXPECT_EQ(0, pool.step());
  expect_error(Code::kUsage, {"no output yet"}, [&] { pool.output(id); });
  pool.feed(id, x);
  pool.step();
  EXPECT_EQ(first, pool.output(id)[0]);
  pool.feed(id, x);  // dropped by close
  pool.close(id);
  id = pool.open();
  EXPECT_EQ(0, pool.step());
  pool.feed(id, x);
  pool.step();
  EXPECT_EQ(first, pool.output(id)[0]);
}

TEST(StreamPool, WhatIsWrongIsNamed) {
  Sequential network{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 3}}};
  expect_error(Code::kUsage, {"capacity", "0"}, [&] { StreamPool(network, {.capacity = 0}); });
  expect_error(Code::kUsage, {"f16"}, [&] { StreamPool(network, {.dtype = "f16"}); });
  Sequential words{Sequential{Embedding{9, 2}}, Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 3}}};
  expect_error(Code::kUsage, {"no token ids", "use a Stream"}, [&] { StreamPool{words}; });
  StreamPool pool(network, {.capacity = 2});
  const float x[] = {1.0f, 2.0f};
  const auto a = pool.open(), b = pool.open();
  EXPECT_EQ(2, pool.size());
  expect_error(Code::kUsage, {"full", "2"}, [&] { pool.open(); });
  expect_error(Code::kUsage, {"1 numbers", "input_size 2"}, [&] { pool.feed(a, {x, 1}); });
  expect_error(Code::kUsage, {"no output yet"}, [&] { pool.output(a); });
  pool.feed(a, x);
  expect_error(Code::kUsage, {"waits already", "step()"}, [&] { pool.feed(a, x); });
  State wrong = pool.state(b);
  wrong.values.pop_back();
  expect_error(Code::kUsage, {"state tensor 0"}, [&] { pool.set_state(b, wrong); });
  pool.close(a);
  EXPECT_EQ(1, pool.size());
  const auto again = pool.open();
  EXPECT_NE(a, again);
  for (const StreamPool::Id stale : {a, StreamPool::Id{0}, b + 7}) {
    const std::string id = std::to_string(stale);
    expect_error(Code::kUsage, {id}, [&] { pool.close(stale); });
    expect_error(Code::kUsage, {id}, [&] { pool.reset(stale); });
    expect_error(Code::kUsage, {id}, [&] { pool.feed(stale, x); });
    expect_error(Code::kUsage, {id}, [&] { pool.output(stale); });
    expect_error(Code::kUsage, {id}, [&] { pool.state(stale); });
  }
}

TEST(StreamPool, OnlyMakingItAllocates) {
  Sequential network{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 5, .proj_size = 3}}, Linear{3, 1}};
  StreamPool pool(network, {.capacity = 50, .dtype = "int8", .parallel = false});
  std::vector<StreamPool::Id> ids(50);
  const float x[] = {1.0f, 2.0f};
  AllocationCounter counter;
  for (int t = 0; t < 20; ++t) {
    for (auto& id : ids) {
      id = pool.open();
      pool.feed(id, x);
    }
    pool.step();
    for (const auto id : ids) pool.close(id);
  }
  EXPECT_EQ(0, counter.count());
}

}  // namespace
}  // namespace carousel
