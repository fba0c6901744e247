// sequence_to_sequence.h: an encoder that reads a window, and a decoder that runs over the steps behind it.
//
//   m = encoder(x)                                         x [T, N, C]   m [T, N, E]
//   s = bridge(m)                                          the states that the layers of the decoder start with
//   z_h = [x_(T - H + h) of the known columns ; (h + 1) / H]     h = 0 .. H - 1
//   r = decoder(z, s), looking at m                        r [H, N, W K]
//   y[n, w, h, k] = r[h, n, w K + k]                       y [N, W H K]
//
// An encoder-decoder (Sutskever et al. 2014, with attention Bahdanau et al. 2014) without feedback: what it gives for
// one step is not fed to the next, so that all steps come out of one pass, whatever they mean (as in the quantile
// forecaster of Wen et al. 2017). What is known of step h of the decoder stands in the known columns of the window, H
// rows earlier.
#pragma once

#include <vector>

#include "carousel/layers.h"

namespace carousel {

struct SequenceToSequenceOptions {
  std::int64_t steps = 1;                         // H
  std::int64_t first_known = 0, known_count = 0;  // the known columns of x; no more than T steps if there are some
  std::int64_t blocks = 1;                        // W, which divides the width of the decoder's rows
};

// Its parts are its layers, under their names. Every sequence starts anew; a state can neither be handed in nor asked
// for. As an alignment (AttentionPass) the weights of a decoder with attention are [H, N, T].
class SequenceToSequence : public Sequential {
 public:
  // `parts`: Sequentials named "encoder" [T, N, C] -> [T, N, E], "bridge" [T, N, E] -> [N, widths of all states of the
  // decoder] and "decoder" [H, N, known_count + 1] -> [H, N, W K]. Throws Error{kUsage} for other parts or options out
  // of range; a pass does if the sizes do not fit.
  SequenceToSequence(Sequential parts, const SequenceToSequenceOptions& options);
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override { run(flow, encoder()); }
  // The same with another module in the place of the encoder.
  void run(detail::Flow& flow, Module& encoder);

  const SequenceToSequenceOptions& options() const noexcept { return options_; }
  Sequential& encoder() const { return part(0); }
  Sequential& bridge() const { return part(1); }
  Sequential& decoder() const { return part(2); }

 private:
  Sequential& part(std::size_t place) const { return static_cast<Sequential&>(*modules()[place].second); }
  Variable decoder_inputs(const Variable& x, std::int64_t time_steps, std::int64_t samples) const;
  Variable by_blocks(const Variable& rows, std::int64_t samples) const;

  SequenceToSequenceOptions options_;
};

// All states of a network side by side, [N, sum of the widths], as Flow::initial_variables takes them: [N, width] each.
// Throws Error{kUsage} for another width.
std::vector<Variable> split_states(const Variable& states, const Sequential& network);

}  // namespace carousel
