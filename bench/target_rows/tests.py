"""Rows that are tests: bits and allocations are right or wrong, not fast or slow."""
import re
from collections.abc import Iterator
from pathlib import Path

from target_rows.program import PROGRAMS, Failed, run
from target_rows.row import Row

BITS, NONE = "the bits of one", "0 allocations"
TESTS = (
    ("two threads, every cell", BITS, "cells_tests", "*/CellContract.EveryNumberOfThreadsGivesTheSameBits/*"),
    ("two threads, a whole training", BITS, "train_tests", "Trainer.GivesTheSameBitsForAnyNumberOfThreads"),
    ("a pass after the first, every cell", NONE, "cells_tests", "*/CellContract.AStepAllocatesNothingAfterTheFirst/*"),
    ("a step of training after the first", NONE, "train_tests", "Trainer.AStepAllocatesNothingAfterTheFirst"),
    ("a step of a stream", NONE, "models_tests", "Stream.AStepAllocatesNothing"),
    ("a step of a stream pool", NONE, "models_tests", "StreamPool.OnlyMakingItAllocates"),
)


def rows(folder: Path) -> Iterator[Row]:
    for work, target, program, name in TESTS:
        try:
            passed = re.search(r"PASSED  \] [1-9]", run(f"--gtest_filter={name}", program=PROGRAMS / program).output)
            yield Row(work, target, f"`{program}`, {name.strip('*/')}", passed is not None)
        except Failed as reason:
            yield Row(work, target, str(reason), False if "FAILED" in str(reason) else None)
