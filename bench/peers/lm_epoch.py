#!/usr/bin/env python3
"""An epoch of a word language model in Carousel and in PyTorch, in turns: the small model of Zaremba et al. 2014.

    bench/peers/lm_epoch.py --data text.txt.gz      # needs build/peers/venv (bench/peers/run.sh makes it)

Two LSTM layers of 200, embedding 200, full softmax, batch 20, 20 steps with the state carried, SGD, clipping at 5, no
dropout, float32. Words stand between blanks, <eos> ends a line. Without --data a text is made: 93,000 words of a
vocabulary of 10,000, frequencies after Zipf. What is timed is the epoch alone: no reading, no validation.
"""
import argparse
import csv
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS, LENGTH = 10000, 93000


def read_text(path: str) -> str:
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        return file.read()


def made_text() -> str:
    numbers = random.Random(1)
    words = numbers.choices([f"w{k}" for k in range(WORDS)], [1 / (k + 3) for k in range(WORDS)], k=LENGTH)
    words[:WORDS] = numbers.sample([f"w{k}" for k in range(WORDS)], WORDS)  # each is there
    lines = [" ".join(words[start:start + 22]) for start in range(0, LENGTH, 22)]
    return "\n".join([lines[0] + " <unk>", *lines[1:]]) + "\n"


def pytorch(path: str, threads: int) -> None:
    """One epoch; prints its seconds, tokens and mean loss as JSON."""
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    words = [word for line in read_text(path).splitlines() for word in [*line.split(), "<eos>"]]
    index = {word: k for k, word in enumerate(dict.fromkeys(words))}
    ids = torch.tensor([index[word] for word in words])
    columns = (len(ids) - 1) // 20
    inputs, targets = (ids[shift:shift + 20 * columns].view(20, columns).t() for shift in (0, 1))
    embedding, lstm = torch.nn.Embedding(len(index), 200), torch.nn.LSTM(200, 200, 2)
    output = torch.nn.Linear(200, len(index))
    parameters = [p for module in (embedding, lstm, output) for p in module.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    state, total, steps = None, 0.0, 0
    start = time.perf_counter()
    for at in range(0, columns, 20):
        optimizer.zero_grad()
        y, state = lstm(embedding(inputs[at:at + 20]), state)
        loss = torch.nn.functional.cross_entropy(output(y).flatten(0, 1), targets[at:at + 20].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5)
        optimizer.step()
        state = tuple(part.detach() for part in state)
        total, steps = total + float(loss), steps + 1
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "tokens": 20 * columns, "loss": total / steps, "version": torch.__version__}))


def carousel(program: str, path: str, threads: int, folder: Path) -> dict:
    """The same epoch; validation, which metrics.csv times with it, is on one line."""
    valid = folder / "valid.txt"
    valid.write_text(" ".join(read_text(path).split()[:40]) + "\n", encoding="utf-8")
    run = folder / "run"
    arguments = ["train", "lm", "--data", path, "--valid", str(valid), "--level", "whitespace", "--cell", "lstm",
                 "--layers", "2", "--hidden-size", "200", "--embedding-size", "200", "--dropout", "0", "--batch-size",
                 "20", "--bptt", "20", "--optimizer", "sgd", "--momentum", "0", "--lr", "1", "--schedule", "constant",
                 "--clip", "5", "--epochs", "1", "--threads", str(threads), "--run-dir", str(run), "--out",
                 str(folder / "lm.safetensors"), "--force", "--json"]
    subprocess.run([program, *arguments], check=True, capture_output=True)
    with (run / "metrics.csv").open() as file:
        row = next(csv.DictReader(file))
    return {"seconds": float(row["seconds"]), "loss": float(row["training_loss"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a text, .gz is read through; without it one is made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/carousel"))
    parser.add_argument("--python", default=str(ROOT / "build/peers/venv/bin/python"))
    parser.add_argument("--pytorch", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pytorch:
        pytorch(options.pytorch, options.threads)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = options.data or str(folder / "made.txt")
        if not options.data:
            Path(path).write_text(made_text(), encoding="utf-8")
        ours, theirs, ratios = [], [], []
        peer = {}
        for _ in range(options.rounds):
            ours.append(carousel(options.program, path, options.threads, folder))
            command = [options.python, __file__, "--pytorch", path, "--threads", str(options.threads)]
            peer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            theirs.append(peer)
            ratios.append(peer["seconds"] / ours[-1]["seconds"])
        print("| | seconds an epoch | tokens per second | mean loss of the epoch |\n| --- | --- | --- | --- |")
        for label, rows in (("Carousel", ours), (f"PyTorch {peer['version']}", theirs)):
            seconds = statistics.median(row["seconds"] for row in rows)
            loss = statistics.median(row["loss"] for row in rows)
            print(f"| {label} | {seconds:.2f} | {peer['tokens'] / seconds:.0f} | {loss:.3f} |")
        print(f"\nPyTorch's time over Carousel's, median of {options.rounds} turns: {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f}), {options.threads} thread(s), {os.cpu_count()} cores")


if __name__ == "__main__":
    sys.exit(main())
