"""Rows about what int8 costs a task in accuracy, by dtype_accuracy.py."""
from collections.abc import Iterator
from pathlib import Path

import dtype_accuracy
from target_rows.row import Row, at_most

SERIES = "data/sunspots_monthly.csv"
CASE = (f"forecast --data {SERIES} --horizon 12 --season 132 --split 0.7,0.1,0.2", f"--data {SERIES} --part test")


def rows(folder: Path) -> Iterator[Row]:
    """Of the one data set that the repository has; docs/performance.md has the others."""
    result = dtype_accuracy.measure(*CASE, folder)
    values = result["values"]
    for dtype in ("bf16", "int8"):
        yield at_most(f"`evaluate --dtype {dtype}`, sunspots", 0.5, "% lost", result["losses"][dtype],
                      f" ({result['metric']} {values[dtype]:.4g}, f32: {values['f32']:.4g})")
