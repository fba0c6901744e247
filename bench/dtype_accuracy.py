#!/usr/bin/env python3
"""What bf16 and int8 weights cost a task: trains once, then `carousel evaluate --dtype f32, bf16, int8` in turns.

    bench/dtype_accuracy.py --case "forecast --data data/sunspots_monthly.csv --split 0.7,0.1,0.2" \\
        "--data data/sunspots_monthly.csv --part test" [--case "classify --data TRAIN" "--data TEST" ...]

A case is the arguments of `carousel train` and those of `carousel evaluate`. Prints, as Markdown, the first metric of
the task, what each format loses of it in percent of the value in f32 (below 0: it became better), and the seconds of
the whole command, the median of the turns. Works in the repository's folder on build/release.
"""
import argparse
import json
import os
import shlex
import statistics
import sys
import tempfile
from pathlib import Path

from target_rows.program import CAROUSEL, Failed, run

DTYPES = ("f32", "bf16", "int8")
HIGHER_IS_BETTER = ("accuracy", "macro_f1")
TURNS = 5


def loss_percent(metric: str, exact: float, value: float) -> float:
    """How much worse `value` is than `exact`, in percent of it."""
    worse = exact - value if metric in HIGHER_IS_BETTER else value - exact
    return 100 * worse / abs(exact)


def measure(train: str, evaluate: str, folder: Path) -> dict:
    """{"task", "metric", "values", "losses", "seconds"}, the last three by format. Throws Failed."""
    model = folder / "model.safetensors"
    run("train", *shlex.split(train), "--out", model, "--run-dir", folder / "run", "--force")
    values, seconds = {}, {dtype: [] for dtype in DTYPES}
    for _ in range(TURNS):
        for dtype in DTYPES:
            done = run("evaluate", model, *shlex.split(evaluate), "--dtype", dtype, "--json")
            seconds[dtype].append(done.seconds)
            metric, values[dtype] = next(iter(json.loads(done.output)["metrics"].items()))
    return {"task": train.split()[0], "metric": metric, "values": values,
            "losses": {dtype: loss_percent(metric, values["f32"], values[dtype]) for dtype in DTYPES},
            "seconds": {dtype: statistics.median(times) for dtype, times in seconds.items()}}


def line(data: str, result: dict) -> str:
    """One row of the table."""
    cells = [f"`{result['task']}`, {data}", result["metric"]]
    cells += [f"{value:.4g}" for value in result["values"].values()]
    cells += [f"{result['losses'][dtype]:.2f} %" for dtype in DTYPES[1:]]
    cells += [f"{seconds:.3f}" for seconds in result["seconds"].values()]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs=2, metavar=("TRAIN", "EVALUATE"), action="append", required=True)
    cases = [(train, evaluate) for train, evaluate in parser.parse_args().case]
    os.chdir(Path(__file__).resolve().parent.parent)
    if not CAROUSEL.exists():
        print(f"dtype_accuracy.py: there is no {CAROUSEL}; build it first", file=sys.stderr)
        return 2
    print("| task | metric | f32 | bf16 | int8 | bf16 loses | int8 loses | s, f32 | s, bf16 | s, int8 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    failed = 0
    for train, evaluate in cases:
        words = shlex.split(train)
        data = Path(words[words.index("--data") + 1]).name if "--data" in words else "?"
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(line(data, measure(train, evaluate, Path(folder))), flush=True)
            except Failed as reason:
                print(f"dtype_accuracy.py: {train}: {reason}", file=sys.stderr)
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
