#!/usr/bin/env python3
"""Runs one or more .test files against the program and ends in "N passed, N failed" (exit status 1 if any failed).

Usage: run_cli_tests.py PROGRAM FILE.test ...

A .test file is a list of cases, each a block of "key: value" lines; blank lines separate the blocks, # starts a
comment. A value goes on in the lines below that are indented by two spaces. The cases of one file run in order in one
empty temporary folder, so that a later one can use what an earlier one made.

    file: NAME    writes a file: the indented lines below
    case: TEXT    what the case shows, as a sentence
    run: COMMAND  a bash command; `carousel` is the program, $SOURCE the repository
    tty: COMMAND  the same with a terminal of 100 columns as input and output; `out` is then everything that it shows
    exit: N       expected exit status (0 if left out)
    out: REGEX    must be found in standard output (^ and $ match at line ends); several may be given
    err: REGEX    the same for standard error
    out-not: / err-not: REGEX   must not be found
    check: EXPR   a Python expression over out, err, status, seconds, json(text), read(file), exists(file)
"""
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import time

TIMEOUT = 120


def blocks(path):
    """Yields (line number, [(key, value), ...]) of each block."""
    block, start = [], 0
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines + [""], 1):
        if line.startswith("  ") and block:
            block[-1] = (block[-1][0], block[-1][1] + "\n" + line[2:])
        elif not line.strip():
            if block:
                yield start, block
            block = []
        elif not line.startswith("#"):
            key, colon, value = line.partition(":")
            if not colon:
                sys.exit(f"{path}:{number}: expected 'key: value'")
            if not block:
                start = number
            block.append((key, value.strip()))


def run_plain(command, environment, folder):
    p = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, timeout=TIMEOUT,
                       stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")


def run_terminal(command, environment, folder):
    master, slave = pty.openpty()
    command = "stty cols 100 -onlcr; " + command
    p = subprocess.Popen(["bash", "-c", command], cwd=folder, env={**environment, "TERM": "xterm"}, stdin=slave,
                         stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown, deadline = b"", time.time() + TIMEOUT
    while time.time() < deadline:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the terminal has no writer any more
            break
        if not piece:
            break
        shown += piece
    status = p.wait(timeout=TIMEOUT)
    os.close(master)
    return status, shown.decode("utf-8", "replace"), ""


def problems_of(block, environment, folder):
    """Runs one case; returns a list of what is wrong with it."""
    commands = [(key, value) for key, value in block if key in ("run", "tty")]
    if len(commands) != 1:
        return ["a case needs exactly one run: or tty: line"]
    kind, command = commands[0]
    start = time.time()
    try:
        status, out, err = (run_plain if kind == "run" else run_terminal)(command, environment, folder)
    except subprocess.TimeoutExpired:
        return [f"no end after {TIMEOUT} s"]
    seconds = time.time() - start
    names = {
        "out": out, "err": err, "status": status, "seconds": seconds, "json": json.loads,
        "read": lambda name: open(os.path.join(folder, name), encoding="utf-8").read(),
        "exists": lambda name: os.path.exists(os.path.join(folder, name)),
    }
    problems = []
    expected = [value for key, value in block if key == "exit"] or ["0"]
    if status != int(expected[0]):
        problems.append(f"exit status {status}, expected {expected[0]}")
    for key, value in block:
        text = out if key.startswith("out") else err
        if key in ("out", "err") and not re.search(value, text, re.M):
            problems.append(f"{key} does not match {value}")
        elif key in ("out-not", "err-not") and re.search(value, text, re.M):
            problems.append(f"{key[:3]} matches {value}")
        elif key == "check":
            try:
                if not eval(f"({value})", names):
                    problems.append(f"not true: {value}")
            except Exception as error:  # whatever the expression throws is a failed check
                problems.append(f"{value}: {type(error).__name__}: {error}")
        elif key not in ("case", "run", "tty", "exit", "out", "err", "out-not", "err-not"):
            problems.append(f"unknown key {key}")
    if problems:
        problems.append(f"ran: {command}\n    stdout: {out[-1500:]!r}\n    stderr: {err[-1500:]!r}")
    return problems


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CAROUSEL_") and k != "NO_COLOR"}
    environment["SOURCE"] = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    environment["PATH"] = os.path.dirname(program) + ":" + environment["PATH"]
    passed = failed = 0
    for path in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            for number, block in blocks(path):
                if block[0][0] == "file":
                    name, _, text = block[0][1].partition("\n")
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                        f.write(text + "\n")
                    continue
                title = dict(block).get("case", "?")
                problems = problems_of(block, environment, folder)
                passed, failed = passed + (not problems), failed + bool(problems)
                if problems:
                    print(f"{path}:{number}: FAILED: {title}\n    " + "\n    ".join(problems))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
