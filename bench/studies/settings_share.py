#!/usr/bin/env python3
"""What decides a comparison: the cell, or the settings that were drawn, and which of those?

usage: settings_share.py RUN_DIR      (the folder of a `carousel compare`, finished or not)

Trial k has the same settings for every cell, so that the metric of the trials that all cells have done is a table of
trials and cells. Prints how much of its variance lies between the rows (settings), between the columns (cells) and in
neither (analysis of variance without repetition), and how much of that between the rows a quadratic in log(learning
rate), or in log(hidden size), explains. Trainings that diverged have no metric: trials with one are left out.
"""
import json
import math
import pathlib
import sys


def solved(matrix, right):
    """Gaussian elimination with pivots."""
    size = len(right)
    rows = [row[:] + [value] for row, value in zip(matrix, right)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(size):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def mean(values):
    return sum(values) / len(values)


def squares(values):
    middle = mean(values)
    return sum((value - middle) ** 2 for value in values)


def explained(x, y):
    """R squared of y = a + b x + c x^2."""
    powers = [[1, v - mean(x), (v - mean(x)) ** 2] for v in x]
    matrix = [[sum(p[i] * p[j] for p in powers) for j in range(3)] for i in range(3)]
    weights = solved(matrix, [sum(p[i] * v for p, v in zip(powers, y)) for i in range(3)])
    rest = sum((v - sum(a * b for a, b in zip(weights, p))) ** 2 for p, v in zip(powers, y))
    return 1 - rest / squares(y)


def main(run_dir):
    trials = {}
    for line in (pathlib.Path(run_dir) / "trials.jsonl").read_text(encoding="utf-8").splitlines():
        trial = json.loads(line)
        trials.setdefault(trial["trial"], {})[trial["cell"]] = trial
    cells = sorted({cell for done in trials.values() for cell in done})
    whole = [done for done in trials.values()
             if len(done) == len(cells) and not any(trial["failure"] for trial in done.values())]
    if len(whole) < 4:
        sys.exit(f"{run_dir}: {len(whole)} trials that all {len(cells)} cells have done, expected at least 4")
    table = [[done[cell]["metrics"][done[cell]["metric"]] for cell in cells] for done in whole]
    total = squares([value for row in table for value in row])
    between_rows = len(cells) * squares([mean(row) for row in table])
    between_columns = len(table) * squares([mean(column) for column in zip(*table)])
    rows = [mean(row) for row in table]
    first = [done[cells[0]] for done in whole]
    print(f"{len(whole)} trials of {len(cells)} cells")
    print(f"settings {between_rows / total:.3f}  cells {between_columns / total:.3f}  "
          f"neither {max(0.0, 1 - (between_rows + between_columns) / total):.3f}")
    for key in ("lr", "hidden_size"):
        values = [math.log(trial[key]) for trial in first]
        if max(values) > min(values):
            print(f"of what lies between settings, {key} explains {explained(values, rows):.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
