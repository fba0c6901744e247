#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "bench_case.h"
#include "bench_suites.h"
#include "cells/cell.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "kernels/peak.h"
#include "output_file.h"
#include "version.h"

namespace carousel::cli {
namespace {

constexpr std::int64_t kLargestSize = 1 << 16;

BenchCase case_of(const CommandLine& line) {
  BenchCase c;
  c.cell = find_cell(line.text("--cell", "lstm")).name;
  c.mode = line.text("--mode", "train");
  c.time_steps = line.integer("--time-steps", 1, kLargestSize, 100);
  c.batch_size = line.integer("--batch-size", 1, kLargestSize, c.mode == "step" ? 1 : 32);
  c.input_size = line.integer("--input-size", 1, kLargestSize, 128);
  c.hidden_size = line.integer("--hidden-size", 1, kLargestSize, 128);
  c.layers = line.integer("--layers", 1, 100, 1);
  c.shortest = line.integer("--shortest", 1, kLargestSize, 0);
  c.dtype = line.text("--dtype", "f32");
  c.threads = static_cast<int>(line.integer("--threads", 1, 256, 1));
  check_bench_case(c);
  return c;
}

std::string one_case_text(const BenchCase& c, const BenchResult& r) {
  std::string text =
      fmt::format("{} {}: T = {} time steps, N = {} samples, C = {} inputs, H = {} hidden, L = {} layer(s), {}\n",
                  c.cell, c.mode, c.time_steps, c.batch_size, c.input_size, c.hidden_size, c.layers, c.dtype);
  text += fmt::format("median time   {:.1f} us for the {} steps, {:.3f} us a step\n", r.median_us, c.time_steps,
                      r.median_us / static_cast<double>(c.time_steps));
  if (c.mode == "train") text += fmt::format("update        {:.1f} us for clipping and an Adam step\n", r.update_us);
  text += fmt::format("speed         {:.2f} GFLOP/s of {:.2f} GFLOP/s measured peak on {} thread(s) ({}): {:.1f} %\n",
                      r.gflops, r.peak_gflops, c.threads, kernels::instruction_set(), 100 * r.gflops / r.peak_gflops);
  if (c.mode == "step") {
    text += fmt::format("weights       read at {:.1f} GB/s of {:.1f} GB/s measured for as many bytes: {:.1f} %\n",
                        r.read_gbs, r.peak_read_gbs, 100 * r.read_gbs / r.peak_read_gbs);
  }
  return text;
}

// One line of a suite's table; the columns are those of kHeading.
constexpr const char* kHeading =
    "cell    mode      T    N     C     H  L  dtype  threads    time us  update us  GFLOP/s  of peak     GB/s  of "
    "read\n";

std::string row_text(const BenchCase& c, const BenchResult& r) {
  const std::string steps =
      c.shortest > 0 ? fmt::format("{}-{}", c.shortest, c.time_steps) : std::to_string(c.time_steps);
  std::string text = fmt::format(
      "{:<7} {:<5} {:>5} {:>4} {:>5} {:>5} {:>2}  {:<5} {:>8} {:>10.1f} {:>10} {:>8.2f} {:>7.1f}%", c.cell, c.mode,
      steps, c.batch_size, c.input_size, c.hidden_size, c.layers, c.dtype, c.threads, r.median_us,
      c.mode == "train" ? fmt::format("{:.1f}", r.update_us) : "", r.gflops, 100 * r.gflops / r.peak_gflops);
  if (c.mode == "step") text += fmt::format(" {:>8.1f} {:>7.1f}%", r.read_gbs, 100 * r.read_gbs / r.peak_read_gbs);
  return text + "\n";
}

int run_suite(const CommandLine& line, Console& console) {
  for (const char* flag : {"--cell", "--mode", "--time-steps", "--batch-size", "--input-size", "--hidden-size",
                           "--layers", "--shortest", "--dtype"}) {
    if (line.has(flag)) fail(Code::kUsage, "{} cannot be used with --suite, which brings its own cases", flag);
  }
  const std::string save = line.text("--save");
  if (line.has("--save")) check_output_file("--save", save, line.is_on("--force"));
  std::vector<int> threads = {static_cast<int>(line.integer("--threads", 1, 256, 1))};
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::string suite = line.text("--suite");
  if (!line.has("--threads") && suite != "stream" && cores > 1) threads.push_back(cores);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  if (!console.json()) console.out(kHeading);
  for (BenchCase c : bench_suite(suite)) {
    for (const int count : threads) {
      c.threads = count;
      const BenchResult result = run_bench_case(c);
      rows.push_back(bench_json(c, result));
      console.json() ? console.out_json(rows.back()) : console.out(row_text(c, result));
      console.flush();
    }
  }
  if (!save.empty()) {
    const nlohmann::ordered_json document = {{"schema", 1},
                                             {"version", kVersion},
                                             {"suite", suite},
                                             {"instruction_set", kernels::instruction_set()},
                                             {"rows", rows}};
    write_file_atomically(save, json_output(document) + "\n");
  }
  return 0;
}

int run_bench(const CommandLine& line, Console& console) {
  if (line.has("--suite")) return run_suite(line, console);
  if (line.has("--save")) fail(Code::kUsage, "--save needs --suite, whose table it keeps");
  const BenchCase c = case_of(line);
  const BenchResult result = run_bench_case(c);
  if (console.json()) {
    console.out_json(bench_json(c, result));
  } else {
    console.out(one_case_text(c, result));
  }
  return 0;
}

std::vector<Argument> bench_arguments() {
  Argument cell{.name = "--cell", .value = "NAME", .help = "recurrent cell"};
  for (const Cell& known : all_cells()) cell.allowed.emplace_back(known.name);
  cell.allowed.emplace_back("expr:...");
  return {
      cell,
      {.name = "--mode",
       .value = "MODE",
       .help = "forward and backward, forward, or one sequence step by step",
       .allowed = {"train", "infer", "step"}},
      {.name = "--time-steps", .value = "T", .help = "length of the sequences [default 100]"},
      {.name = "--shortest",
       .value = "S",
       .help = "with --mode train: lengths spread evenly from S to T [default: all T]"},
      {.name = "--batch-size", .value = "N", .help = "samples per batch [default 32; step: 1]"},
      {.name = "--input-size", .value = "C", .help = "input size [default 128]"},
      {.name = "--hidden-size", .value = "H", .help = "hidden size [default 128]"},
      {.name = "--layers", .value = "L", .help = "number of layers [default 1]"},
      {.name = "--threads", .value = "K", .help = "threads to use [default 1; --suite: 1, then one for each core]"},
      {.name = "--dtype",
       .value = "TYPE",
       .help = "format of the weights; bf16 and int8 with --mode step",
       .allowed = {"f32", "bf16", "int8"}},
      {.name = "--suite", .value = "NAME", .help = "a whole table of cases instead of one", .allowed = kBenchSuites},
      {.name = "--save", .value = "FILE", .help = "with --suite: keep the table as JSON, for bench/compare.py"},
      {.name = "--force", .help = "replace an existing file"}};
}

}  // namespace

const Verb kBenchVerb{
    .name = "bench",
    .purpose = "Look inside",
    .usage = "[options]",
    .summary = "times a cell, a shape and a mode beside the machine's measured peak",
    .examples =
        {"bench --cell lstm --mode train", "bench --cell gru --mode step --hidden-size 64 --time-steps 1000",
         "bench --time-steps 35 --batch-size 20 --input-size 200 --hidden-size 200 --layers 2 --threads 2 --json",
         "bench --suite stream --save before.json"},
    .arguments = bench_arguments,
    .run = run_bench};

}  // namespace carousel::cli
