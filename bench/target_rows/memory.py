"""Rows about memory: what training says beforehand beside what its process took, and a million steps in a cap."""
import array
import random
from collections.abc import Iterator
from pathlib import Path

from target_rows.program import Finished, megabytes, run, write_npy
from target_rows.row import Row, at_most

SHAPES = ((200, 64, 16, 256, 1), (35, 20, 16, 650, 2))  # T, N, C, H, L: activations weigh most, and weights
CAP = 700  # MB
MILLION = (10 ** 6, 1, 1, 32, 1)


def train(folder: Path, sizes: tuple[int, ...], samples: int, cap: str) -> Finished:
    """One epoch of a regression on sequences of noise, a third of them to validate."""
    T, N, C, H, L = sizes
    numbers = random.Random(1)
    block = array.array("f", (numbers.uniform(-1, 1) for _ in range(4096)))
    count = T * samples * C
    write_npy(folder / "x.npy", (T, samples, C), (block * (count // len(block) + 1))[:count])
    write_npy(folder / "y.npy", (samples,), block[:samples])
    return run("train", "regress", "--data", folder / "x.npy", "--labels", folder / "y.npy", "--valid-fraction", 0.34,
               "--cell", "lstm", "--hidden-size", H, "--layers", L, "--bidirectional=false", "--dropout", 0,
               "--batch-size", N, "--epochs", 1, "--max-memory", cap, "--out", folder / "memory.safetensors",
               "--run-dir", folder / "memory", "--force")


def rows(folder: Path) -> Iterator[Row]:
    for sizes in SHAPES:
        done = train(folder, sizes, 3 * sizes[1], "20GB")
        predicted = megabytes(r"max memory: ([\d.]+ [MG]B) in all", done.notes)
        yield at_most(f"lstm train {','.join(map(str, sizes))}, memory", 10, "% off what was predicted",
                      100 * abs(predicted / done.peak_mb - 1), f" ({predicted:.0f} and {done.peak_mb:.0f} MB)")
    done = train(folder, MILLION, 6, f"{CAP}MB")
    yield at_most("lstm train 1000000,1,1,32,1, `--max-memory 700MB`", CAP, "MB", done.peak_mb)
