// worker.cpp: the protocol. After the start one line {"ready": ...} or {"error": ...}; then for every line "run" one
// line
// {"median_us": ..., "runs": ...}, the median time over a slice of about 0.3 seconds; the end of the input ends it.
#include "worker.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>

#include "base/denormals.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/npy.h"

namespace carousel::peers {

Tensor RaceCase::read(const std::string& name) const { return read_npy<float>(folder + "/" + name + ".npy"); }

std::vector<std::int32_t> RaceCase::read_lengths() const {
  const IdTensor lengths = read_npy<std::int32_t>(folder + "/lengths.npy");
  return {lengths.span().begin(), lengths.span().end()};
}

namespace {

constexpr double kSliceMicroseconds = 0.3e6;
constexpr int kWarmUps = 2;

RaceCase read_case(char** arguments) {
  RaceCase c{.folder = arguments[1], .output = arguments[2], .variant = arguments[3]};
  const nlohmann::json json = parse_json(read_file(c.folder + "/case.json"));
  json.at("mode").get_to(c.mode);
  json.at("cell").get_to(c.cell);
  json.at("T").get_to(c.time_steps);
  json.at("N").get_to(c.batch_size);
  json.at("C").get_to(c.input_size);
  json.at("H").get_to(c.hidden_size);
  json.at("L").get_to(c.layers);
  json.at("threads").get_to(c.threads);
  return c;
}

void answer(const nlohmann::json& line) { std::cout << json_text(line) << std::endl; }

// Times runs until a slice is full, at least one.
nlohmann::json run_slice(const Prepared& peer) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (double total = 0; total < kSliceMicroseconds; total += times.back()) {
    const auto start = Clock::now();
    peer.run();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  const auto middle = times.begin() + std::ssize(times) / 2;
  std::nth_element(times.begin(), middle, times.end());
  return {{"median_us", *middle / static_cast<double>(peer.steps)}, {"runs", times.size()}};
}

void serve(char** arguments) {
  const RaceCase race_case = read_case(arguments);
  const Prepared peer = prepare(race_case);
  peer.run();
  for (const auto& [name, values] : peer.collect()) write_npy(race_case.output + "/" + name + ".npy", values.view());
  for (int k = 0; k < kWarmUps; ++k) peer.run();
  answer({{"ready", true}, {"version", peer.version}});
  for (std::string line; std::getline(std::cin, line);) answer(run_slice(peer));
}

}  // namespace
}  // namespace carousel::peers

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: " << argv[0] << " FOLDER OUTPUT VARIANT\n";
    return 2;
  }
  const carousel::FlushDenormals flush;
  try {
    carousel::peers::serve(argv);
  } catch (const std::exception& error) {
    carousel::peers::answer({{"error", error.what()}});
    return 1;
  }
}
