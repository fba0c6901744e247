"""The oracle: stacks of rnn (tanh), lstm and gru in float64, PyTorch's equations, forward and backward.

Arrays: x [T, N, C]; per layer weight_ih_lK [G H, C], weight_hh_lK [G H, H], bias_ih_lK, bias_hh_lK [G H]; gates in
PyTorch's order (i f g o; r z n). The state begins at zero. With lengths, steps behind the end of a sample give y = 0
and no gradient.
"""
import numpy as np

Arrays = dict[str, np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def step(cell: str, a: np.ndarray, q: np.ndarray, state: tuple, H: int) -> tuple[tuple, tuple]:
    """One step from a = W x + b_ih, q = R h + b_hh [N, G H]: (next state, what the way back needs)."""
    if cell == "rnn":
        h = np.tanh(a + q)
        return (h,), (h,)
    if cell == "lstm":
        i, f, g, o = (part(a + q, k, H) for k in range(4))
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * state[1] + i * g
        return (o * np.tanh(c), c), (i, f, g, o, state[1], np.tanh(c))
    r, z = sigmoid(part(a + q, 0, H)), sigmoid(part(a + q, 1, H))
    n = np.tanh(part(a, 2, H) + r * part(q, 2, H))
    return ((1 - z) * n + z * state[0],), (r, z, n, part(q, 2, H), state[0])


def step_backward(cell: str, dstate: tuple, saved: tuple) -> tuple[np.ndarray, np.ndarray, tuple]:
    """From the gradient of the next state to those of a, of q, and the direct part of the previous state's."""
    if cell == "rnn":
        da = dstate[0] * (1 - saved[0] ** 2)
        return da, da, (np.zeros_like(da),)
    if cell == "lstm":
        i, f, g, o, c, tanh_c = saved
        dh = dstate[0]
        dc = dstate[1] + dh * o * (1 - tanh_c ** 2)
        da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g ** 2),
                             dh * tanh_c * o * (1 - o)], axis=1)
        return da, da, (np.zeros_like(dh), dc * f)
    r, z, n, q_n, h = saved
    dh = dstate[0]
    dn = dh * (1 - z) * (1 - n ** 2)
    gates = [dn * q_n * r * (1 - r), dh * (h - n) * z * (1 - z)]
    return np.concatenate([*gates, dn], axis=1), np.concatenate([*gates, dn * r], axis=1), (dh * z,)


def part(a: np.ndarray, k: int, H: int) -> np.ndarray:
    return a[:, k * H:(k + 1) * H]


def layer(cell: str, x: np.ndarray, weights: Arrays, valid: np.ndarray) -> tuple[np.ndarray, list]:
    """y [T, N, H] and what the way back needs of each step. valid [T, N, 1] is 1 before the end of a sample, then 0."""
    H = weights["weight_hh"].shape[1]
    zero = np.zeros((x.shape[1], H))
    state = (zero, zero) if cell == "lstm" else (zero,)
    a = x @ weights["weight_ih"].T + weights["bias_ih"]
    y, tape = [], []
    for t in range(len(x)):
        before = state[0]
        q = before @ weights["weight_hh"].T + weights["bias_hh"]
        state, saved = step(cell, a[t], q, state, H)
        tape.append((before, saved))
        y.append(state[0] * valid[t])
    return np.stack(y), tape


def layer_backward(cell: str, x: np.ndarray, weights: Arrays, tape: list, dy: np.ndarray) -> tuple[np.ndarray, Arrays]:
    """dx and the gradients of the weights. dy is 0 behind the end of a sample, so those steps send nothing back."""
    zero = np.zeros(tape[0][0].shape)
    dstate = (zero, zero) if cell == "lstm" else (zero,)
    da, dq = [None] * len(x), [None] * len(x)
    for t in reversed(range(len(x))):
        da[t], dq[t], direct = step_backward(cell, (dstate[0] + dy[t], *dstate[1:]), tape[t][1])
        dstate = (direct[0] + dq[t] @ weights["weight_hh"], *direct[1:])
    rows_a, rows_q = np.concatenate(da), np.concatenate(dq)
    h = np.concatenate([before for before, _ in tape])
    gradients = {"weight_ih": rows_a.T @ x.reshape(len(rows_a), -1), "weight_hh": rows_q.T @ h,
                 "bias_ih": rows_a.sum(axis=0), "bias_hh": rows_q.sum(axis=0)}
    return np.stack(da) @ weights["weight_ih"], gradients


def run(cell: str, layers: int, arrays: Arrays, backward: bool) -> Arrays:
    """y [T, N, H] and, with `backward`, the gradients "dx", "dweight_ih_l0" ... of the sum of all valid outputs."""
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}
    x = arrays["x"]
    lengths = arrays.get("lengths", np.full(x.shape[1], len(x)))
    valid = (np.arange(len(x))[:, None] < lengths).astype(np.float64)[:, :, None]
    weights = [{name: arrays[f"{name}_l{k}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
               for k in range(layers)]
    inputs, tapes = [x], []
    for k in range(layers):
        y, tape = layer(cell, inputs[-1], weights[k], valid)
        inputs.append(y)
        tapes.append(tape)
    results = {"y": inputs[-1]}
    if not backward:
        return results
    dy = np.broadcast_to(valid, inputs[-1].shape)
    for k in reversed(range(layers)):
        dy, gradients = layer_backward(cell, inputs[k], weights[k], tapes[k], dy)
        results |= {f"d{name}_l{k}": values for name, values in gradients.items()}
    return results | {"dx": dy}
