// task.h: what every task can do. A task is where data, model and metric meet; the command line knows only this header.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tasks/options.h"
#include "train/observer.h"

namespace carousel {

class Model;

// Metric names are those of the interface: accuracy, macro_f1, mae, mse, rmse, mase, smape, nll ...; in order of
// importance.
using Metrics = std::vector<std::pair<std::string, double>>;

// The value of the metric of this name; null if there is none.
const double* find_metric(const Metrics& metrics, std::string_view name);

// Of forecasts, by steps ahead: [horizon]; empty for other tasks.
struct HorizonErrors {
  std::vector<double> rmse, mae;
};

struct Baseline {
  std::string name;  // "last_value", "seasonal", "linear_autoregression", "majority", "tfidf_logistic", "mean",
                     // "frequency", "linear", "unigram", "trigram"
  Metrics metrics;
  HorizonErrors by_horizon{};
  // Of forecasts: the probability of a difference from the model at least as large as this one in the first metric,
  // were there none (see significance.h); nothing where it cannot be tested.
  std::optional<double> p{};
};

// How a language model takes a token of a text.
struct ScoredToken {
  std::string token;
  std::int32_t id = 0;
  double log_probability = 0;  // natural logarithm
};

// How well the spans of one type are found.
struct TypeScore {
  std::string type;
  double precision = 0, recall = 0, f1 = 0;
  std::int64_t support = 0;  // true spans of the type
};

struct EvaluateResult {
  std::string task;
  std::int64_t samples = 0;
  Metrics metrics;
  std::vector<Baseline> baselines;
  std::vector<ScoredToken> tokens;  // of a language model, with options.data.surprise
  HorizonErrors by_horizon;
  std::vector<std::string> notes;  // further findings, a sentence each
  std::vector<TypeScore> by_type;  // of a tagger whose spans have types, sorted by them
};

struct TrainResult : EvaluateResult {  // of the validation part
  std::string model;                   // path of the model file
  std::string run_dir;
  std::int64_t epochs = 0, steps = 0, parameters = 0;
  double seconds = 0, batch_seconds = 0, samples_per_second = 0;  // batch_seconds: of seconds, to make batches
  Options options;  // as given, every "auto" replaced by what the task picked
};

// One result per input row, in input order: column names once, then the cells of each row.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // What the user should hear of the data, before the rows.
  virtual void note(const std::string& message) { static_cast<void>(message); }
  virtual void header(const std::vector<std::string>& columns) = 0;
  virtual void row(const std::vector<std::string>& cells) = 0;
  // The same with cells that hold more than a line of a table can: values[k], if not empty, is the JSON that stands for
  // cells[k] where the output is JSON.
  virtual void row(const std::vector<std::string>& cells, const std::vector<std::string>& values) {
    static_cast<void>(values);
    row(cells);
  }
};

// What `data check` prints.
struct DataReport {
  std::vector<std::pair<std::string, std::string>> facts;  // "rows" -> "9600", "label balance" -> ...
  std::vector<std::string> problems;                       // each with file and line
};

class Task {
 public:
  virtual ~Task() = default;
  virtual std::string_view name() const = 0;
  // Trains, writes options.out atomically and the run folder; reports progress to the observer.
  virtual TrainResult train(const Options& options, Observer& observer) const = 0;
  virtual EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const = 0;
  virtual void predict(const Model& model, const Options& options, RowSink& sink) const = 0;
  virtual DataReport check(const Options& options) const = 0;
};

// The task of this name. Throws Error{kUsage} that lists the known ones and the nearest.
const Task& find_task(std::string_view name);
const std::vector<const Task*>& all_tasks();

}  // namespace carousel
