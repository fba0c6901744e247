#include "tasks/forecast/forecast_stateful.h"

#include <algorithm>
#include <numeric>

#include "autograd/ops/add_first_columns.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/module.h"
#include "tasks/forecast/forecast_training.h"
#include "tasks/gate_probe.h"

namespace carousel {

StatefulForecaster::StatefulForecaster(Sequential& network) {
  auto& branches = dynamic_cast<Sum&>(forecast_core(network)).branches();
  recurrent_ = &branches.front();
  linear_ = &branches.back();
  bool runs_row_by_row = false;
  for (const auto& [name, module] : recurrent_->modules()) {
    if (const auto* recurrent = dynamic_cast<const Recurrent*>(module.get())) {
      runs_row_by_row = !recurrent->options().bidirectional;
    }
    if (const auto* pool = dynamic_cast<const Pool*>(module.get())) {
      if (std::get<std::string>(pool->describe().settings.at("kind")) != "last") runs_row_by_row = false;
      continue;
    }
    every_step_.layers.push_back(module.get());
  }
  if (!runs_row_by_row) {
    fail(Code::kUsage,
         "--stateful and --strategy recursive need a recurrent network that reads forwards: a --cell, no "
         "--bidirectional, no --clusters, --pool last");
  }
}

Variable StatefulForecaster::linear(Tape<float>& tape, SequenceLayout& layout, const Tensor& windows) const {
  detail::PassInput input;
  input.values = &windows;
  return detail::run_pass(*linear_, tape, layout, input, false, {});
}

void gather_rows(std::span<const Series> scaled, std::span<const HistoryRows> list, std::int64_t steps, Tensor& inputs,
                 std::vector<std::int32_t>& lengths) {
  const std::int64_t N = std::ssize(list), C = scaled.front().column_count();
  if (!(inputs.shape() == Shape{steps, N, C})) inputs = Tensor({steps, N, C});
  inputs.fill(0);
  lengths.assign(list.size(), 0);
  for (std::int64_t n = 0; n < N; ++n) {
    const HistoryRows& rows = list[static_cast<std::size_t>(n)];
    const Series& series = scaled[static_cast<std::size_t>(rows.series)];
    const std::int64_t count = std::clamp<std::int64_t>(rows.end - rows.first, 0, steps);
    lengths[static_cast<std::size_t>(n)] = static_cast<std::int32_t>(count);
    for (std::int64_t t = 0; t < count; ++t) {
      for (std::int64_t c = 0; c < C; ++c) {
        inputs[(t * N + n) * C + c] = static_cast<float>(last_known(series, rows.first + t, c));
      }
    }
  }
}

namespace {

constexpr std::int64_t kRowsAtOnce = 16384;  // of prediction: series x steps

// The forecasts wanted of one series, by origin.
struct Wanted {
  std::int64_t series = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> origins;  // origin, row of the result; rising
};

std::vector<Wanted> by_series(std::span<const WindowAt> windows, std::int64_t series) {
  std::vector<Wanted> all(static_cast<std::size_t>(series));
  for (std::size_t n = 0; n < windows.size(); ++n) {
    all[static_cast<std::size_t>(windows[n].series)].origins.emplace_back(windows[n].origin,
                                                                          static_cast<std::int64_t>(n));
  }
  for (std::size_t s = 0; s < all.size(); ++s) {
    all[s].series = static_cast<std::int64_t>(s);
    std::sort(all[s].origins.begin(), all[s].origins.end());
  }
  std::erase_if(all, [](const Wanted& one) { return one.origins.empty(); });
  return all;
}

// Runs the recurrent branch over rows of some series, piece by piece, the state going on from piece to piece.
class RowReader {
 public:
  RowReader(StatefulForecaster& parts, std::span<const Series> scaled) : parts_(parts), scaled_(scaled) {
    tape_.set_recording(false);
  }

