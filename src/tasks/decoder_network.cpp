#include "tasks/decoder_network.h"

#include <fmt/format.h>

#include "carousel/attention.h"

namespace carousel {

std::string cell_name(const ModelOptions& o) { return o.cell == "rnn" && o.activation == "relu" ? "rnn_relu" : o.cell; }

void add_decoder(Sequential& network, const ModelOptions& o, std::int64_t input_size, std::int64_t memory_size,
                 bool scaled) {
  const auto add_dropout = [&](const std::string& name) {
    if (o.dropout > 0) network.add(name, std::make_unique<Dropout>(o.dropout));
  };
  const bool additive = o.attention == "additive", has_sum = additive || o.attention == "concat";
  if (o.attention == "none") {
    network.add("recurrent", std::make_unique<Recurrent>(RecurrentOptions{
                                 .cell = cell_name(o), .input_size = input_size, .hidden_size = o.hidden_size}));
  } else {
    network.add("attention", std::make_unique<AttentionDecoder>(
                                 AttentionDecoderOptions{.cell = cell_name(o),
                                                         .input_size = input_size,
                                                         .hidden_size = o.hidden_size,
                                                         .memory_size = memory_size,
                                                         .score = o.attention,
                                                         .scaled = scaled && !has_sum,
                                                         .attention_size = has_sum ? o.hidden_size : 0,
                                                         .output_size = additive ? 0 : o.hidden_size,
                                                         .coverage = o.coverage}));
  }
  for (std::int64_t l = 1; l < o.layers; ++l) {
    add_dropout(fmt::format("dropout{}", l));
    network.add(fmt::format("recurrent{}", l),
                std::make_unique<Recurrent>(RecurrentOptions{.cell = cell_name(o),
                                                             .input_size = o.hidden_size,
                                                             .hidden_size = o.hidden_size,
                                                             .connection = "residual"}));
  }
  add_dropout("dropout");
}

Sequential join_decoder(Sequential encoder, std::int64_t memory_size, const std::string& pool, Sequential decoder) {
  std::int64_t states = 0;
  for (const Tensor& state : decoder.zero_state(1).values) states += state.elements();
  Sequential bridge, network;
  bridge.add("pool", std::make_unique<Pool>(pool));
  bridge.add("output", std::make_unique<Linear>(memory_size, states));
  bridge.add("activation", std::make_unique<Activation>("tanh"));
  network.add("encoder", std::make_unique<Sequential>(std::move(encoder)));
  network.add("bridge", std::make_unique<Sequential>(std::move(bridge)));
  network.add("decoder", std::make_unique<Sequential>(std::move(decoder)));
  return network;
}

}  // namespace carousel
