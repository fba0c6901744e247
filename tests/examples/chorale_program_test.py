#!/usr/bin/env python3
"""Runs vrnn or storn on a few short made-up chorales: what it prints, what it draws, what it says of a wrong file.

usage: chorale_program_test.py PROGRAM

Oracles: the frequency of each key computed here, the promises of the program's first comment, exit codes of error.h.
"""
import json
import math
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PROGRAM = sys.argv.pop(1)
EPOCHS = 60


def chorale(first, frames):
    """Four voices that go up and down a scale together."""
    scale = [0, 2, 4, 5, 7, 9, 11, 12]
    steps = [scale[(first + t) % 8] for t in range(frames)]
    return [[48 + step, 55 + step, 64 + step, 72 + step] for step in steps]


def chorales():
    return {"train": [chorale(k, 10 + k) for k in range(16)], "valid": [chorale(k, 9) for k in range(4)],
            "test": [chorale(k + 3, 12) for k in range(5)]}


def key_frequency_nll(train, test):
    frames = sum(len(piece) for piece in train)
    asked = sum(len(piece) for piece in test)
    nll = 0
    for key in range(21, 109):
        p = (sum(key in frame for piece in train for frame in piece) + 1) / (frames + 2)
        share = sum(key in frame for piece in test for frame in piece) / asked
        nll -= share * math.log(p) + (1 - share) * math.log(1 - p)
    return nll


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.data = Path(self.folder.name) / "chorales.json"
        self.picture = Path(self.folder.name) / "picture.svg"
        self.data.write_text(json.dumps(chorales()))

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300)

    def test_bound_falls_below_the_frequencies_and_a_picture_is_written(self):
        run = self.run_program(self.data, self.picture, EPOCHS)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        epochs = re.findall(r"epoch (\d+)  validation bound ([\d.]+) .*divergence ([\d.]+)\)", run.stdout)
        self.assertEqual([int(epoch) for epoch, _, _ in epochs], list(range(1, EPOCHS + 1)))
        self.assertLess(float(epochs[-1][1]), float(epochs[0][1]))
        self.assertTrue(all(float(divergence) >= 0 for _, _, divergence in epochs))
        table = {name.strip(): (float(valid), float(test))
                 for name, valid, test in re.findall(r"^(\S.*?|  .*?) +([\d.]+) +([\d.]+)$", run.stdout, re.MULTILINE)}
        data = chorales()
        for column, part in enumerate(("valid", "test")):
            self.assertAlmostEqual(table["frequency of each key"][column],
                                   key_frequency_nll(data["train"], data[part]), delta=0.006)
        bound = next(values for name, values in table.items() if name.endswith("bound"))
        drawn = next(values for name, values in table.items() if name.endswith("draws"))
        self.assertLess(bound[1], table["frequency of each key"][1])
        self.assertLessEqual(drawn[1], bound[1] + 0.05)
        self.assertIn("bound below the frequency of each key: yes\n", run.stdout)
        boxes = ElementTree.parse(self.picture).getroot().findall("{http://www.w3.org/2000/svg}rect")
        self.assertGreater(sum(box.get("fill") == "#333" for box in boxes), 4)
        self.assertGreater(sum(box.get("fill") == "#b3432b" for box in boxes), 4)

    def test_the_same_command_gives_the_same_bytes(self):
        first = self.run_program(self.data, self.picture, 2)
        drawn = self.picture.read_bytes()
        self.assertEqual(self.run_program(self.data, self.picture, 2).stdout, first.stdout)
        self.assertEqual(self.picture.read_bytes(), drawn)

    def test_wrong_calls_and_files_are_errors(self):
        self.assertEqual(self.run_program(self.data).returncode, 2)
        self.assertEqual(self.run_program(self.data, self.picture, 0).returncode, 2)
        self.data.write_text('{"train": [[[600]]]}')
        run = self.run_program(self.data, self.picture, 1)
        self.assertEqual(run.returncode, 3)
        self.assertIn("MIDI pitch 600", run.stderr)
        run = self.run_program(self.folder.name + "/none", self.picture, 1)
        self.assertEqual(run.returncode, 5)
        self.data.write_text(json.dumps(chorales()))
        self.assertEqual(self.run_program(self.data, self.folder.name + "/no/folder.svg", 1).returncode, 5)


if __name__ == "__main__":
    unittest.main()
