// plan.h: which kernels a network runs, on which instruction set, how its work is split over the threads, and where it
// has to take a slow path and why.
//
// The split is asked of the code that splits (layers/scan/scan_op.h), not repeated here.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

struct LayerPlan {
  std::string layer = {};              // its name in the network: "recurrent", "scores.0.recurrent"
  std::string kernel = {};             // what computes it
  std::string split = {};              // of the work over the threads; empty: nothing worth splitting
  std::vector<std::string> slow = {};  // what is not possible, and why; empty: the fast path
};

struct NetworkPlan {
  std::string instruction_set;  // "AVX2", "AVX3" (AVX-512), "AVX3_DL" (with VNNI), "NEON", "SCALAR"
  int threads = 1;
  std::vector<LayerPlan> layers;
  std::string no_stream;  // why it cannot run step by step (carousel::Stream); empty: it can
};

struct PlanRequest {
  std::int64_t samples = 1;   // of a batch
  bool training = false;      // or inference
  std::string dtype = "f32";  // of recurrent weights in inference: "f32", "bf16", "int8"
};

// How `network` computes such batches with the program's present number of threads.
NetworkPlan plan_network(Sequential& network, const PlanRequest& request);

// One line, for a log: "kernels: AVX2, 2 threads; recurrent: lstm ...".
std::string plan_line(const NetworkPlan& plan);
// A block of lines, for a person.
std::string plan_text(const NetworkPlan& plan);
nlohmann::ordered_json plan_json(const NetworkPlan& plan);

// Throws Error{kUsage} that names the first layer on a slow path, and why.
void require_fast_plan(const NetworkPlan& plan);

}  // namespace carousel
