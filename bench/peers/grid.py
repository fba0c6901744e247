"""The cases of the race, their operations, and which peer runs which of them."""
from dataclasses import dataclass

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@dataclass(frozen=True)
class Case:
    """T time steps, N samples, C inputs, H hidden, L layers. With lengths T is the longest that can occur."""
    mode: str  # "train": forward and backward; "infer"; "step": batch 1, one step a call; "lengths": train, unequal
    cell: str
    T: int
    N: int
    C: int
    H: int
    L: int

    @property
    def name(self) -> str:
        return f"{self.cell} {self.mode} {self.T},{self.N},{self.C},{self.H},{self.L}"


def operations(case: Case, rows: int) -> float:
    """Of the matrix products, for `rows` steps of samples, a multiply-add as two: 2 G H (C + H) a row and layer, layers
    above the first taking H; the way back costs twice the way forward."""
    columns = case.C + case.H + (case.L - 1) * 2 * case.H
    forward = 2.0 * GATES[case.cell] * case.H * columns * rows
    return 3 * forward if case.mode in ("train", "lengths") else forward


TRAIN = [(100, 32, 128, 128, 1), (35, 20, 200, 200, 2), (20, 20, 200, 200, 2), (35, 20, 650, 650, 2),
         (35, 20, 1500, 1500, 2), (24, 256, 15, 128, 1), (128, 64, 512, 512, 1), (50, 64, 500, 500, 1)]
TRAIN_OTHER_CELLS = [TRAIN[0], TRAIN[1], TRAIN[-1]]
INFER = [(100, 32, 128, 128, 1), (25, 16, 512, 512, 1), (100, 4, 256, 256, 1)]
STEP_SIZES = [8, 16, 32, 64, 128, 256, 512]
STEPS = 100                       # steps that one timed run of mode "step" takes
LENGTHS = (200, 64, 256, 256, 1)  # lengths uniform in 10 .. 200
SHORTEST = 10

FULL = [Case("train", "lstm", *sizes) for sizes in TRAIN]
FULL += [Case("train", cell, *sizes) for cell in ("gru", "rnn") for sizes in TRAIN_OTHER_CELLS]
FULL += [Case("lengths", "lstm", *LENGTHS), Case("train", "lstm", *LENGTHS)]  # the second: all lengths equal
FULL += [Case("infer", "lstm", *sizes) for sizes in INFER]
FULL += [Case("step", cell, STEPS, 1, size, size, 1) for cell in ("lstm", "gru") for size in STEP_SIZES]

QUICK = [Case("train", "lstm", *TRAIN[0]), Case("train", "lstm", *TRAIN[1]), Case("train", "gru", *TRAIN[0]),
         Case("step", "lstm", STEPS, 1, 64, 64, 1), Case("step", "gru", STEPS, 1, 64, 64, 1)]


@dataclass(frozen=True)
class Peer:
    """A row of the table: the worker that it is, and the modes that it can run."""
    name: str
    worker: str  # a program of the build if it begins with bench_, else a file of workers/
    modes: tuple[str, ...]
    note: str = ""  # about its figures in mode "step"


ALL_MODES = ("train", "lengths", "infer", "step")
CALL = "including call"
PEERS = [
    Peer("carousel", "bench_peer_carousel", ALL_MODES),
    Peer("carousel_bf16", "bench_peer_carousel", ("step",)),
    Peer("carousel_int8", "bench_peer_carousel", ("step",)),
    Peer("onednn", "bench_peer_onednn", ("train", "infer", "step")),
    Peer("torch", "torch_worker.py", ALL_MODES, CALL),
    Peer("torch_compiled", "torch_worker.py", ("train", "infer", "step"), CALL),
    Peer("keras", "keras_worker.py", ("train", "infer", "step"), CALL),
    Peer("jax", "jax_worker.py", ("train", "infer", "step"), CALL),
    Peer("onnxruntime", "onnxruntime_worker.py", ("infer", "step"), CALL),
    Peer("openvino", "openvino_worker.py", ("infer", "step"), CALL),
]
