"""Rows from `carousel bench`, and the start with a 10 MB model."""
import random
import statistics
from collections.abc import Iterator
from pathlib import Path

from grid import STEPS, TRAIN
from target_rows.program import run, run_json
from target_rows.row import Row, at_most, number

TURNS = 3
CELL_SHAPES = TRAIN[:2]
INT8_MICROSECONDS = {64: 0.35, 128: 1.3, 256: 4.5, 512: 45, 1024: 350}
MODEL = {"hidden-size": 780, "window": 24, "horizon": 1, "season": 1}  # an LSTM of 10 MB
STARTS = 25


def bench(cell: str, mode: str, sizes: tuple[int, ...], dtype: str = "f32") -> float:
    """Microseconds of a whole sequence; with mode "step" of one step."""
    names = ("time-steps", "batch-size", "input-size", "hidden-size", "layers")
    flags = [word for name, size in zip(names, sizes) for word in (f"--{name}", size)]
    result = run_json("bench", "--cell", cell, "--mode", mode, "--dtype", dtype, *flags)
    return result["median_us"] / (sizes[0] if mode == "step" else 1)


def cells(folder: Path) -> Iterator[Row]:
    """Every cell beside the LSTM, in turns."""
    names = [cell["name"] for cell in run_json("cells")["cells"] if cell["name"] != "lstm"]
    for sizes in CELL_SHAPES:
        ratios: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(TURNS):
            lstm = bench("lstm", "train", sizes)
            for name in names:
                ratios[name].append(bench(name, "train", sizes) / lstm)
        for name, values in ratios.items():
            yield at_most(f"{name} train {','.join(map(str, sizes))}", 1.3, "x the LSTM", statistics.median(values))


def int8(folder: Path) -> Iterator[Row]:
    for size, bound in INT8_MICROSECONDS.items():
        times: dict[str, list[float]] = {"int8": [], "f32": []}
        for _ in range(TURNS):
            for dtype, values in times.items():
                values.append(bench("lstm", "step", (STEPS, 1, size, size, 1), dtype))
        int8_time, f32_time = map(statistics.median, times.values())
        yield at_most(f"lstm step, C = H = {size}, int8", bound, "us", int8_time, f" (f32: {number(f32_time)})")


def start(folder: Path) -> Iterator[Row]:
    series, model = folder / "series.csv", folder / "start.safetensors"
    numbers = random.Random(1)
    series.write_text("value\n" + "".join(f"{numbers.random():.4f}\n" for _ in range(200)))
    flags = [word for name, value in MODEL.items() for word in (f"--{name}", value)]
    run("train", "forecast", "--data", series, "--cell", "lstm", "--layers", 1, "--epochs", 1, *flags, "--out", model,
        "--run-dir", folder / "start")
    times = [1e3 * run("predict", model, "--data", series).seconds for _ in range(STARTS)]
    yield at_most(f"start to the end of `predict`, model of {model.stat().st_size / 1e6:.1f} MB", 20, "ms",
                  statistics.median(times), f" (least of {STARTS}: {number(min(times))})")
