"""Runs a program of the build and says what it took."""
import array
import json
import os
import re
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path("build/release/bin")  # targets.py works in the repository's folder
CAROUSEL = PROGRAMS / "carousel"


class Failed(Exception):
    """A program did not run; the message is its own."""


@dataclass(frozen=True)
class Finished:
    output: str
    notes: str  # what it wrote to the standard error
    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(*command: object, program: Path = CAROUSEL) -> Finished:
    words = [str(program), *map(str, command)]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as notes:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(words, stdout=output, stderr=notes)
        except OSError as error:
            raise Failed(f"{program}: {error.strerror}") from error
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        notes.seek(0)
        finished = Finished(output.read(), notes.read(), seconds, usage.ru_utime + usage.ru_stime,
                            usage.ru_maxrss * 1024 / 1e6)
    if process.returncode != 0:
        raise Failed(((finished.notes or finished.output).strip().splitlines() or [f"{words[0]} failed"])[-1])
    return finished


def run_json(*command: object) -> dict:
    return json.loads(run(*command, "--json").output)


def megabytes(pattern: str, notes: str) -> float:
    """The size that the first group of the pattern finds in the notes of a run, "651 MB" or "1.2 GB"."""
    found = re.search(pattern, notes)
    if not found:
        raise Failed(f"no '{pattern}' in what the program said")
    value, unit = found[1].split()
    return float(value) * (1000 if unit == "GB" else 1)


def write_npy(path: Path, shape: tuple[int, ...], values: array.array) -> None:
    """float32 in C order."""
    header = repr({"descr": "<f4", "fortran_order": False, "shape": shape})
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values.tobytes())
