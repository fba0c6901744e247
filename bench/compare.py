#!/usr/bin/env python3
"""Compares two tables that `carousel bench --suite NAME --save FILE` kept.

    bench/compare.py OLD.json NEW.json [--worse PERCENT]

Speeds are compared as fractions of the peak that was measured with each row, so that a machine that was busy or
clocked lower the other day does not count. Ends with status 1 if a case became slower by more than PERCENT (default
10), with 2 if a file cannot be compared.
"""

import argparse
import json
import sys

KEYS = ("cell", "mode", "T", "N", "C", "H", "L", "shortest", "dtype", "threads")


def read_rows(path: str) -> dict[tuple, dict]:
    """The rows of a saved table by what was measured."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        return {tuple(row.get(key) for key in KEYS): row for row in document["rows"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"compare.py: {path}: no table of `carousel bench --suite --save`: {error}", file=sys.stderr)
        sys.exit(2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--worse", type=float, default=10, help="percent of slowing down that is an error [default 10]")
    arguments = parser.parse_args()
    old, new = read_rows(arguments.old), read_rows(arguments.new)
    slower = 0
    print(f"{'case':<58} {'old us':>12} {'new us':>12} {'old peak%':>9} {'new peak%':>9} {'speed':>6}")
    for key, row in new.items():
        name = " ".join(f"{label}={value}" for label, value in zip(KEYS, key) if value is not None)
        name = name.replace("cell=", "").replace("mode=", "").replace("dtype=", "")
        if key not in old:
            print(f"{name:<58} {'-':>12} {row['median_us']:>12.1f}")
            continue
        before = old[key]
        ratio = row["fraction_of_peak"] / before["fraction_of_peak"]
        is_slower = ratio < 1 - arguments.worse / 100
        slower += is_slower
        print(f"{name:<58} {before['median_us']:>12.1f} {row['median_us']:>12.1f}"
              f" {100 * before['fraction_of_peak']:>9.1f} {100 * row['fraction_of_peak']:>9.1f}"
              f" {ratio:>5.2f}x{'  SLOWER' if is_slower else ''}")
    for key in old.keys() - new.keys():
        print("only in the old table:", " ".join(str(value) for value in key if value is not None))
    print(f"{slower} of {len(new)} cases slower by more than {arguments.worse:g} %")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
