"""The peer "keras": Keras 3 on TensorFlow, as one tf.function. Sequences are batch-first, as Keras has them."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402: reads the environment when it is imported
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from common import Arrays, Case, Prepared, serve  # noqa: E402

# The layer, and PyTorch's number of each of its gates (i f c o; z r h).
LAYERS = {"lstm": (keras.layers.LSTM, [0, 1, 2, 3]), "gru": (keras.layers.GRU, [1, 0, 2]),
          "rnn": (keras.layers.SimpleRNN, [0])}
VERSION = f"{keras.__version__}, tensorflow {tf.__version__}"


def reorder(values: np.ndarray, gates: list[int]) -> np.ndarray:
    """[G H, ...] between PyTorch's order of gates and that of Keras: the same exchange both ways."""
    return np.concatenate([np.split(values, len(gates))[gate] for gate in gates])


def layers(case: Case) -> list[keras.layers.Layer]:
    kind, gates = LAYERS[case.cell]
    stack = []
    for k in range(case.L):
        layer = kind(case.H, return_sequences=True)
        layer.build((case.N, case.T, case.H if k else case.C))
        weights = [reorder(case.arrays[f"weight_{of}_l{k}"], gates).T for of in ("ih", "hh")]
        biases = [reorder(case.arrays[f"bias_{of}_l{k}"], gates) for of in ("ih", "hh")]
        layer.set_weights([*weights, np.stack(biases) if case.cell == "gru" else biases[0] + biases[1]])
        stack.append(layer)
    return stack


def gradient_arrays(case: Case, gradients: list[tf.Tensor]) -> Arrays:
    """Three gradients a layer (kernel, recurrent kernel, bias) under PyTorch's names."""
    gates, result = LAYERS[case.cell][1], {}
    for k in range(case.L):
        of_x, of_h, bias = (gradient.numpy() for gradient in gradients[3 * k:3 * k + 3])
        biases = bias if case.cell == "gru" else (bias, bias)
        result |= {f"dweight_ih_l{k}": reorder(of_x.T, gates), f"dweight_hh_l{k}": reorder(of_h.T, gates),
                   f"dbias_ih_l{k}": reorder(biases[0], gates), f"dbias_hh_l{k}": reorder(biases[1], gates)}
    return result


def training(case: Case, stack: list[keras.layers.Layer], x: tf.Tensor) -> Prepared:
    variables = [variable.value for layer in stack for variable in layer.trainable_variables]

    @tf.function
    def step(x: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for layer in stack:
                y = layer(y, training=True)
        return y, tape.gradient(y, [x, *variables])  # of the sum: a gradient of ones

    done: list = [None]

    def run() -> None:
        done[0] = step(x)

    def collect() -> Arrays:
        y, (dx, *gradients) = done[0]
        return ({"y": y.numpy().swapaxes(0, 1), "dx": dx.numpy().swapaxes(0, 1)}
                | gradient_arrays(case, [tf.convert_to_tensor(gradient) for gradient in gradients]))

    return Prepared(VERSION, run, collect)


def inference(case: Case, stack: list[keras.layers.Layer], x: tf.Tensor) -> Prepared:
    """A batch in one call; "step": one call of the cells a step, the state goes from call to call."""
    if case.mode == "infer":
        @tf.function
        def call(x: tf.Tensor) -> tf.Tensor:
            for layer in stack:
                x = layer(x)
            return x

        result = [x]

        def run() -> None:
            result[0] = call(x).numpy()

        return Prepared(VERSION, run, lambda: {"y": result[0].swapaxes(0, 1)})

    @tf.function
    def step(x: tf.Tensor, states: list) -> tuple[tf.Tensor, list]:
        ahead = []
        for layer, state in zip(stack, states):
            x, next_state = layer.cell(x, state)
            ahead.append(next_state)
        return x, ahead

    steps = [x[:, t] for t in range(case.T)]
    zero = tf.zeros((case.N, case.H))
    carried = [[[zero, zero] if case.cell == "lstm" else [zero]] * case.L]
    outputs: list = list(steps)

    def run_steps() -> None:
        for t, x_t in enumerate(steps):
            outputs[t], carried[0] = step(x_t, carried[0])
            outputs[t] = outputs[t].numpy()

    return Prepared(VERSION, run_steps, lambda: {"y": np.stack(outputs)}, case.T)


def prepare(case: Case) -> Prepared:
    tf.config.threading.set_intra_op_parallelism_threads(case.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    x = tf.constant(case.arrays["x"].swapaxes(0, 1))
    return (training if case.mode == "train" else inference)(case, layers(case), x)


if __name__ == "__main__":
    serve(prepare)
