"""Rows about data: how fast texts are read and cut into tokens, and which share of training is spent on data at all."""
import base64
import json
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
SUBWORD_RATES = (("ascii", "Latin text", 10), ("chinese", "Chinese text", 2))
RATE_BYTES, SHARE_BYTES, LEARN_BYTES = 8_000_000, 1_000_000, 300_000


def speeds(folder: Path) -> Iterator[Row]:
    """`data check` reads, checks, normalises, segments and numbers the texts, as training does."""
    path = folder / "texts.tsv"
    for language, name, bound in RATES:
        write_texts(path, language, RATE_BYTES)
        seconds = statistics.median(run("data", "check", "classify", "--data", path, "--level", "word",
                                        "--threads", 1).cpu_seconds for _ in range(TURNS))
        yield at_least(f"read and segment: {name}", bound, "MB/s of a core", path.stat().st_size / seconds / 1e6)


def learn_subwords(texts: Path, kind: str, folder: Path) -> Path:
    """The SentencePiece model that training on these texts learns and keeps in its model file."""
    model = folder / "subwords.safetensors"
    run("train", "classify", "--data", texts, "--level", "subword", "--subword-model", kind, "--cell", "none",
        "--epochs", 1, "--linear-branch=false", "--threads", 1, "--out", model,
        "--run-dir", folder / "subwords", "--force")
    bytes_of_file = model.read_bytes()
    header = json.loads(bytes_of_file[8:8 + int.from_bytes(bytes_of_file[:8], "little")])
    path = folder / "subwords.model"
    path.write_bytes(base64.b64decode(json.loads(header["__metadata__"]["carousel"])["data"]["text"]["subwords"]))
    return path


def subword_speeds(folder: Path) -> Iterator[Row]:
    """As speeds(), with subwords that were learnt before from LEARN_BYTES of such texts."""
    path = folder / "texts.tsv"
    for language, name, bound in SUBWORD_RATES:
        for kind in ("bpe", "unigram"):
            write_texts(path, language, LEARN_BYTES)
            subwords = learn_subwords(path, kind, folder)
            write_texts(path, language, RATE_BYTES)
            seconds = run("data", "check", "classify", "--data", path, "--level", "subword", "--subwords", subwords,
                          "--lowercase=true", "--normalize", "nfkc", "--threads", 1).cpu_seconds
            yield at_least(f"read and cut into subwords ({kind}): {name}", bound, "MB/s of a core",
                           path.stat().st_size / seconds / 1e6)


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
    yield from subword_speeds(folder)
    yield from shares(folder)
