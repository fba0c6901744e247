"""What the Python peers share: the case, its arrays, the protocol. worker.cpp is the same in C++."""
import ctypes
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))
import grid

SLICE_SECONDS = 0.3
WARM_UPS = 2
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case(grid.Case):
    """A case of the grid with its arrays: x [T, N, C], lengths [N], weights with PyTorch's names and gate order."""
    threads: int
    variant: str
    arrays: Arrays


@dataclass
class Prepared:
    version: str
    run: Callable[[], object]     # what is timed
    collect: Callable[[], Arrays]  # what the first run computed: "y", "dx", "dweight_ih_l0" ... in PyTorch's layout
    steps: int = 1                # the time that is reported is that of one run over this


def read_case(folder: Path, variant: str) -> Case:
    settings = json.loads((folder / "case.json").read_text())
    return Case(**settings, variant=variant, arrays={path.stem: np.load(path) for path in folder.glob("*.npy")})


def flush_denormals() -> None:
    """Sets FTZ and DAZ of this thread; threads that it starts inherit them. Does nothing off x86-64."""
    libm = ctypes.CDLL("libm.so.6")
    environment = (ctypes.c_uint32 * 8)()  # fenv_t of glibc on x86-64: MXCSR is its last word
    if os.uname().machine == "x86_64" and libm.fegetenv(environment) == 0:
        environment[7] |= 0x8040
        libm.fesetenv(environment)


def run_slice(peer: Prepared) -> dict[str, float]:
    times: list[float] = []
    while not times or sum(times) < SLICE_SECONDS:
        start = time.perf_counter()
        peer.run()
        times.append(time.perf_counter() - start)
    return {"median_us": statistics.median(times) * 1e6 / peer.steps, "runs": len(times)}


def serve(prepare: Callable[[Case], Prepared]) -> None:
    """The whole worker: PROGRAM FOLDER OUTPUT VARIANT. Libraries may print: it goes to the standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(line: dict[str, object]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    folder, output, variant = sys.argv[1:]
    flush_denormals()
    try:
        peer = prepare(read_case(Path(folder), variant))
        peer.run()
        for name, values in peer.collect().items():
            np.save(Path(output) / f"{name}.npy", np.asarray(values, dtype=np.float32))
        for _ in range(WARM_UPS):
            peer.run()
    except Exception as error:  # whatever a framework throws is the reason why its row says "not run"
        answer({"error": f"{type(error).__name__}: {error}".split("\n")[0][:200]})
        raise SystemExit(1) from error
    answer({"ready": True, "version": peer.version})
    for _ in sys.stdin:
        answer(run_slice(peer))
