#!/usr/bin/env python3
"""Tests of what the race computes itself: the oracle, the operations, the table. Needs numpy only; not a ctest."""
import os
import resource
import tempfile
import unittest
from pathlib import Path

import numpy as np

import reference
from grid import FULL, Case, operations
from race import errors, make_arrays
from table import Row, figures, line, proportion, ratio
from worker_process import NotRun, forget_peak, peak_mb


class Reference(unittest.TestCase):
    def arrays(self, cell: str, mode: str) -> dict[str, np.ndarray]:
        return {name: values.astype(np.float64) if values.dtype == np.float32 else values
                for name, values in make_arrays(Case(mode, cell, 12, 3, 5, 4, 2)).items()}

    def test_gradients_are_those_of_central_differences(self) -> None:
        """Oracle: (f(w + e) - f(w - e)) / 2e of the sum of the outputs, for every element of every array."""
        for cell in ("lstm", "gru", "rnn"):
            for mode in ("train", "lengths"):
                arrays = self.arrays(cell, mode)
                got = reference.run(cell, 2, arrays, True)
                for name in (n for n in arrays if n != "lengths"):
                    self.assertLess(np.max(np.abs(got[f"d{name}"] - self.differences(cell, arrays, name))), 1e-8,
                                    f"{cell} {mode} d{name}")

    def differences(self, cell: str, arrays: dict[str, np.ndarray], name: str, e: float = 1e-5) -> np.ndarray:
        result = np.empty_like(arrays[name])
        for index in np.ndindex(result.shape):
            sums = []
            for change in (e, -e):
                changed = arrays[name].copy()
                changed[index] += change
                sums.append(reference.run(cell, 2, arrays | {name: changed}, False)["y"].sum())
            result[index] = (sums[0] - sums[1]) / (2 * e)
        return result

    def test_closed_forms_of_one_step_without_input(self) -> None:
        """Oracle: by hand, weights and x zero, H = 1: only the biases speak, the state before is zero."""
        biases = {"rnn": [0.3], "lstm": [0.1, 0.2, 0.3, 0.4], "gru": [0.1, 0.2, 0.3]}
        s = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        expected = {"rnn": np.tanh(0.6), "lstm": s(0.8) * np.tanh(s(0.2) * np.tanh(0.6)),
                    "gru": (1 - s(0.4)) * np.tanh(0.3 + s(0.2) * 0.3)}
        for cell, bias in biases.items():
            G = len(bias)
            arrays = {"x": np.zeros((1, 1, 1)), "weight_ih_l0": np.zeros((G, 1)), "weight_hh_l0": np.zeros((G, 1)),
                      "bias_ih_l0": np.array(bias), "bias_hh_l0": np.array(bias)}
            self.assertAlmostEqual(reference.run(cell, 1, arrays, False)["y"].item(), expected[cell], places=14)

    def test_a_sample_with_a_length_is_that_sample_cut_off(self) -> None:
        """Oracle: each sample run alone for its length."""
        arrays = self.arrays("gru", "lengths")
        together = reference.run("gru", 2, arrays, True)
        weights = {name: values for name, values in arrays.items() if name not in ("x", "lengths")}
        total = np.zeros_like(together["dweight_hh_l0"])
        for n, length in enumerate(arrays["lengths"]):
            alone = reference.run("gru", 2, weights | {"x": arrays["x"][:length, n:n + 1]}, True)
            np.testing.assert_allclose(together["y"][:length, n], alone["y"][:, 0], atol=1e-14)
            self.assertEqual(np.abs(together["y"][length:, n]).sum() + np.abs(together["dx"][length:, n]).sum(), 0)
            total += alone["dweight_hh_l0"]
        np.testing.assert_allclose(together["dweight_hh_l0"], total, atol=1e-13)


