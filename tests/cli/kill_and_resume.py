#!/usr/bin/env python3
"""Kills trainings at random moments, goes on with `resume`, and compares with the same training left alone: the model
file byte for byte, metrics.csv but for its seconds. Ends in "N passed, N failed" (exit status 1 if any failed).

Usage: kill_and_resume.py PROGRAM [KILLS [SEED]]     KILLS: of each training, at most (default 5); SEED: of the moments
"""
import array
import csv
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import wave

# Every task, and every way in which one remembers something from batch to batch.
TRAININGS = {
    "lm": "lm --data book.txt --level char --hidden-size 24 --epochs 3 --dropout 0.2",
    "lm-asgd": "lm --data book.txt --level word --hidden-size 16 --epochs 4 --average asgd --lr 0.05 --optimizer sgd",
    "classify": "classify --data reviews.tsv --hidden-size 8 --embedding-size 8 --epochs 8 --dropout 0.3",
    "forecast": "forecast --data series.csv --horizon 4 --window 24 --hidden-size 8 --epochs 4 --input-noise 0.1",
    "forecast-stateful": "forecast --data series.csv --horizon 4 --window 24 --hidden-size 8 --epochs 4 --stateful",
    "impute": "impute --data holes.csv --hidden-size 8 --epochs 3",
    "regress": "regress --data numbers.csv --target y --hidden-size 8 --epochs 12 --dropout 0.2",
    "tag": "tag --data words.txt --tags tags.txt --hidden-size 8 --embedding-size 8 --epochs 5",
    "translate": "translate --data pairs.tsv --hidden-size 16 --epochs 4 --scheduled-sampling 0.3",
    "transcribe": "transcribe --data sounds.tsv --hidden-size 8 --epochs 5",
}
SECONDS = ("seconds", "batch_seconds")  # columns of metrics.csv


def make_data(r):
    words = "the film was a very long story of some old house by a sea".split()
    with open("book.txt", "w") as f:
        for _ in range(300):
            print(*r.choices(words, k=8), file=f)
    with open("reviews.tsv", "w") as f:
        print("label\ttext", file=f)
        for i in range(160):
            print(("neg", "pos")[i % 2] + "\t" + " ".join(r.choices(words, k=5) + [("awful", "superb")[i % 2]]), file=f)
    with open("series.csv", "w") as f, open("holes.csv", "w") as g:
        print("time,y", file=f)
        print("time,y", file=g)
        for t in range(600):
            when = time.strftime("%Y-%m-%d %H:00", time.gmtime(1.6e9 + 3600 * t))
            y = f"{10 + 3 * math.sin(t / 24 * 2 * math.pi) + r.gauss(0, 0.5):.3f}"
            print(when, y, sep=",", file=f)
            print(when, "" if 100 < t < 110 else y, sep=",", file=g)
    with open("numbers.csv", "w") as f:
        print("a,b,y", file=f)
        for _ in range(300):
            a, b = r.gauss(0, 1), r.gauss(0, 1)
            print(f"{a:.3f},{b:.3f},{a * b + r.gauss(0, 0.1):.3f}", file=f)
    with open("words.txt", "w") as f, open("tags.txt", "w") as g:
        for _ in range(200):
            way, kind = r.choice([("from", "B-start"), ("to", "B-end")])
            print("fly", way, r.choice(["boston", "denver", "rome"]), file=f)
            print("O O", kind, file=g)
    with open("pairs.tsv", "w") as f:
        for n in range(400):
            word = "".join(r.choices("abcd", k=1 + n % 4))
            print(word + "\t" + " ".join(word.upper()), file=f)
    with open("sounds.tsv", "w") as table:
        print("audio\ttext", file=table)
        for n in range(30):
            chosen = r.choices(["low", "high"], k=2)
            samples = [round(9000 * math.sin(2 * math.pi * (300 if w == "low" else 2200) * i / 8000))
                       for w in chosen for i in range(900)]
            with wave.open(f"{n}.wav", "wb") as f:
                f.setnchannels(1)
                f.setsampwidth(2)
                f.setframerate(8000)
                f.writeframes(array.array("h", samples).tobytes())
            print(f"{n}.wav\t{' '.join(chosen)}", file=table)


def metrics(run_dir):
    with open(f"{run_dir}/metrics.csv") as f:
        return [{k: v for k, v in row.items() if k not in SECONDS} for row in csv.DictReader(f)]


def content(path):
    with open(path, "rb") as f:
        return f.read()


def start(program, words):
    return subprocess.Popen([program, *words.split(), "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def check(program, name, options, kills, r):
    """Returns what is wrong; empty: nothing."""
    began = time.monotonic()
    alone = start(program, f"train {options} --out {name}-a.st --run-dir {name}-a --threads 1")
    error = alone.communicate()[1].decode()
    if alone.returncode != 0:
        return f"exit status {alone.returncode}: {error}"
    seconds = time.monotonic() - began
    if os.path.exists(f"{name}-a/resume.toml") or os.path.exists(f"{name}-a/checkpoint.safetensors"):
        return "a training that came to its end leaves its checkpoints"
    words = f"train {options} --out {name}-b.st --run-dir {name}-b --threads 1 --checkpoint-every 1e-6"
    killed = 0
    for attempt in range(10 * kills + 10):
        process = start(program, words)
        if killed < kills:
            time.sleep(r.uniform(0, seconds))
            process.send_signal(signal.SIGKILL)
        error = process.communicate()[1].decode()
        if process.returncode == -signal.SIGKILL:
            killed += 1
            if os.path.exists(f"{name}-b/resume.toml"):
                words = f"resume {name}-b --threads {1 + attempt % 2}"
            elif os.path.exists(f"{name}-b.st"):
                break  # it had come to its end before
        elif process.returncode == 0:
            break
        else:
            return f"exit status {process.returncode} after {killed} kills: {error}"
    else:
        return "came to no end"
    if content(f"{name}-a.st") != content(f"{name}-b.st"):
        return f"another model after {killed} kills"
    if metrics(f"{name}-a") != metrics(f"{name}-b"):
        return f"another metrics.csv after {killed} kills"
    print(f"{name}: the same after {killed} kills", flush=True)
    return ""


def main():
    program = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    r = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_data(r)
        for name, options in TRAININGS.items():
            wrong = check(program, name, options, kills, r)
            if wrong:
                failed += 1
                print(f"FAILED {name}: {wrong}", flush=True)
    print(f"{len(TRAININGS) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
