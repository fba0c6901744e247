#!/usr/bin/env python3
"""Every target of speed, memory and exactness, beside what this machine reaches: one table, one command.

    bench/targets.py --save targets.json          races the peers first (bench/peers/run.sh, an hour; kept)
    bench/targets.py --race race.json             with a race that run.sh --save race.json saved before
    bench/targets.py --only start --only memory   some groups alone

Prints Markdown, row by row as it is measured; docs/performance.md has a table and says what falls short and why. Needs
the release build with its tests (./test.sh) and, without --race, what run.sh needs. A row says "not run" and why where
something is missing. The status is 0 also where targets are missed.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE / "peers"))

from target_rows import accuracy, data, memory, race, speed, tests  # noqa: E402  grid.py lies in peers
from target_rows.program import CAROUSEL, Failed  # noqa: E402
from target_rows.row import Row  # noqa: E402

RACE = Path("build/peers/race.json")  # an hour's work: kept
GROUPS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "cells": speed.cells, "int8": speed.int8, "accuracy": accuracy.rows, "start": speed.start, "memory": memory.rows,
    "data": data.rows, "tests": tests.rows}  # and "race"


def read_race(path: Path) -> list[dict]:
    """The cases of a saved race. Throws Failed."""
    try:
        return json.loads(path.read_text())["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed(f"{path}: no race that run.sh --save wrote: {error}") from error


def new_race() -> Iterator[Row]:
    # Its table goes to the standard error, so that the rows here stay together.
    if subprocess.run([HERE / "peers" / "run.sh", "--save", RACE], stdout=sys.stderr, check=False).returncode:
        raise Failed("bench/peers/run.sh failed, see above")
    yield from race.rows(read_race(RACE))


def measured(name: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a group; what stops it is a row as well."""
    try:
        yield from rows
    except Failed as reason:
        yield Row(name, "", str(reason))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--race", metavar="FILE.json", type=Path, help="a saved race instead of a new one")
    parser.add_argument("--only", metavar="GROUP", action="append", choices=["race", *GROUPS],
                        help=f"some of: race, {', '.join(GROUPS)}")
    parser.add_argument("--save", metavar="FILE.json", type=Path, help="write the rows as JSON")
    given = parser.parse_args()
    try:
        raced = race.rows(read_race(given.race)) if given.race else new_race()
    except Failed as error:
        parser.error(f"--race {error}")
    target = given.save and given.save.resolve()
    os.chdir(HERE.parent)
    if not CAROUSEL.exists():
        parser.error(f"there is no {CAROUSEL}: build it with ./test.sh")
    rows: list[Row] = []
    print("| work | target | measured | |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for group in given.only or ["race", *GROUPS]:
            found = raced if group == "race" else GROUPS[group](folder)
            for row in measured(group, found):
                print(row.line(), flush=True)
                rows.append(row)
    counts = [sum(row.met is verdict for row in rows) for verdict in (True, False, None)]
    print("\n{} met, {} missed, {} not run".format(*counts))
    if target:
        date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        target.write_text(json.dumps({"date": date, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
