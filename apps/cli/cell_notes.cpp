#include "cell_notes.h"

namespace carousel::cli {
namespace {

constexpr std::string_view kIntroduction = R"(# Cells

This page is printed by `carousel cells --markdown`; a test compares the two. `--cell NAME` picks a cell on the command
line, `RecurrentOptions::cell` in C++. A cell of your own: [adding-a-cell.md](adding-a-cell.md).

## How to read it

C is the number of inputs, H the hidden size, P the projected size (H without projection), G the number of gates. `x`
is the input of a step, a state without a dash (`h`, `c`) its value before the step, with a dash (`h'`, `c'`) after it.
Products of two vectors are element by element.

| parameter | shape | what it is |
| --- | --- | --- |
| `weight_ih_l0` | [G H, C] | W: H rows for each gate, in the order in which the gates are listed |
| `weight_hh_l0` | [K H, P] | R: the same for the K gates with a recurrent product, which are the first K |
| `bias_ih_l0`, `bias_hh_l0` | [G H], [K H] | one beside each product; of most gates only their sum matters |
| `weight_ph_l0` | [U H] | unit weights (peepholes, gains): H numbers for each of the U listed, seen by their own unit |
| `weight_hr_l0` | [P, H] | the projection, where a cell has one (`--proj-size`) |
| `weight_highway_l0`, `bias_highway_l0` | [W, W], [W] | the gate past a layer that gives W numbers |
| `initial_h_l0`, `initial_c_l0` ... | [width] | what a sequence starts with, of each state, if that is learned |

`_l1` is the next layer, `_l0_reverse` the other direction. Names, shapes and order are PyTorch's where PyTorch has the
cell. Three things differ between cells, and each cell lists what is not usual about it:

- *inner gates*: their recurrent product takes what the other gates have made of `h` (a reset before the product);
- *input gates*: they have no recurrent product at all, `a = W x + b_ih`;
- *recurrent states*: the states that enter the recurrent product, side by side, if that is not `h` alone.

Every cell trains in any number of layers and both directions on sequences of different lengths; in one direction it
also runs step by step in f32, bf16 and int8 weights and is exported as a C++ header. The bias of a forget gate starts
at 1, that of a highway at -2, all others at 0; gains start at 1.

## What gates remember at the start

A gate that keeps the share f of a memory forgets over 1 / (1 - f) steps. A forget gate with bias 1 does so over 3.7
steps, a GRU over 2. `--chrono T` (`RecurrentOptions::chrono`; Tallec and Ollivier 2018, *Can recurrent neural networks
warp time?*) spreads that evenly over 2 to T steps: each unit draws u from U(1, T - 1), its gate that keeps gets the
bias log u and so keeps u / (1 + u), and the gate that writes gets -log u. T is about the longest distance that matters.

| cells | bias log u | bias -log u |
| --- | --- | --- |
| `lstm` and its variants with i and f, `lstm_fgr`, `depth_gated`, `min_lstm` | f | i |
| `cifg` (i), `mgu` (f), `min_gru` (z) | - | the one that writes, the rest is kept |
| `gru`, `gru_reset_before` (z), `lstm_nig`, `sru`, `slstm`, `mlstm` (f) | the one that keeps | - |
| `grid_lstm` | tf | ti |
| `expr:...` | sigmoids that multiply c | - |

The forms of a cell are like it, except that `slstm_exp` and `mlstm_exp` forget by an exponential: like `rnn`, `jordan`,
`clockwork`, `indrnn`, `lstm_1997` and `lstm_nfg` they have no such gate, and `--chrono` is refused.

## How layers are joined

With f(x) what the cell gives for x, P numbers in each direction:

| option | what a layer gives to the next one, and at last as the output |
| --- | --- |
| `--bidirectional` | the outputs of both directions, side by side: 2 P numbers |
| `--merge sum`, `mean`, `product` | of both directions the sum, the mean or the product of their outputs: P numbers |
| `--connection residual` | y = x + f(x) (He et al. 2016) |
| `--connection highway` | y = g f(x) + (1 - g) x with g = sigmoid(W x + b) (Srivastava et al. 2015) |
| `--learned-initial-state` | the same; states start from trained rows instead of zero |
| `--tied` | the same; all layers compute with the weights of layer 0 |

Directions are merged first, then comes the connection. It leads past every layer that reads as many numbers as it
gives, thus past all but perhaps the lowest one; b starts at -2, so that x mostly passes. Dropout between layers falls
on what the cell of the upper one reads, not on the way past it. Tied layers read equally much, so the lowest one must,
too: `input_size` is the width of the output, or the cell makes its input itself (`grid_lstm`).

There is a learned row for each layer, direction and state, tied or not; a state that a caller gives comes first. The
clock of `clockwork` is not learned; in `slstm` n = 0 marks a fresh sequence, so that h alone is.

States are those of the cell, before the merge and without the way past the layer. Pool `last` takes the last h of both
directions, merged; with a connection it takes the output after the last step, of the backward direction after step 0.
Merged directions have no such step: with both, choose another pool.

## Orders of the gates elsewhere

| system | LSTM | GRU | weights | biases | peepholes |
| --- | --- | --- | --- | --- | --- |
| Carousel, PyTorch | i f g o | r z n | W [G H, C], R [G H, P] | two, `b_ih` and `b_hh` | Carousel: i f o |
| Keras | i f c o | z r h | transposed: [C, G H], [H, G H] | one; `GRU(reset_after=True)`: [2, 3 H] | none |
| ONNX | i o f c | z r h | W [D, G H, C], R [D, G H, H] | [D, 2 G H]: all of W, then all of R | i o f |
| oneDNN | i f c o | u r o | ldigo: [L, D, C, G, H] | one; `lbr_gru`: four, u r o u' | i f o |
| cuDNN | i f c o | r z h | asked for one by one | two | none |

c and g are different letters for the same gate, as are h, n and o of a GRU, and z and u. ONNX's states are [D, N, H];
its `Y` is [T, D, N, H], with the directions apart. *The four* below are PyTorch, Keras, ONNX and oneDNN.)";

// In the order of cells.def.
constexpr CellNotes kNotes[] = {
    {"rnn", "Plain recurrent unit",
     R"(Elman 1990, *Finding structure in time*: the hidden layer of the step before is an input of this one.

- PyTorch: `nn.RNN`, as it is (`nonlinearity` tanh or relu).
- Keras: `SimpleRNN`: transpose both matrices, add the biases up.
- ONNX: `RNN`: `B` = `bias_ih`, then `bias_hh`; activation Tanh, Relu, Sigmoid, or Affine with `activation_alpha` 1
  written out, since ONNX Runtime takes 0 where it is missing.
- oneDNN: `vanilla_rnn` (tanh, relu, logistic), the biases added up.

Use it as the baseline, or where the memory needed is a few steps: gradients fade or grow with every step. `rnn_linear`
is for checks and for linear systems. On the command line `--cell rnn --activation relu` is `rnn_relu`.)"},
    {"jordan", "Network that stores its output",
     R"(Jordan 1986, *Serial order: a parallel distributed processing approach*: the context holds outputs, not hidden
values, and may let them fade: s' = decay s + y'. The output layer belongs to the cell: `weight_hr` [P, H] and `bias_hr`
[P] make y' = g(W_hr u + b_hr) of the hidden layer u, with g none, tanh, sigmoid or softmax
(`--output-activation`) and decay `--decay`; P is `--proj-size`, or H. What goes on to the next layer is y'. None of the
four has it. Trap: with the hidden layer stored the same weights give Elman's network, and other numbers. For outputs
that are themselves the state, as labels in slot filling.)"},
    {"lstm", "Long short-term memory",
     R"(Hochreiter and Schmidhuber 1997, *Long short-term memory*; the forget gate is from Gers, Schmidhuber and
Cummins 2000, *Learning to forget*.

- PyTorch: `nn.LSTM`, as it is, `proj_size` too.
- Keras: `LSTM`: transpose, the same order (c is g), add the biases up.
- ONNX: `LSTM`: blocks 0, 3, 1, 2 of `weight_ih`, `weight_hh` and both biases (i f g o becomes i o f c). One node
  cannot hold a projection.
- oneDNN: `lstm`: the same order, [4 H, C] becomes [C, 4, H], add the biases up; `lstm projection` takes `weight_hr`.
- TensorFlow 1 `BasicLSTMCell`: i c f o, and it adds `forget_bias` = 1 when it runs, which the file does not show.

The first choice wherever a sequence is long, and what the tasks take if no cell is given.)"},
    {"lstm_layer_norm", "LSTM with layer normalisation",
     R"(Ba, Kiros and Hinton 2016, *Layer normalization*, equations 20 to 22. Three rows of a step are normalised, for
each sample by itself: all 4 H numbers of W x, all 4 H of R h, the H of c'. That is what the authors' own code
(ryankiros/layer-norm) and Haste's `LayerNormLSTM` do, with the same 1e-5. Haste's `gamma` [2, 4 H], `gamma_h` and
`beta_h` one after another are `weight_ph`, once its gates i g f o are put in our order. The biases of the paper's first
two LN are `bias_ih` and `bias_hh`.

Traps: TensorFlow's `LayerNormBasicLSTMCell` normalises each gate by itself, after both products are added up, and
carries LN(c') on, here c' itself goes on: weights cannot be converted. A bias counts behind the normalisation only.
None of the four has it. W and R may be scaled as one likes; the first step from a zero state gets nothing from R. For
training with large steps and for deep stacks; a step costs more, see docs/performance.md.)"},
    {"lstm_variants", "LSTM: peepholes, and one part left out",
     R"(Peepholes: Gers and Schmidhuber 2000, *Recurrent nets that time and count*. The variants: Greff et al. 2017,
*LSTM: a search space odyssey*, who leave one part of `lstm_peephole` out at a time: NIG, NFG, NOG (a gate), NIAF, NOAF
(an activation), CIFG (coupled gates).

Traps:

- `weight_ph` is in the order i f o here and in oneDNN, **i o f in ONNX** (take 0, 2, 1).
- i and f see the cell state before the step, **o sees the new one**.
- The paper of 2000 has no tanh before the output: that is `lstm_noaf`. `lstm_peephole` is what Graves, Greff,
  TensorFlow and ONNX have.
- Coupled gates: here and with ONNX's `input_forget = 1` f is 1 - i (ONNX leaves the rows of f unused). TensorFlow's
  `CoupledInputForgetGateLSTMCell` has i = 1 - f: negate that gate's weights and biases.

PyTorch and Keras have none of them. ONNX `LSTM` holds `lstm_peephole`, `cifg`, `cifg_peephole`, and `lstm_niaf` and
`lstm_noaf` with Affine (`activation_alpha` 1 written out); oneDNN `lstm` holds `lstm_peephole`. An LSTM whose bias
saturates the gate that is missing comes close to `lstm_nig`, `lstm_nfg` and `lstm_nog`.

Greff et al. found that none beats the LSTM clearly, that the forget gate and the output activation matter most, and
that coupling saves a quarter of the weights at little cost: `cifg` is the one to try first. Peepholes were made for
timing: counting steps between events.)"},
    {"lstm_fgr", "LSTM with full gate recurrence",
     R"(The first version of Hochreiter and Schmidhuber 1997, FGR of Greff et al. 2017: gates see the gates of the step
before. `weight_hh` is [4 H, P + 3 H], its columns h, i, f, o side by side; the rows of g see h alone, the rest of them
is zero and stays so. None of the four has it. It has three more H H for each gate and, in Greff et al., no gain: it is
here for the comparison.)"},
    {"lstm_1997", "LSTM of 1997",
     R"(Hochreiter and Schmidhuber 1997, *Long short-term memory*, before there was a forget gate: the cell state only
adds up. The paper squashes by 4 sigmoid(v) - 2 = 2 tanh(v / 2) and by 2 sigmoid(v) - 1 = tanh(v / 2); `lstm_1997_tanh`
by tanh both times. The rows are i, g, o: no f between. None of the four has it; an LSTM of PyTorch, ONNX or oneDNN
whose bias saturates f is `lstm_1997_tanh`. Use it on short sequences with something to count; on streams without end
the state grows until it saturates, which is what the forget gate was made for.)"},
    {"gru", "Gated recurrent unit, reset after the product",
     R"(Cho et al. 2014, *Learning phrase representations using RNN encoder-decoder*, in the form that libraries made
common: the reset gate acts on R_n h + b_hn, so that all products of a step are one.

- PyTorch: `nn.GRU`, as it is. cuDNN, Marian: the same equations.
- Keras: `GRU(reset_after=True)`: swap blocks 0 and 1 (r z n becomes z r n), transpose, bias = [b_ih, b_hh] as two
  rows.
- ONNX: `GRU` with `linear_before_reset = 1`: blocks 1, 0, 2.
- oneDNN: `lbr_gru`: blocks 1, 0, 2, [C, 3, H]; four biases: b_iz + b_hz, b_ir + b_hr, b_in, b_hn.

Traps: z keeps the old state here and in all four; where a paper has it the other way round, negate the weights and
biases of z. b_hn stands inside the reset: the two biases of n must not be added up.

Three quarters of the LSTM's weights, one state; often as good, and quicker.

`gru_layer_norm` normalises all 3 H numbers of W x together, and all of R h, as Haste's `LayerNormGRU`; the code of
Ba et al. takes the two gates together and n by itself.)"},
    {"gru_reset_before", "Gated recurrent unit, reset before the product",
     R"(Cho et al. 2014, as in the paper: the product of n takes r h, so it has to wait for r.

- PyTorch: none. Its GRU is another function of the same weights: they cannot be converted into each other.
- Keras: `GRU(reset_after=False)`: swap blocks 0 and 1, transpose, add the biases up (one row, [3 H]).
- ONNX: `GRU` with `linear_before_reset = 0`, **which is ONNX's default**: blocks 1, 0, 2.
- oneDNN: `gru`: blocks 1, 0, 2, [C, 3, H], add the biases up.

Use it for models that come from there. A step has two products one after the other; `gru` has one.)"},
    {"mgu", "Minimal gated unit",
     R"(Zhou et al. 2016, *Minimal gated unit for recurrent neural networks*: a GRU whose reset and update are one
gate. None of the four has it. Trap: f is the share of the **new** value, h' = (1 - f) h + f n: a forget gate in name,
it forgets where it is 1. Two thirds of a GRU's weights; for small models.)"},
    {"clockwork", "Clockwork unit",
     R"(Koutnik et al. 2014, *A clockwork RNN*. The units are divided into as many modules as `periods` has entries, in
ascending order: unit u of H belongs to module u g / H, rounded down, for g modules. A module steps where the count of
steps is a multiple of its period and else keeps its value. It reads itself and slower modules: the other blocks of
`weight_hh` are zero and stay so. All modules step on the first step of a sequence; a stream carries the clock with its
state. The periods are settings, in no tensor of the model file. None of the four has it. For slow and fast rhythms
side by side, with periods about as long as they are. Every step computes every module, so the cell is not quicker than
`rnn`.)"},
    {"depth_gated", "Depth-gated LSTM",
     R"(Yao et al. 2015, *Depth-gated LSTM*: the cell state of the layer below, of the same step, flows in through a
gate of its own. The lowest layer has nothing below it and is an `lstm` (`lstm_peephole`): the cell needs `--layers 2`
to differ from it, and the count below is that of a layer above the lowest. Rows d of `weight_ih` and `bias_ih` are the
paper's W_xd and b_d; gate d has no recurrent product. `weight_ph` ends in the weights of d for c and for the lower c.
None of the four has it; DyNet's DGLSTM couples f = 1 - i as well, and has a gate d for x in its lowest layer. For
deep stacks, where gradients reach the lower layers through the cell states.)"},
    {"grid_lstm", "Grid LSTM in two dimensions",
     R"(Kalchbrenner, Danihelka and Graves 2015, *Grid long short-term memory*: one LSTM along time and one along
depth, each with a memory of its own. `h` and `m` go up to the next layer, `h_time` and `m_time` on to the next step. A
linear layer (`weight_in` [2 H, C], `bias_in`) makes `h` and `m` for the lowest layer. The paper's W of each dimension,
[4 H, 2 H] over (h_time, h), is `weight_hh` beside `weight_ih`: rows ti tf tg to for time, di df dg do for depth.

Traps: the paper writes h' = **tanh(o m')**, most code o tanh(m'), which is `grid_lstm_standard`. `priority`: the depth
gates see the new h_time', which takes a second product for each step. None of the four has it. For stacks of many
layers.)"},
    {"indrnn", "Independently recurrent unit",
     R"(Li et al. 2018, *Independently recurrent neural network*: one recurrent weight per unit (`weight_ph`), no
matrix R, no `bias_hh`. The recurrent weights start uniform in +-1. None of the four has it. Units mix only between
layers, so stack two or more; with relu the gradient through T steps is u to the power T, which can be kept in bounds
unit by unit.)"},
    {"sru", "Simple recurrent unit",
     R"(Lei et al. 2018, *Simple recurrent units for highly parallelizable recurrence*: no product in the loop; f and r
see the cell state through `weight_ph`. In the paper the road past the cell carries x itself where C = H; here always a
product of x, gate s, as the authors' code has for C != H. `h` is given out only: it does not enter the next step. None
of the four has it. Quick to train on long sequences; stack several layers.)"},
    {"minimal", "minGRU and minLSTM",
     R"(Feng et al. 2024, *Were RNNs all we needed?* Gates and candidate depend on x alone, so a step is a weighted sum
of h and n. `positive` has the candidate g(v) of the paper's log-space scan; `plain` leaves out that f and i share 1
between them. Trap: the initial state enters as it is; some public code takes g of it, and its stepwise and parallel
results differ. None of the four has them. For long sequences, where training time counts; they need two layers or more
to do what a GRU does in one.)"},
    {"slstm", "sLSTM",
     R"(Beck et al. 2024, *xLSTM: extended long short-term memory*: exponential input gate, a normaliser n, and m, the
largest exponent so far, which keeps all of it finite. The forget gate is a sigmoid, or exponential: `slstm_exp`.
`--heads N` makes R block-diagonal: units see those of their own head, H / N of them. Code that stores it head by head
has [heads, 4 d, d] with d = H / N; here it is [4 H, H], gate after gate, with zeros between heads. c and n are the
stabilised ones: times exp(m) they are the paper's. None of the four has it. The block around it in the paper (norms,
convolution, projections) is not part of the cell.)"},
    {"mlstm", "mLSTM",
     R"(Beck et al. 2024, *xLSTM: extended long short-term memory*: a matrix C for each head (`--heads N`, d =
H / N units) keeps v k^T of the steps; q reads it. All gates come from x, those of i and f are one number a
head, so `weight_ih` has
rows q, k, v, o (H each), i, f (one for each head), and there is no `weight_hh`. The forget gate is a sigmoid, or
exponential: `mlstm_exp`. m, the largest exponent so far, keeps all of it finite; C and n are the stabilised ones. None
of the four has it. Traps: k is divided by sqrt(d) before its bias is added; C[i][j] = v_i k_j, some code keeps the
transpose. A sequence is trained in chunks of steps as products of matrices, a stream step by step. The block around it
in the paper (norms, convolution, projections) is not part of the cell. For recall over long sequences.)"},
};

}  // namespace

std::span<const CellNotes> cell_notes() { return kNotes; }
std::string_view cells_introduction() { return kIntroduction; }

}  // namespace carousel::cli
