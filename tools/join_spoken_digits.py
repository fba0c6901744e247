#!/usr/bin/env python3
"""Joins recordings of single digits into recordings of several, with what is said in them, for `train transcribe`.

usage: tools/join_spoken_digits.py FOLDER OUT [--seed N] [--rounds N] [--speaker NAME]

FOLDER holds WAV files of one form, named DIGIT_SPEAKER_INDEX.wav (the Free Spoken Digit Dataset). Each utterance is 3
to 7 recordings of one speaker one behind another. Writes OUT/test.tsv (index 0-4), OUT/valid.tsv (5-9), OUT/train.tsv
(10 and more) and their recordings; a recording is used once, in training once in every round (4 of them), beside other
ones each time. With --speaker the test part is all recordings of this speaker, and no other part has any of them.
"""
import argparse
import random
import sys
import wave
from pathlib import Path

WORDS = "zero one two three four five six seven eight nine".split()
FEWEST, MOST = 3, 7


def part_of(speaker, index, left_out):
    if left_out is not None and speaker == left_out:
        return "test"
    part = "test" if index < 5 else "valid" if index < 10 else "train"
    return None if part == "test" and left_out is not None else part


def groups(recordings, chance):
    """The recordings in a random order, cut into groups of 3 to 7."""
    recordings = recordings[:]
    chance.shuffle(recordings)
    while recordings:
        count = chance.randint(FEWEST, MOST)
        if len(recordings) - count < FEWEST:  # what would be left is too little for a group of its own
            count = len(recordings) if len(recordings) <= MOST else len(recordings) - FEWEST
        yield recordings[:count]
        recordings = recordings[count:]


def write_joined(paths, out):
    with wave.open(str(out), "wb") as joined:
        form = None
        for path in paths:
            with wave.open(str(path), "rb") as one:
                own = (one.getnchannels(), one.getsampwidth(), one.getframerate())
                if form is None:
                    form = own
                    joined.setnchannels(own[0])
                    joined.setsampwidth(own[1])
                    joined.setframerate(own[2])
                if own != form:
                    sys.exit(f"{path}: channels, bytes and rate are {own}, those of {paths[0]} are {form}")
                joined.writeframes(one.readframes(one.getnframes()))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--speaker")
    given = arguments.parse_args()
    parts = {"train": {}, "valid": {}, "test": {}}
    for path in sorted(given.folder.glob("[0-9]_*_*.wav")):
        digit, speaker, index = path.stem.split("_")
        part = part_of(speaker, int(index), given.speaker)
        if part is not None:
            parts[part].setdefault(speaker, []).append((int(digit), path))
    if not all(parts.values()):
        sys.exit(f"{given.folder}: {', '.join(p for p, s in parts.items() if not s)}: no recordings for this part")
    chance = random.Random(given.seed)
    for part, speakers in parts.items():
        (given.out / part).mkdir(parents=True, exist_ok=True)
        rows = ["audio\ttext\n"]
        for _ in range(given.rounds if part == "train" else 1):
            for recordings in speakers.values():
                for group in groups(recordings, chance):
                    name = f"{part}/{len(rows):04d}.wav"
                    write_joined([path for _, path in group], given.out / name)
                    rows.append(f"{name}\t{' '.join(WORDS[digit] for digit, _ in group)}\n")
        (given.out / f"{part}.tsv").write_text("".join(rows))
        print(f"{given.out / part}.tsv: {len(rows) - 1} recordings")


if __name__ == "__main__":
    main()
