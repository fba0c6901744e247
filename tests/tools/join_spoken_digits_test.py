"""Tests of the tool that joins recordings of digits.

Oracle: recordings whose samples say which one they are: each is used as often as promised, in its own part only, and
the joined samples are those of the digits of the text, in order.
"""
import array
import sys
import tempfile
import unittest
import wave
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import join_spoken_digits as tool  # noqa: E402


def samples_of(path):
    with wave.open(str(path), "rb") as file:
        return list(array.array("h", file.readframes(file.getnframes())))


class JoinSpokenDigits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for speaker in range(2):
            for digit in range(10):
                for index in range(12):
                    with wave.open(str(self.root / f"{digit}_s{speaker}_{index}.wav"), "wb") as file:
                        file.setnchannels(1)
                        file.setsampwidth(2)
                        file.setframerate(8000)
                        file.writeframes(array.array("h", [1000 * speaker + 100 * digit + index] * 3).tobytes())

    def join(self, *options):
        with mock.patch.object(sys, "argv", ["join", str(self.root), str(self.root / "out"), *options]):
            with mock.patch("builtins.print"):
                tool.main()
        parts = {}
        for part in ("train", "valid", "test"):
            rows = (self.root / "out" / f"{part}.tsv").read_text().splitlines()
            self.assertEqual(rows[0], "audio\ttext")
            parts[part] = []
            for row in rows[1:]:
                name, text = row.split("\t")
                samples, words = samples_of(self.root / "out" / name), text.split()
                self.assertTrue(3 <= len(words) <= 7)
                self.assertEqual(samples[::3], samples[2::3])
                self.assertEqual([tool.WORDS[value // 100 % 10] for value in samples[::3]], words)
                self.assertEqual(len({value // 1000 for value in samples}), 1)
                parts[part] += samples[::3]
        return parts

    def test_every_recording_is_in_its_own_part(self):
        parts = self.join("--rounds", "3")
        for part, indices, times in (("test", range(0, 5), 1), ("valid", range(5, 10), 1), ("train", range(10, 12), 3)):
            expected = [1000 * s + 100 * d + i for s in range(2) for d in range(10) for i in indices] * times
            self.assertEqual(sorted(parts[part]), sorted(expected), part)

    def test_a_speaker_is_left_out(self):
        parts = self.join("--speaker", "s1")
        self.assertEqual({value // 1000 for value in parts["test"]}, {1})
        self.assertEqual(len(parts["test"]), 120)
        self.assertEqual({value // 1000 for value in parts["train"] + parts["valid"]}, {0})

    def test_a_seed_gives_the_same_again_and_another_one_does_not(self):
        first = self.join("--seed", "4")
        self.assertEqual(self.join("--seed", "4"), first)
        self.assertNotEqual(self.join("--seed", "5"), first)


if __name__ == "__main__":
    unittest.main()
