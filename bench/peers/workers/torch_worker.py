"""The peers "torch" (eager) and "torch_compiled" (torch.compile)."""
import numpy as np
import torch
from common import Arrays, Case, Prepared, serve

MODULES = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def layers(case: Case) -> torch.nn.Module:
    module = MODULES[case.cell](case.C, case.H, case.L)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(case.arrays[name]))
    return module


def training(case: Case, module: torch.nn.Module) -> Prepared:
    """Forward and backward with respect to x and the weights, from a gradient of 1 for every valid output."""
    x = torch.from_numpy(case.arrays["x"]).requires_grad_()
    ones = torch.ones(case.T, case.N, case.H)
    lengths = torch.from_numpy(case.arrays["lengths"]).long() if case.mode == "lengths" else None
    wanted = [x, *module.parameters()]
    done: list[object] = [None, None]

    def run() -> None:
        if lengths is None:
            y, _ = module(x)
            done[:] = y, torch.autograd.grad(y, wanted, ones)
        else:
            packed, _ = module(torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False))
            done[:] = packed, torch.autograd.grad(packed.data.sum(), wanted)

    def collect() -> Arrays:
        y, gradients = done
        if lengths is not None:
            y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=case.T)
        names = ["x", *(name.split(".")[-1] for name, _ in module.named_parameters())]  # compiled: a prefix
        return {"y": y.detach().numpy()} | {f"d{name}": values.numpy() for name, values in zip(names, gradients)}

    return Prepared(torch.__version__, run, collect)


def inference(case: Case, module: torch.nn.Module) -> Prepared:
    """A batch in one call; "step": one call a step, the state goes from call to call."""
    x = torch.from_numpy(case.arrays["x"])
    if case.mode == "infer":
        outputs = [x]

        def run() -> None:
            with torch.inference_mode():
                outputs[0], _ = module(x)

        return Prepared(torch.__version__, run, lambda: {"y": outputs[0].numpy()})

    steps = [x[t:t + 1].clone() for t in range(case.T)]
    zero = torch.zeros(case.L, 1, case.H)
    state = [(zero, zero.clone()) if case.cell == "lstm" else zero]
    outputs = list(steps)

    def run_steps() -> None:
        with torch.inference_mode():
            for t, step in enumerate(steps):
                outputs[t], state[0] = module(step, state[0])

    return Prepared(torch.__version__, run_steps, lambda: {"y": np.concatenate([y.numpy() for y in outputs])}, case.T)


def prepare(case: Case) -> Prepared:
    torch.set_num_threads(case.threads)
    torch.set_flush_denormal(True)
    module = layers(case)
    if case.variant == "torch_compiled":
        module = torch.compile(module)
    return (training if case.mode in ("train", "lengths") else inference)(case, module)


if __name__ == "__main__":
    serve(prepare)
