#!/usr/bin/env python3
"""Races Carousel against its peers on the same shapes, weights and inputs. run.sh prepares everything and starts it."""
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import reference
from grid import GATES, SHORTEST, Case
from options import Settings, read_options
from table import HEAD, Row, figures, line, proportion
from worker_process import NotRun, Worker, peak_mb

PROGRAMS, WORK = Path("build/release/bin"), Path("build/peers/work")
WRONG = 1e-2  # an error above this is a mistake, not rounding (int8 weights: about 3e-3)
PAUSE = 0.02  # seconds between two turns, in which the threads of the last one go to sleep
Arrays = dict[str, np.ndarray]


def make_arrays(case: Case) -> Arrays:
    random = np.random.default_rng(1)
    bound, G = case.H ** -0.5, GATES[case.cell]
    arrays = {"x": random.uniform(-1, 1, (case.T, case.N, case.C))}
    for k in range(case.L):
        for name, *shape in (("weight_ih", G * case.H, case.H if k else case.C), ("weight_hh", G * case.H, case.H),
                             ("bias_ih", G * case.H), ("bias_hh", G * case.H)):
            arrays[f"{name}_l{k}"] = random.uniform(-bound, bound, shape)
    arrays = {name: values.astype(np.float32) for name, values in arrays.items()}
    if case.mode == "lengths":
        arrays["lengths"] = random.integers(SHORTEST, case.T + 1, case.N).astype(np.int32)
    return arrays


def errors(expected: Arrays, output: Path) -> tuple[float, float]:
    """Largest absolute error of y; largest error of a gradient over that gradient's largest element (0 if none).

    Throws NotRun if a result is missing or so far off that the peer computed something else."""
    largest = {"y": 0.0, "gradients": 0.0}
    for name, right in expected.items():
        path = output / f"{name}.npy"
        if not path.exists():
            raise NotRun(f"wrong result: no {name}")
        got = np.load(path).astype(np.float64)
        if got.shape != right.shape:
            raise NotRun(f"wrong result: {name} has shape {got.shape}, expected {right.shape}")
        kind, scale = ("y", 1.0) if name == "y" else ("gradients", float(np.max(np.abs(right))))
        error = float(np.max(np.abs(got - right))) / scale
        if not error <= WRONG:  # also if it is no number
            raise NotRun(f"wrong result: {name} is off by {error:.1e}")
        largest[kind] = max(largest[kind], error)
    return largest["y"], largest["gradients"]


def measure_peak(threads: int) -> float:
    """GFLOP/s of multiply-adds without memory, as `carousel bench` measures it beside a case that takes no time."""
    sizes = ["--time-steps", "1", "--batch-size", "1", "--input-size", "1", "--hidden-size", "1"]
    result = subprocess.run([str(PROGRAMS / "carousel"), "bench", "--mode", "infer", *sizes, "--threads", str(threads),
                             "--json"], check=True, capture_output=True, text=True)
    return float(json.loads(result.stdout)["peak_gflops"])


def race_case(case: Case, folder: Path, expected: Arrays, settings: Settings, threads: int) -> dict[str, object]:
    """All peers of one case: started one after another, then in turns, A B C ... C B A. Returns what --save writes."""
    rows, workers, peaks = [], {}, []
    for peer in (peer for peer in settings.peers if case.mode in peer.modes):
        row, output = Row(peer.name, note=peer.note if case.mode == "step" else ""), folder / peer.name
        rows.append(row)
        try:
            workers[peer.name] = Worker(peer, PROGRAMS, folder, output, threads)
            row.version = workers[peer.name].version
            row.error_y, row.error_gradients = errors(expected, output)
        except NotRun as reason:
            row.reason = str(reason)
    for turn in range(settings.rounds):
        peaks.append(measure_peak(threads))
        for row in rows if turn % 2 == 0 else reversed(rows):
            time.sleep(PAUSE)
            try:
                if not row.reason:
                    row.times.append(workers[row.peer].slice())
            except NotRun as reason:
                row.reason = str(reason)
    for row in rows:
        if not row.reason:
            row.peak_mb = peak_mb(workers[row.peer].process.pid)
    for worker in workers.values():
        worker.close()
    count, peak = valid_steps(case, folder), max(peaks)
    entries = [figures(case, count, row, next((r for r in rows if r.peer == "carousel"), None), peak) for row in rows]
    print(f"{case.name}, {threads} thread(s), peak {peak:.1f} GFLOP/s (rounds: {min(peaks):.1f} to {peak:.1f})\n{HEAD}")
    print("\n".join(line(entry, row.note) for entry, row in zip(entries, rows)), flush=True)
    return {"case": case.name, "threads": threads, "steps_of_samples": count, "peaks_gflops": peaks, "rows": entries}


def valid_steps(case: Case, folder: Path) -> int:
    return int(np.load(folder / "lengths.npy").sum()) if case.mode == "lengths" else case.T * case.N


def prepare_folder(case: Case, work: Path) -> tuple[Path, Arrays]:
    """The folder with the arrays of the case, and the oracle's answer to it."""
    folder = work / case.name.replace(" ", "_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    arrays = make_arrays(case)
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    return folder, reference.run(case.cell, case.L, arrays, case.mode in ("train", "lengths"))


def print_proportion(results: list[dict]) -> None:
    """How far the time with unequal lengths is from the sum of the lengths, if both cases were run."""
    for entry in results:
        mode, sizes = entry["case"].split(" ")[1:]
        same = [e for e in results if e["case"].endswith(f"train {sizes}") and e["threads"] == entry["threads"]]
        if mode == "lengths" and same:
            medians = [{row["peer"]: (row["median_us"], e["steps_of_samples"])
                        for row in e["rows"] if "median_us" in row} for e in (entry, same[0])]
            print(f"{entry['case']}, {entry['threads']} thread(s)")
            print("\n".join(proportion(*medians)))


def machine() -> dict[str, object]:
    names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return {"processor": names[0] if names else "unknown", "cores": os.cpu_count(),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def main() -> int:
    settings = read_options()
    start, results = time.monotonic(), []
    print(machine())
    for case in settings.cases:
        folder, expected = prepare_folder(case, WORK)
        for threads in settings.threads[:1] if case.mode == "step" else settings.threads:
            (folder / "case.json").write_text(json.dumps(vars(case) | {"threads": threads}))
            results.append(race_case(case, folder, expected, settings, threads))
            if settings.save:  # again after every case: what was raced stays, whatever ends the race
                settings.save.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
        shutil.rmtree(folder)
    print_proportion(results)
    print(f"{len(results)} cases in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
