#include "bench_suites.h"

namespace carousel::cli {
namespace {

struct BenchSizes {
  std::int64_t time_steps, batch_size, input_size, hidden_size, layers;
};

void add_case(std::vector<BenchCase>& cases, const char* cell, const char* mode, const BenchSizes& s) {
  cases.push_back({.cell = cell,
                   .mode = mode,
                   .time_steps = s.time_steps,
                   .batch_size = s.batch_size,
                   .input_size = s.input_size,
                   .hidden_size = s.hidden_size,
                   .layers = s.layers});
}

// The shapes of published comparisons, then lengths from 10 to 200 beside equal lengths.
std::vector<BenchCase> train_suite() {
  std::vector<BenchCase> cases;
  for (const BenchSizes& sizes : {BenchSizes{100, 32, 128, 128, 1},
                                  {20, 20, 200, 200, 2},
                                  {35, 20, 200, 200, 2},
                                  {35, 20, 650, 650, 2},
                                  {35, 20, 1500, 1500, 2},
                                  {128, 64, 512, 512, 1},
                                  {24, 256, 15, 128, 1},
                                  {50, 64, 500, 500, 1}}) {
    add_case(cases, "lstm", "train", sizes);
    add_case(cases, "gru", "train", sizes);
  }
  add_case(cases, "rnn", "train", {100, 32, 128, 128, 1});
  add_case(cases, "rnn", "train", {50, 64, 500, 500, 1});
  add_case(cases, "lstm", "train", {200, 64, 256, 256, 1});
  add_case(cases, "lstm", "train", {200, 64, 256, 256, 1});
  cases.back().shortest = 10;
  return cases;
}

std::vector<BenchCase> infer_suite() {
  std::vector<BenchCase> cases;
  for (const BenchSizes& sizes : {BenchSizes{100, 32, 128, 128, 1}, {25, 16, 512, 512, 1}}) {
    add_case(cases, "lstm", "infer", sizes);
    add_case(cases, "gru", "infer", sizes);
  }
  for (const std::int64_t hidden_size : {128, 512}) {
    for (const std::int64_t batch_size : {1, 2, 4, 8, 16, 64}) {
      add_case(cases, "lstm", "infer", {25, batch_size, hidden_size, hidden_size, 1});
    }
  }
  return cases;
}

std::vector<BenchCase> stream_suite() {
  std::vector<BenchCase> cases;
  const auto add = [&](const char* cell, std::int64_t input_size, std::int64_t hidden_size) {
    for (const char* dtype : {"f32", "bf16", "int8"}) {
      add_case(cases, cell, "step", {1000, 1, input_size, hidden_size, 1});
      cases.back().dtype = dtype;
    }
  };
  for (const std::int64_t hidden_size : {8, 16, 32, 64}) add("lstm", 1, hidden_size);
  for (const std::int64_t hidden_size : {8, 16, 32, 64, 128, 256, 512, 1024}) add("lstm", hidden_size, hidden_size);
  for (const std::int64_t hidden_size : {32, 64, 256}) add("gru", hidden_size, hidden_size);
  return cases;
}

// The recurrent layers of Baidu Research's DeepBench (training set, the sizes that a CPU finishes in seconds).
std::vector<BenchCase> deepbench_suite() {
  std::vector<BenchCase> cases;
  for (const std::int64_t batch_size : {16, 32, 64}) add_case(cases, "lstm", "train", {150, batch_size, 256, 256, 1});
  add_case(cases, "lstm", "train", {25, 16, 512, 512, 1});
  add_case(cases, "lstm", "train", {25, 128, 512, 512, 1});
  add_case(cases, "lstm", "train", {25, 64, 1024, 1024, 1});
  add_case(cases, "lstm", "train", {50, 8, 1536, 1536, 1});
  add_case(cases, "rnn", "train", {50, 16, 1760, 1760, 1});
  add_case(cases, "gru", "train", {187, 32, 1024, 1024, 1});
  add_case(cases, "gru", "infer", {1, 32, 512, 512, 1});
  return cases;
}

}  // namespace

std::vector<BenchCase> bench_suite(const std::string& name) {
  if (name == "train") return train_suite();
  if (name == "infer") return infer_suite();
  if (name == "stream") return stream_suite();
  return deepbench_suite();
}

}  // namespace carousel::cli