  // Reads the rows of `list`, which all begin with the same one, from `initial` on (null: zero), and calls
  // take(first row, steps, outputs [steps, N, O]) for each piece. The state after them; without a value if no rows.
  template <class Take>
  State read(std::span<const HistoryRows> list, const State* initial, Take take) {
    std::int64_t longest = 0;
    for (const HistoryRows& rows : list) longest = std::max(longest, rows.end - rows.first);
    const std::int64_t steps =
        std::min(longest, std::max<std::int64_t>(1, kRowsAtOnce / std::max<std::int64_t>(1, std::ssize(list))));
    State states[2];
    std::vector<HistoryRows> piece(list.begin(), list.end());
    std::int64_t count = 0;
    for (std::int64_t begin = 0; begin < longest; begin += steps, ++count) {
      gather_rows(scaled_, piece, steps, inputs_, lengths_);
      tape_.reset();
      detail::PassInput input;
      input.values = &inputs_;
      input.lengths = lengths_;
      input.initial = count == 0 ? initial : &states[count % 2];
      input.final = &states[(count + 1) % 2];
      const Variable y = detail::run_pass(parts_.every_step(), tape_, layout_, input, false, {});
      take(piece.front().first, steps, y.value());
      for (HistoryRows& rows : piece) rows.first += steps;
    }
    return std::move(states[count % 2]);
  }

