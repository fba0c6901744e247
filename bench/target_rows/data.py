"""Rows about data: how fast texts are read and cut into tokens, and which share of training is spent on data at all."""
import statistics
from collections.abc import Iterator
from pathlib import Path

from target_rows.program import run, run_json
from target_rows.row import Row, at_least, at_most
from target_rows.texts import write_texts

TURNS = 3
SERIES = "data/sunspots_monthly.csv"
RATES = (("ascii", "Latin text, ASCII alone", 20), ("accents", "Latin text, every tenth word accented", 20),
         ("chinese", "Chinese text", 5))  # MB/s of one core
RATE_BYTES, SHARE_BYTES = 8_000_000, 1_000_000


def speeds(folder: Path) -> Iterator[Row]:
    """`data check` reads, checks, normalises, segments and numbers the texts, as training does."""
    path = folder / "texts.tsv"
    for language, name, bound in RATES:
        write_texts(path, language, RATE_BYTES)
        seconds = statistics.median(run("data", "check", "classify", "--data", path, "--level", "word",
                                        "--threads", 1).cpu_seconds for _ in range(TURNS))
        yield at_least(f"read and segment: {name}", bound, "MB/s of a core", path.stat().st_size / seconds / 1e6)


def shares(folder: Path) -> Iterator[Row]:
    """Of one epoch with the default sizes: with more epochs the data are read only once."""
    texts = folder / "texts.tsv"
    write_texts(texts, "ascii", SHARE_BYTES)
    for task, data in (("classify", texts), ("forecast", SERIES)):
        reading = run("data", "check", task, "--data", data).cpu_seconds
        trained = run_json("train", task, "--data", data, "--epochs", 1, "--out", folder / "share.safetensors",
                           "--run-dir", folder / "share", "--force")
        batches = 100 * trained["batch_seconds"] / trained["seconds"]
        whole = batches + 100 * reading / trained["seconds"]
        yield at_most(f"`train {task}`, one epoch: data", 5, "% of its time", whole,
                      f" (making batches {batches:.2g} %, reading once the rest)")


def rows(folder: Path) -> Iterator[Row]:
    yield from speeds(folder)
    yield from shares(folder)
