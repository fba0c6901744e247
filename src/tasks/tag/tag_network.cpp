#include "tasks/tag/tag_network.h"

#include <algorithm>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/pool_ops.h"

namespace carousel {

void TagBatch::assign(const TagData& data, std::span<const std::int64_t> samples) {
  words = pad_ids(data.words, samples);
  unseen = &data.unseen;
  shapes = pad_ids(data.shapes, samples);
  pairs = pad_ids(data.pairs, samples);
  forms.clear();
  if (data.spellings.empty()) return;
  const std::int64_t T = words.ids.shape()[0], N = words.ids.shape()[1];
  forms.assign(static_cast<std::size_t>(T * N), 0);
  std::vector<std::int64_t> columns(data.spellings.size(), -1), distinct;
  for (std::int64_t n = 0; n < N; ++n) {
    const auto& of = data.forms[static_cast<std::size_t>(samples[static_cast<std::size_t>(n)])];
    for (std::int64_t t = 0; t < std::ssize(of); ++t) {
      const std::int32_t form = of[static_cast<std::size_t>(t)];
      std::int64_t& column = columns[static_cast<std::size_t>(form)];
      if (column < 0) {
        column = std::ssize(distinct);
        distinct.push_back(form);
      }
      forms[static_cast<std::size_t>(t * N + n)] = column;
    }
  }
  spellings = pad_ids(data.spellings, distinct);
}

Sequential* tagger_part(const Sequential& network, std::string_view name) {
  for (const auto& [own, module] : network.modules()) {
    if (own == name) return dynamic_cast<Sequential*>(module.get());
  }
  return nullptr;
}

Crf* tagger_crf(const Sequential& network) {
  const Sequential* slots = tagger_part(network, "slots");
  return slots && slots->size() > 0 ? dynamic_cast<Crf*>(slots->modules().back().second.get()) : nullptr;
}

Sequential& required_tagger_part(const Sequential& network, std::string_view name) {
  Sequential* part = tagger_part(network, name);
  if (!part) fail(Code::kModel, "the network of the tagger has no part '{}'", name);
  return *part;
}

namespace {

// x of the `size` neighbouring steps of each step side by side, zeros beyond the ends.
Variable join_window(Variable x, const SequenceLayout& layout, std::int64_t size) {
  if (size == 1) return x;
  std::vector<Variable> parts;
  std::vector<std::int64_t> index(static_cast<std::size_t>(layout.rows()));
  for (std::int64_t shift = -(size / 2); shift <= size / 2; ++shift) {
    for (std::int64_t t = 0; t < layout.longest(); ++t) {
      for (std::int64_t k = 0; k < layout.batch_size(t); ++k) {
        const std::int64_t from = t + shift;
        index[static_cast<std::size_t>(layout.offset(t) + k)] =
            from < 0 || from >= layout.length(k) ? -1 : layout.offset(from) + k;
      }
    }
    parts.push_back(select_rows(x, std::span<const std::int64_t>(index)));
  }
  return concatenate_columns(std::span<const Variable>(parts));
}

// Every part draws dropout masks of its own.
RandomKey part_key(const TagPass& pass, std::uint64_t part) {
  RandomKey key = pass.dropout_key;
  key.seed += part << 48;
  return key;
}

// Of each token, packed: what goes into the body.
Variable token_rows(Sequential& network, Tape<float>& tape, detail::Layouts& layouts, const TagBatch& batch,
                    const TagPass& pass, SequenceLayout& layout) {
  const auto run = [&](std::string_view name, const PaddedIds& ids, SequenceLayout& of, std::uint64_t part) {
    const detail::PassInput input{
        .ids = &ids.ids, .lengths = ids.lengths, .unseen = name == "words" ? batch.unseen : nullptr, .packed = true};
    return detail::run_pass(required_tagger_part(network, name), tape, of, input, pass.training, part_key(pass, part));
  };
  std::vector<Variable> tokens{run("words", batch.words, layout, 0),
                               run("shapes", batch.shapes, layouts.next(tape), 1)};
  if (tagger_part(network, "pairs")) tokens.push_back(run("pairs", batch.pairs, layouts.next(tape), 6));
  if (!batch.forms.empty()) {
    const Variable spellings = run("characters", batch.spellings, layouts.next(tape), 2);
    std::vector<std::int64_t> index;
    for (const std::int64_t place : layout.padded_rows()) index.push_back(batch.forms[static_cast<std::size_t>(place)]);
    tokens.push_back(select_rows(spellings, std::span<const std::int64_t>(index)));
  }
  return join_window(concatenate_columns(std::span<const Variable>(tokens)), layout, pass.word_window);
}

}  // namespace

TagScores run_tagger(Sequential& network, Tape<float>& tape, detail::Layouts& layouts, const TagBatch& batch,
                     const TagPass& pass) {
  SequenceLayout& layout = layouts.next(tape);
  detail::Flow flow;
  flow.tape = &tape;
  flow.layout = &layout;
  flow.training = pass.training;
  flow.bptt = pass.bptt;
  flow.checkpoint_steps = pass.checkpoint_steps;
  flow.dropout_key = part_key(pass, 3);
  flow.x = token_rows(network, tape, layouts, batch, pass, layout);
  required_tagger_part(network, "body").forward(flow);

  TagScores scores{.layout = &layout};
  detail::Flow slots = flow;
  slots.dropout_key = part_key(pass, 4);
  required_tagger_part(network, "slots").forward(slots);
  scores.tags = slots.x;
  if (Sequential* intent = tagger_part(network, "intent")) {
    flow.dropout_key = part_key(pass, 5);
    intent->forward(flow);
    scores.intents = flow.x;
  }
  return scores;
}

Tensor token_inputs(Sequential& network, const TagData& data, std::span<const std::int64_t> samples,
                    std::int64_t word_window) {
  Tape<float> tape;
  tape.set_recording(false);
  detail::Layouts layouts;
  TagBatch batch;
  batch.assign(data, samples);
  SequenceLayout& layout = layouts.next(tape);
  return Tensor(
      unpack(token_rows(network, tape, layouts, batch, {.word_window = word_window}, layout), layout).value());
}

Sequential tagger_chain(const Sequential& network) {
  Sequential chain;
  std::vector<Parameter*> weights;
  for (const char* name : {"body", "slots"}) {
    const Sequential& part = required_tagger_part(network, name);
    for (const auto& [own, module] : part.modules()) {
      chain.add(fmt::format("{}.{}", name, own), build_module(module->describe()));
      for (Parameter* weight : module->parameters()) weights.push_back(weight);
    }
  }
  const std::vector<Parameter*> copies = chain.parameters();
  for (std::size_t k = 0; k < weights.size(); ++k) copies[k]->value = weights[k]->value;
  return chain;
}

}  // namespace carousel
