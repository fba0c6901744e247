#!/usr/bin/env python3
"""Tests of what targets.py and dtype_accuracy.py compute themselves; a ctest. No program is measured."""
import array
import ast
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / "peers"))

import dtype_accuracy
import targets
from target_rows import race
from target_rows.program import Failed, megabytes, run, write_npy
from target_rows.row import Row, at_least, at_most
from target_rows.texts import write_texts


def entry(case: str, threads: int, steps: int = 100, **peers: dict) -> dict:
    rows = [{"peer": name, **figures} for name, figures in peers.items()]
    return {"case": case, "threads": threads, "steps_of_samples": steps, "rows": rows}


def verdicts(*entries: dict) -> dict[tuple[str, str], bool | None]:
    return {(row.work, row.target): row.met for row in race.rows(list(entries))}


OURS = {"median_us": 100.0, "fraction_of_peak": 0.74, "peak_mb": 100.0}


class Race(unittest.TestCase):
    def test_training_is_held_to_the_best_peer_of_each_kind(self) -> None:
        """Oracle: by hand; the best framework is the one with the smallest ratio, and what was not run counts not."""
        torch = {"median_us": 160.0, "ratio": 1.6, "peak_mb": 199.0}
        got = verdicts(entry("lstm train 1,2,3,256,1", 1, carousel=OURS, torch=torch, jax={"not_run": "no"},
                             onednn={"median_us": 99.0, "ratio": 0.99}, keras={"median_us": 149.0, "ratio": 1.49}))
        work = "lstm train 1,2,3,256,1, 1 thread"
        self.assertEqual(got[work, ">= 1 x oneDNN's primitive"], False)
        self.assertEqual(got[work, ">= 1.5 x the best of PyTorch, Keras, JAX"], False)
        self.assertEqual(got[work, ">= 75 % of the FMA peak"], False)
        self.assertEqual(got[f"{work}, memory", "<= 0.5 x PyTorch's peak"], False)
        torch["peak_mb"] = 200.0
        got = verdicts(entry("lstm train 1,2,3,255,1", 1, carousel=OURS, torch=torch))
        work = "lstm train 1,2,3,255,1, 1 thread"
        self.assertEqual(got[work, ">= 1 x oneDNN's primitive"], None)
        self.assertEqual(got[work, ">= 1.5 x the best of PyTorch, Keras, JAX"], True)
        self.assertEqual(got[f"{work}, memory", "<= 0.5 x PyTorch's peak"], True)
        self.assertNotIn((work, ">= 75 % of the FMA peak"), got)

    def test_gru_and_elman_have_a_bound_of_their_own(self) -> None:
        for cell in ("gru", "rnn"):
            got = verdicts(entry(f"{cell} train 1,2,3,4,1", 1, carousel=OURS, torch={"median_us": 1.0, "ratio": 2.9}))
            self.assertEqual(got[f"{cell} train 1,2,3,4,1, 1 thread", ">= 3 x the best of PyTorch, Keras, JAX"], False)

    def test_lengths_are_held_to_packed_sequences_and_to_the_sum_of_lengths(self) -> None:
        """Oracle: 60 us for 50 steps beside 100 us for 100 is 1.2 x the time per step; 54 us is 1.08 x."""
        equal = entry("lstm train 9,2,3,4,1", 1, carousel=OURS)
        bound = "within 10 % of proportional to the sum of lengths"
        for time, met in ((60.0, False), (54.0, True)):
            unequal = entry("lstm lengths 9,2,3,4,1", 1, 50, carousel=OURS | {"median_us": time},
                            torch={"median_us": 300.0, "ratio": 5.0})
            got = verdicts(unequal, equal)
            self.assertEqual(got["lstm lengths 9,2,3,4,1, 1 thread", bound], met)
            self.assertEqual(got["lstm lengths 9,2,3,4,1, 1 thread", ">= 5 x PyTorch's packed sequences"], True)
        self.assertEqual(verdicts(unequal)["lstm lengths 9,2,3,4,1, 1 thread", bound], None)

    def test_two_threads_are_held_to_one(self) -> None:
        """Oracle: 100 us over 60 and over 58."""
        for time, met in ((60.0, False), (58.0, True)):
            got = verdicts(entry("gru infer 1,2,3,4,1", 1, carousel=OURS),
                           entry("gru infer 1,2,3,4,1", 2, carousel=OURS | {"median_us": time}))
            self.assertEqual(got["gru infer 1,2,3,4,1, two threads", ">= 1.7 x one"], met)

    def test_steps_are_held_to_the_best_of_the_others(self) -> None:
        got = verdicts(entry("gru step 1,1,8,8,1", 1, carousel=OURS, carousel_int8={"median_us": 1.0, "ratio": 0.1},
                             onednn={"median_us": 1.0, "ratio": 1.1}))
        self.assertEqual(got["gru step 1,1,8,8,1, 1 thread", ">= 1 x the best peer"], True)

    def test_without_carousel_nothing_is_judged(self) -> None:
        got = verdicts(entry("gru train 1,2,3,4,1", 1, carousel={"not_run": "no"}, torch={"median_us": 1.0}))
        self.assertEqual(set(got.values()), {None})


