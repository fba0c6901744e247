#!/usr/bin/env python3
"""Turns the Bach chorales of Boulanger-Lewandowski et al. (2012) into the two files that `carousel compare` reads.

usage: jsb_to_npy.py jsb-chorales-quarter.json FOLDER

The JSON file holds {"train", "valid", "test"}: pieces, their frames, the MIDI pitches (21 to 108) of each. Writes
FOLDER/x.npy, frames 1 to L - 1 of every piece, and FOLDER/y.npy, frames 2 to L: what is to be predicted at each step.
Both are [T, N, 88] with 0 and 1, the pieces of the three parts one after another, NaN behind the end of a piece.
Prints --split.
"""
import array
import json
import pathlib
import sys

LOWEST, KEYS = 21, 88
NAN = float("nan")


def keys_of(frame):
    keys = [0.0] * KEYS
    for pitch in frame:
        keys[int(pitch) - LOWEST] = 1.0
    return keys


def write_npy(path, steps, pieces):
    """One list of `steps` rows of all pieces, written as float32 [T, N, 88]."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(steps)}, {pieces}, {KEYS}), }}"
    header = header.ljust(117) + "\n"  # with the ten bytes before it a multiple of 64
    values = array.array("f")
    for rows in steps:
        for row in rows:
            values.extend(row)
    if sys.byteorder == "big":
        values.byteswap()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values.tobytes())


def main(source, folder):
    parts = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
    pieces = [[keys_of(frame) for frame in piece] for part in ("train", "valid", "test") for piece in parts[part]]
    longest = max(map(len, pieces)) - 1
    blank = [NAN] * KEYS
    for name, shift in (("x", 0), ("y", 1)):
        steps = [[piece[t + shift] if t + 1 < len(piece) else blank for piece in pieces] for t in range(longest)]
        write_npy(pathlib.Path(folder) / f"{name}.npy", steps, len(pieces))
    print("--split", ",".join(str(len(parts[part])) for part in ("train", "valid", "test")))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
