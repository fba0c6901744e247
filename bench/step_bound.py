#!/usr/bin/env python3
"""Fits the bound on a step of a Stream to what bench_stream_latency measured.

    for sizes in "1 8" "1 32" "1 64" "8 8" "16 16" "32 32" "64 64" "96 96" "128 128" "256 256"; do
      for dtype in f32 bf16 int8; do build/release/bin/bench_stream_latency $sizes $dtype; done
    done | bench/step_bound.py

A layer of G gates, H units, C inputs and P recurrent inputs takes, with H rounded up to whole vectors and C, P to even,

    t = t0 + a G H + max(m G H (C + P), bytes / B)

t0: the call, a: an activation, m: a multiply-add, B: the read rate that was measured for as many bytes as the weights
have, wherever they lie. Prints t0, a and m of each format, none below 0, by least squares of the relative error of p50
(less the clock's cost) over the rows whose weights fit in half of a second cache of 512 KiB; then every row beside its
formula. Of a size that was measured several times the fastest counts: other programs only make it slower.
"""
import itertools
import json
import sys

GATES = 4  # bench_stream_latency runs an LSTM
LANES = {"SCALAR": 1, "NEON": 4, "SSE2": 4, "AVX2": 8, "AVX3": 16, "AVX3_DL": 16}
BYTES = {"f32": 4, "bf16": 2, "int8": 1}
NEAR = 256 * 1024


def rounded_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def sizes(row: dict) -> tuple[int, int, int]:
    """Activations, multiply-adds and bytes of weights of a step."""
    activations = GATES * rounded_up(row["H"], LANES[row["instruction_set"]])
    products = activations * (rounded_up(row["C"], 2) + rounded_up(row["H"], 2))
    return activations, products, products * BYTES[row["dtype"]]


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """x with matrix x = right, by elimination; the matrix is symmetric and positive."""
    rows = [line + [value] for line, value in zip(matrix, right)]
    for k, pivot in enumerate(rows):
        for other in rows[k + 1:]:
            factor = other[k] / pivot[k]
            other[:] = [b - factor * a for a, b in zip(pivot, other)]
    x = [0.0] * len(rows)
    for k in reversed(range(len(rows))):
        x[k] = (rows[k][-1] - sum(rows[k][j] * x[j] for j in range(k + 1, len(rows)))) / rows[k][k]
    return x


def fitted(rows: list[dict]) -> list[float]:
    """t0, a and m in nanoseconds: the best of those with no coefficient below 0, some of which may be 0."""
    terms = [[term / row["step_ns"] for term in (1, *sizes(row)[:2])] for row in rows if sizes(row)[2] <= NEAR]
    best, least = [0.0, 0.0, 0.0], float("inf")
    for used in itertools.chain.from_iterable(itertools.combinations(range(3), count) for count in (1, 2, 3)):
        matrix = [[sum(line[i] * line[j] for line in terms) for j in used] for i in used]
        values = dict(zip(used, solved(matrix, [sum(line[i] for line in terms) for i in used])))
        error = sum((sum(values[i] * line[i] for i in used) - 1) ** 2 for line in terms)
        if min(values.values()) >= 0 and error < least:
            best, least = [values.get(i, 0.0) for i in range(3)], error
    return best


def main() -> int:
    if len(sys.argv) > 1:
        print(__doc__)
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    try:
        fastest = {}
        for row in map(json.loads, sys.stdin):
            row["step_ns"] = row["p50_ns"] - row["clock_ns"]
            case = row["C"], row["H"], row["dtype"]
            fastest[case] = min(row, fastest.get(case, row), key=lambda other: other["step_ns"])
        rows = list(fastest.values())
        formats = {row["dtype"]: [other for other in rows if other["dtype"] == row["dtype"]] for row in rows}
        coefficients = {name: fitted(some) for name, some in formats.items()}
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        print(f"step_bound.py: expected lines of bench_stream_latency, of several sizes: {error!r}", file=sys.stderr)
        return 2
    for name, (fixed, activation, product) in coefficients.items():
        print(f"{name}: t0 = {fixed:.0f} ns, a = {activation:.2f} ns, m = {product:.4f} ns")
    print(f"\n{'C':>5} {'H':>5} {'dtype':<5} {'B GB/s':>7} {'formula':>9} {'p50':>9} {'ratio':>6} {'p99':>9}"
          f" {'p99.9':>9} {'max':>9} {'idle max':>9}")
    for row in rows:
        fixed, activation, product = coefficients[row["dtype"]]
        activations, products, size = sizes(row)
        formula = fixed + activation * activations + max(product * products, size / row["read_gbs"])
        print(f"{row['C']:>5} {row['H']:>5} {row['dtype']:<5} {row['read_gbs']:>7.1f} {formula:>9.0f}"
              f" {row['step_ns']:>9.0f} {row['step_ns'] / formula:>6.2f} {row['p99_ns']:>9.0f} {row['p99_9_ns']:>9.0f}"
              f" {row['max_ns']:>9.0f} {row['idle_max_ns']:>9.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