class Errors(unittest.TestCase):
    def test_a_wrong_or_missing_result_is_no_row(self) -> None:
        """Oracle: by hand, gradients relative to their largest element."""
        right = {"y": np.array([1.0, 2.0]), "dx": np.array([0.0, 100.0])}
        for y, dx, expected in (([1.0, 2.001], [0.1, 100.0], (0.001, 0.001)), ([1.0, 2.1], [0.0, 100.0], "y is off"),
                                ([1.0, np.nan], [0.0, 100.0], "y is off"), ([1.0, 2.0], [2.0, 100.0], "dx is off"),
                                ([1.0, 2.0], [0.0], "dx has shape"), ([1.0, 2.0], None, "no dx")):
            with tempfile.TemporaryDirectory() as folder:
                for name, values in (("y", y), ("dx", dx)):
                    if values is not None:
                        np.save(Path(folder) / f"{name}.npy", np.array(values))
                if isinstance(expected, str):
                    self.assertRaisesRegex(NotRun, expected, errors, right, Path(folder))
                else:
                    np.testing.assert_allclose(errors(right, Path(folder)), expected, rtol=1e-9)


class Figures(unittest.TestCase):
    def test_operations_are_those_of_the_worked_numbers(self) -> None:
        """Oracle: by hand, 24 H (C + H) T N a layer of an LSTM in training, three quarters of it for a GRU."""
        case = Case("train", "lstm", 20, 20, 200, 200, 2)
        self.assertEqual(operations(case, 400), 24 * 200 * 400 * 400 * 2)
        self.assertEqual(operations(Case("train", "gru", 20, 20, 200, 200, 2), 400), 18 * 200 * 400 * 400 * 2)
        self.assertEqual(operations(Case("infer", "rnn", 2, 3, 15, 128, 1), 6), 2 * 128 * 143 * 6)

    def test_a_row_has_ratio_spread_and_speed(self) -> None:
        """Oracle: by hand. Rounds of 10, 20, 30 us against 5, 5, 10: ratios 2, 4, 3; a step is 8 H (C + H) = 1024."""
        case = Case("step", "lstm", 100, 1, 8, 8, 1)
        ours = Row("carousel", times=[5.0, 5.0, 10.0])
        theirs = Row("onednn", times=[10.0, 20.0, 30.0], peak_mb=321)
        self.assertEqual(ratio(theirs, ours), 3)
        got = figures(case, 100, theirs, ours, 2.0)
        self.assertEqual((got["median_us"], got["min_us"], got["spread"]), (20, 10, 1))
        self.assertAlmostEqual(got["gflops"], 1024 / 20 * 1e-3)
        self.assertAlmostEqual(got["fraction_of_peak"], 1024 / 20 * 1e-3 / 2)
        self.assertIn("3.00", line(got, ""))
        self.assertIn(" 321 ", line(got, ""))

    def test_the_peak_of_a_process_is_what_the_system_says_of_this_one(self) -> None:
        """Oracle: getrusage, in KiB on Linux; the two are brought up to date at different times."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        self.assertAlmostEqual(peak_mb(os.getpid()), peak, delta=peak / 50)

    def test_a_peak_that_is_forgotten_counts_no_more(self) -> None:
        """Oracle: 100 MB that are given back."""
        before = peak_mb(os.getpid())
        np.ones(100_000_000, np.uint8)
        self.assertGreater(peak_mb(os.getpid()), before + 50)
        forget_peak(os.getpid())
        self.assertLess(peak_mb(os.getpid()), before + 20)

    def test_a_peer_that_was_not_run_shows_the_reason_and_no_number(self) -> None:
        entry = figures(FULL[0], 1, Row("jax", reason="no module named jax"), Row("carousel", times=[1.0]), 1.0)
        self.assertEqual(line(entry, "").split(), "jax not run: no module named jax".split())
        self.assertEqual(set(entry), {"peer", "version", "not_run"})

    def test_proportion_is_time_per_step_over_time_per_step(self) -> None:
        self.assertIn(" 1.50 x", proportion({"torch": (30.0, 10)}, {"torch": (40.0, 20)})[0])


if __name__ == "__main__":
    unittest.main()