class Rows(unittest.TestCase):
    def test_a_bound_is_met_at_the_bound(self) -> None:
        self.assertEqual([at_least("w", 2, "x", v).met for v in (1.99, 2, 2.01)], [False, True, True])
        self.assertEqual([at_most("w", 2, "x", v).met for v in (1.99, 2, 2.01)], [True, True, False])
        self.assertEqual(at_most("w", 700, "MB", 1234.5, " (n)").line(), "| w | <= 700 MB | 1234 (n) | missed |")

    def test_what_stops_a_group_is_its_last_row(self) -> None:
        def rows():
            yield at_least("w", 1, "x", 1)
            raise Failed("no program")

        got = list(targets.measured("speed", rows()))
        self.assertEqual([row.met for row in got], [True, None])
        self.assertEqual(got[1], Row("speed", "", "no program"))

    def test_a_file_that_is_no_race_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "race.json"
            self.assertRaisesRegex(Failed, "no race that run.sh --save wrote", targets.read_race, path)
            for text in ("", "[]", "{}"):
                path.write_text(text)
                self.assertRaisesRegex(Failed, "no race that run.sh --save wrote", targets.read_race, path)
            path.write_text('{"results": []}')
            self.assertEqual(targets.read_race(path), [])

    def test_a_format_loses_what_makes_the_metric_worse(self) -> None:
        self.assertAlmostEqual(dtype_accuracy.loss_percent("accuracy", 0.8, 0.76), 5)
        self.assertAlmostEqual(dtype_accuracy.loss_percent("rmse", 20, 21), 5)
        self.assertAlmostEqual(dtype_accuracy.loss_percent("rmse", 20, 19), -5)


class Programs(unittest.TestCase):
    def test_a_run_has_output_notes_and_what_it_took(self) -> None:
        done = run("-c", "import sys; print('out'); print('note', file=sys.stderr); bytearray(b'1') * 50_000_000",
                   program=Path(sys.executable))
        self.assertEqual((done.output, done.notes), ("out\n", "note\n"))
        self.assertGreater(done.peak_mb, 50)
        self.assertGreater(done.seconds, 0)

    def test_a_program_that_fails_or_is_not_there_says_why(self) -> None:
        self.assertRaisesRegex(Failed, "^the reason$", run, "-c", "raise SystemExit('the reason')",
                               program=Path(sys.executable))
        self.assertRaisesRegex(Failed, "nowhere: No such file", run, program=Path("nowhere"))

    def test_sizes_are_read_in_megabytes(self) -> None:
        pattern = r"memory: ([\d.]+ [MG]B) in all"
        self.assertEqual(megabytes(pattern, "memory: 651 MB in all"), 651)
        self.assertEqual(megabytes(pattern, "memory: 12.4 GB in all"), 12400)
        self.assertRaises(Failed, megabytes, pattern, "nothing")

    def test_npy_files_have_a_header_of_whole_blocks(self) -> None:
        """Oracle: the format's definition: magic, version 1.0, length, a dictionary, data at a multiple of 64."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.npy"
            write_npy(path, (2, 3), array.array("f", range(6)))
            content = path.read_bytes()
        self.assertEqual(content[:8], b"\x93NUMPY\x01\x00")
        size = 10 + struct.unpack("<H", content[8:10])[0]
        self.assertEqual(size % 64, 0)
        self.assertEqual(ast.literal_eval(content[10:size].decode())["shape"], (2, 3))
        self.assertEqual(struct.unpack("<6f", content[size:]), (0, 1, 2, 3, 4, 5))

    def test_texts_have_the_size_and_the_letters_that_are_asked_for(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "texts.tsv"
            for language in ("ascii", "accents", "chinese"):
                write_texts(path, language, 20000)
                text = path.read_text(encoding="utf-8")
                self.assertTrue(20000 <= path.stat().st_size < 21000, language)
                self.assertTrue(all(line.count("\t") == 1 for line in text.splitlines()), language)
                self.assertEqual(text.isascii(), language == "ascii")
                self.assertEqual(any("\u4e00" <= letter <= "\u9fff" for letter in text), language == "chinese")


if __name__ == "__main__":
    unittest.main()
