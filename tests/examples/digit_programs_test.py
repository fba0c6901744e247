#!/usr/bin/env python3
"""The programs caption and draw as a user runs them, for a few updates, on digits that no hand has written.

usage: digit_programs_test.py CAPTION DRAW

Oracles: what must hold of any bound, loss and share; a picture that Python reads as XML with PNG images in it.
"""
import base64
import math
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
import zlib
from pathlib import Path

COUNT, SIDE = 50, 28
CAPTION = DRAW = None


def write_idx(path, sizes, values):
    path.write_bytes(bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes(values))


def pixel(label, x, y):
    """Label k: a bar of ink across the image, whose direction tells the label."""
    angle = math.pi * label / 10
    distance = abs((x - 13.5) * math.cos(angle) + (y - 13.5) * math.sin(angle))
    return 255 if distance < 3 and max(abs(x - 13.5), abs(y - 13.5)) < 10 else 0


def png_pixels(data):
    """(width, height, grey bytes) of a PNG file of 8 bits per pixel without filters; checks the sum of every chunk."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        body, crc = data[at + 4:at + 8 + size], data[at + 8 + size:at + 12 + size]
        assert struct.pack(">I", zlib.crc32(body)) == crc, "a chunk's sum is wrong"
        chunks[body[:4]] = body[4:]
        at += 12 + size
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 0, 0, 0, 0]
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1)
    return width, height, b"".join(rows[y * (width + 1) + 1:(y + 1) * (width + 1)] for y in range(height))


class Programs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        labels = [n % 10 for n in range(COUNT)]
        random.Random(1).shuffle(labels)
        write_idx(self.path / "labels", [COUNT], labels)
        write_idx(self.path / "images", [COUNT, SIDE, SIDE],
                  [pixel(label, x, y) for label in labels for y in range(SIDE) for x in range(SIDE)])

    def run_program(self, program, *arguments, status=0):
        result = subprocess.run([program, *map(str, arguments)], cwd=self.path, text=True, capture_output=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout if status == 0 else result.stderr

    def images(self, name):
        """The images in the SVG file `name`, as png_pixels() gives them."""
        root = xml.etree.ElementTree.parse(self.path / name).getroot()
        found = root.iter("{http://www.w3.org/2000/svg}image")
        return [png_pixels(base64.b64decode(image.get("href").split(",")[1], validate=True)) for image in found]

    def test_caption_learns_scores_and_draws(self):
        out = self.run_program(CAPTION, "images", "labels", "caption.svg", 30)
        losses = [float(loss) for loss in re.findall(r"loss (\S+) nats", out)]
        self.assertEqual(len(losses), 20)
        self.assertLess(losses[9], 0.9 * losses[0])
        self.assertLess(losses[19], 0.9 * losses[10])
        shares = [float(share) for share in re.findall(r"(\S+) %", out)]
        self.assertEqual(len(shares), 13)
        self.assertTrue(all(0 <= share <= 100 for share in shares), out)
        images = self.images("caption.svg")
        self.assertGreater(len(images), 6)
        for width, height, grey in images:
            self.assertEqual((width, height), (56, 56))
            self.assertEqual(grey[0], 255)  # digits keep away from the corner
            self.assertIn(0, grey)

    def test_draw_learns_and_draws(self):
        out = self.run_program(DRAW, "images", "draw.svg", 30)
        bounds = [tuple(map(float, found))
                  for found in re.findall(r"bound (\S+) nats.*\(pixels (\S+), divergence (\S+)\)", out)]
        self.assertEqual(len(bounds), 11)
        for bound, pixels, divergence in bounds:
            self.assertAlmostEqual(bound, pixels + divergence, delta=0.011)
            self.assertGreaterEqual(divergence, 0)
        self.assertLess(bounds[-2][0], 0.6 * bounds[0][0])
        self.assertTrue(0 < float(re.search(r"frequency of each pixel (\S+)", out)[1]) < SIDE * SIDE * math.log(2))
        images = self.images("draw.svg")
        self.assertEqual(len(images) % 12, 0)
        self.assertTrue(all(image[:2] == (SIDE, SIDE) for image in images))

    def test_wrong_use_is_told(self):
        self.assertIn("usage: caption", self.run_program(CAPTION, "images", status=2))
        self.assertIn("usage: draw", self.run_program(DRAW, status=2))
        self.assertIn("none: cannot be read", self.run_program(DRAW, "none", "draw.svg", status=5))
        (self.path / "packed").write_bytes(b"\x1f\x8b\x08")
        self.assertIn("packed: is compressed", self.run_program(CAPTION, "packed", "labels", "caption.svg", status=3))
        self.assertIn("expected at least 1 update", self.run_program(DRAW, "images", "draw.svg", "none", status=2))


if __name__ == "__main__":
    CAPTION, DRAW = (str(Path(path).resolve()) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