 private:
  StatefulForecaster& parts_;
  std::span<const Series> scaled_;
  Tape<float> tape_;
  SequenceLayout layout_;
  Tensor inputs_;
  std::vector<std::int32_t> lengths_;
};

// Adds what the recurrent branch gives at each wanted origin to its place in `all`. All series of the list are read
// from the row `carried` says (null: from the first), which is that of one series only.
void add_recurrent(RowReader& reader, std::span<const Wanted> list, const CarriedState* carried, Tensor& all) {
  const std::int64_t N = std::ssize(list), O = all.shape()[1];
  std::vector<HistoryRows> rows;
  for (const Wanted& one : list) rows.push_back({one.series, carried ? carried->rows : 0, one.origins.back().first});
  reader.read(rows, carried && carried->rows > 0 ? &carried->state : nullptr,
              [&](std::int64_t begin, std::int64_t steps, View<const float> y) {
                for (std::int64_t n = 0; n < N; ++n) {
                  for (const auto& [origin, place] : list[static_cast<std::size_t>(n)].origins) {
                    const std::int64_t step = origin - 1 - begin;
                    if (step < 0 || step >= steps) continue;
                    for (std::int64_t o = 0; o < O; ++o) all[place * O + o] += y.data[(step * N + n) * O + o];
                  }
                }
              });
}

}  // namespace

Tensor predict_statefully(Sequential& network, std::span<const Series> scaled, std::span<const WindowAt> windows,
                          const ForecastInfo& info, std::span<const CarriedState> carried) {
  StatefulForecaster parts(network);
  Tensor all({std::ssize(windows), network_outputs(info)});
  constexpr std::int64_t kWindows = 256, kSeries = 64;
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  Tensor inputs;
  for (std::int64_t first = 0; first < std::ssize(windows); first += kWindows) {
    const auto here =
        windows.subspan(static_cast<std::size_t>(first),
                        static_cast<std::size_t>(std::min<std::int64_t>(kWindows, std::ssize(windows) - first)));
    gather_inputs(scaled, here, info.window, inputs);
    tape.reset();
    const Variable y = parts.linear(tape, layout, inputs);
    const std::int64_t outputs = y.shape()[1];
    for (std::int64_t n = 0; n < y.shape()[0]; ++n) {
      std::copy_n(y.value().data + n * outputs, outputs, all.data() + (first + n) * all.shape()[1]);
    }
  }
  const std::vector<Wanted> wanted = by_series(windows, std::ssize(scaled));
  RowReader reader(parts, scaled);
  const std::size_t together = carried.empty() ? kSeries : 1;
  for (std::size_t first = 0; first < wanted.size(); first += together) {
    const CarriedState* from = carried.empty() ? nullptr : &carried[static_cast<std::size_t>(wanted[first].series)];
    add_recurrent(reader, std::span(wanted).subspan(first, std::min(together, wanted.size() - first)), from, all);
  }
  return all;
}

std::vector<CarriedState> carry_states(Sequential& network, std::span<const Series> scaled,
                                       std::vector<CarriedState> carried) {
  StatefulForecaster parts(network);
  RowReader reader(parts, scaled);
  const bool fresh = carried.empty();
  carried.resize(scaled.size());
  for (std::size_t k = 0; k < scaled.size(); ++k) {
    const HistoryRows rows{static_cast<std::int64_t>(k), carried[k].rows, scaled[k].known_steps() - 1};
    if (rows.end <= rows.first) continue;
    const State* initial = fresh ? nullptr : &carried[k].state;
    carried[k] = {reader.read(std::span(&rows, 1), initial, [](auto...) {}), rows.end};
  }
  return carried;
}

std::vector<Stretch> training_stretches(const ForecastData& data, const ForecastInfo& info, std::int64_t batch_size) {
  std::int64_t total = 0;
  for (const SeriesSplit& split : data.splits) total += training_origins(split.train, info.shape()).count;
  const std::int64_t most = std::max<std::int64_t>(1, (total + batch_size - 1) / batch_size);  // origins of a stretch
  std::vector<Stretch> stretches;
  for (std::size_t s = 0; s < data.splits.size(); ++s) {
    const Origins origins = training_origins(data.splits[s].train, info.shape());
    const std::int64_t pieces = (origins.count + most - 1) / most;
    for (std::int64_t k = 0; k < pieces; ++k) {
      const std::int64_t from = origins.count * k / pieces, to = origins.count * (k + 1) / pieces;
      // The forecast at an origin follows from the row before it.
      stretches.push_back({static_cast<std::int64_t>(s), origins[from] - info.window, origins[from], origins[to - 1]});
    }
  }
  return stretches;
}

StatefulForecastProblem::StatefulForecastProblem(Sequential& network, const ForecastData& data,
                                                 const ForecastInfo& info, const TrainOptions& options)
    : TaskProblem(network),
      parts_(network),
      data_(data),
      info_(info),
      options_(options),
      head_(make_forecast_head(info)),
      targets_(info.target_positions()),
      validation_(data.windows_in(&SeriesSplit::valid, info.shape())),
      noise_(options.input_noise, static_cast<std::uint64_t>(options.seed), noise_scales(info)) {}

std::int64_t StatefulForecastProblem::batches_in_epoch(std::int64_t epoch) {
  std::vector<Stretch> all = training_stretches(data_, info_, options_.batch_size);
  std::vector<std::int64_t> order(all.size());
  fill_permutation({static_cast<std::uint64_t>(options_.seed), Purpose::kShuffle, static_cast<std::uint64_t>(epoch)},
                   order);
  stretches_.clear();
  for (const std::int64_t place : order) stretches_.push_back(all[static_cast<std::size_t>(place)]);
  pieces_.clear();
  const std::int64_t size = options_.batch_size;
  for (std::int64_t group = 0; group * size < std::ssize(stretches_); ++group) {
    std::int64_t longest = 0;
    for (std::int64_t k = group * size; k < std::min(std::ssize(stretches_), (group + 1) * size); ++k) {
      const Stretch& one = stretches_[static_cast<std::size_t>(k)];
      longest = std::max(longest, one.end - one.begin);
    }
    // The first piece has all rows that only fill the memory, so that every piece has something to learn.
    std::int64_t begin = 0;
    for (std::int64_t steps = first_piece_steps(); begin < longest; steps = options_.bptt) {
      pieces_.push_back({group, begin, steps});
      begin += steps;
    }
  }
  return std::ssize(pieces_);
}

void StatefulForecastProblem::gather_piece(const Piece& piece) {
  std::vector<HistoryRows> rows;
  const std::int64_t first = piece.group * options_.batch_size;
  const std::int64_t end = std::min(std::ssize(stretches_), first + options_.batch_size);
  for (std::int64_t k = first; k < end; ++k) {
    const Stretch& one = stretches_[static_cast<std::size_t>(k)];
    rows.push_back({one.series, one.begin + piece.begin, one.end});
  }
  gather_rows(data_.scaled, rows, piece.steps, inputs_, lengths_);
}

void StatefulForecastProblem::prepare(std::int64_t epoch, std::int64_t batch) {
  const Piece& piece = pieces_[static_cast<std::size_t>(batch)];
  gather_piece(piece);
  if (noise_) {  // for the recurrent branch only: the linear one was fitted without
    std::vector<std::int64_t> samples(lengths_.size());
    std::iota(samples.begin(), samples.end(), batch * options_.batch_size);
    noise_.add(epoch, samples, lengths_, inputs_);
  }
  const std::int64_t N = std::ssize(lengths_), first = piece.group * options_.batch_size;
  const SequenceLayout layout(piece.steps, lengths_);
  windows_.clear();
  rows_.clear();
  for (std::int64_t row = 0; row < layout.rows(); ++row) {
    const std::int64_t at = layout.padded_rows()[static_cast<std::size_t>(row)], n = at % N, t = at / N;
    const Stretch& one = stretches_[static_cast<std::size_t>(first + n)];
    const std::int64_t origin = one.begin + piece.begin + t + 1;
    if (origin < one.first) continue;
    windows_.push_back({one.series, origin});
    rows_.push_back(row);
  }
  gather_windows(data_.scaled, windows_, info_.shape(), targets_, batch_);
  gather_expected(data_, windows_, info_, batch_.targets, expected_);
}

Variable StatefulForecastProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t batch) {
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  detail::PassInput input;
  input.values = &inputs_;
  input.lengths = lengths_;
  input.packed = true;
  const bool fresh = pieces_[static_cast<std::size_t>(batch)].begin == 0;
  input.initial = fresh ? nullptr : &states_[batch % 2];
  input.final = &states_[(batch + 1) % 2];
  input.bptt = options_.bptt;
  input.checkpoint_steps = checkpoint_steps;
  const Variable rows = detail::run_pass(parts_.every_step(), tape, layout_, input, true, key);
  const Variable recurrent = select_rows(rows, std::span<const std::int64_t>(rows_));
  const Variable forecast = add_first_columns(recurrent, parts_.linear(tape, linear_layout_, batch_.inputs));
  return forecast_loss(options_, head_.get(), forecast, expected_);
}

