"""The peer "jax": lax.scan, jitted; W x of all steps stands before the loop. XLA has no recurrent layer for CPUs."""
import jax
import jax.numpy as jnp
import numpy as np
from common import Arrays, Case, Prepared, serve

Weights = dict[str, jax.Array]


def cell_step(cell: str, a: jax.Array, q: jax.Array, state: tuple) -> tuple:
    """From a = W x + b_ih and q = R h + b_hh [N, G H] to the next state."""
    if cell == "rnn":
        return (jnp.tanh(a + q),)
    if cell == "lstm":
        i, f, g, o = jnp.split(a + q, 4, axis=1)
        c = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c
    (a_r, a_z, a_n), (q_r, q_z, q_n) = jnp.split(a, 3, axis=1), jnp.split(q, 3, axis=1)
    z = jax.nn.sigmoid(a_z + q_z)
    return ((1 - z) * jnp.tanh(a_n + jax.nn.sigmoid(a_r + q_r) * q_n) + z * state[0],)


def forward(case: Case, weights: Weights, x: jax.Array, states: list[tuple]) -> tuple[jax.Array, list[tuple]]:
    final = []
    for k in range(case.L):
        def step(state: tuple, a: jax.Array, k: int = k) -> tuple[tuple, jax.Array]:
            q = state[0] @ weights[f"weight_hh_l{k}"].T + weights[f"bias_hh_l{k}"]
            state = cell_step(case.cell, a, q, state)
            return state, state[0]

        state, x = jax.lax.scan(step, states[k], x @ weights[f"weight_ih_l{k}"].T + weights[f"bias_ih_l{k}"])
        final.append(state)
    return x, final


def prepare(case: Case) -> Prepared:
    x = jnp.asarray(case.arrays["x"])
    weights = {name: jnp.asarray(values) for name, values in case.arrays.items() if name.startswith(("weight", "bias"))}
    zero = jnp.zeros((case.N, case.H))
    states = [(zero, zero) if case.cell == "lstm" else (zero,)] * case.L
    if case.mode == "train":
        def loss(x: jax.Array, weights: Weights) -> tuple[jax.Array, jax.Array]:
            y = forward(case, weights, x, states)[0]
            return y.sum(), y

        step = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))
        done: list = [None]

        def run() -> None:
            done[0] = jax.block_until_ready(step(x, weights))

        def collect() -> Arrays:
            (_, y), (dx, gradients) = done[0]
            return {"y": y, "dx": dx} | {f"d{name}": values for name, values in gradients.items()}

        return Prepared(jax.__version__, run, collect)
    # Weights are constants of the graph, as in the runtimes for inference.
    call = jax.jit(lambda x, states: forward(case, weights, x, states))
    if case.mode == "infer":
        outputs = [x]

        def infer() -> None:
            outputs[0] = jax.block_until_ready(call(x, states)[0])

        return Prepared(jax.__version__, infer, lambda: {"y": outputs[0]})
    steps = [x[t:t + 1] for t in range(case.T)]
    outputs, carried = list(steps), [states]

    def run_steps() -> None:
        for t, step in enumerate(steps):
            outputs[t], carried[0] = call(step, carried[0])
            outputs[t].block_until_ready()

    return Prepared(jax.__version__, run_steps, lambda: {"y": np.concatenate(outputs)}, case.T)


if __name__ == "__main__":
    serve(prepare)