std::optional<Validation> StatefulForecastProblem::validate() {
  return validation_loss(network_, data_, validation_, info_, options_);
}

std::vector<std::pair<std::string, double>> StatefulForecastProblem::gate_saturation(Tape<float>& tape) {
  const std::vector<Stretch> all = training_stretches(data_, info_, options_.batch_size);
  const std::int64_t count = probe_size(std::ssize(all), options_.batch_size);
  std::vector<HistoryRows> rows;
  for (std::int64_t k = 0; k < count; ++k) {
    const Stretch& one = all[static_cast<std::size_t>(k * std::ssize(all) / count)];
    rows.push_back({one.series, one.begin, one.end});
  }
  gather_rows(data_.scaled, rows, first_piece_steps(), inputs_, lengths_);
  detail::PassInput input;
  input.values = &inputs_;
  input.lengths = lengths_;
  return probe_gates(parts_.recurrent_branch(), tape, layout_, input, checkpoint_steps);
}

Carried StatefulForecastProblem::carried(std::int64_t batch) const { return {passes_, states_[batch % 2].values}; }

void StatefulForecastProblem::carry(std::int64_t batch, Carried carried) {
  passes_ = carried.passes;
  states_[batch % 2].values = std::move(carried.tensors);
}

MemoryNeeds StatefulForecastProblem::memory_needs() {
  MemoryNeeds needs{parts_.recurrent_branch().describe(), {}, {}, 0};
  std::erase_if(needs.network.branches[0], [](const NamedLayer& layer) { return layer.layer.type == "pool"; });
  PassSizes sizes{.time_steps = first_piece_steps(), .features = std::ssize(info_.columns)};
  sizes.samples =
      std::min<std::int64_t>(options_.batch_size, std::ssize(training_stretches(data_, info_, options_.batch_size)));
  sizes.rows = sizes.samples * sizes.time_steps;
  sizes.packed = true;
  needs.training = needs.validation = sizes;
  for (const Series& series : data_.series) needs.data_bytes += 16 * std::ssize(series.values);  // as read and scaled
  return needs;
}

}  // namespace carousel
