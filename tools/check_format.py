#!/usr/bin/env python3
"""Fails if a file of the repository is not written the way the house writes.

usage: tools/check_format.py [ROOT]

Sources: ASCII, no tab, no blank at the end of a line, LF line ends, one newline at the end, at most 120 columns, no
open remark without the number of an issue, no path of one machine; C++ agrees with clang-format 14 if that is
installed (another version breaks lines elsewhere). Pages (*.md) and JSON may be wider, pages need not be ASCII.
"""
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COLUMNS = 120
SKIPPED = {".git", "build", "runs", "quickstart-run", "__pycache__", ".cache", "golden"}
SOURCES = {".h", ".cpp", ".inc", ".def", ".cmake", ".in", ".py", ".sh", ".json", ".toml", ".test"}
NAMES = {"CMakeLists.txt", "run", ".clang-format", ".clang-tidy", ".gitignore"}
CLANG_FORMAT_VERSION = "14."

OPEN_REMARK = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b(?!\(#\d+\))")
MACHINE_PATH = re.compile(r"(?<![\w.$}{*)])/(?:work|home|root|tmp|Users|mnt)/[A-Za-z.]")


def files(root):
    """Every file below `root` that people write, by its name."""
    queue = [root]
    while queue:
        for path in sorted(queue.pop().iterdir()):
            if path.is_dir() and not path.is_symlink():
                if path.name not in SKIPPED:
                    queue.append(path)
            elif path.suffix in SOURCES | {".md"} or path.name in NAMES:
                yield path


def text_problems(name, data):
    """Yields (line, what is wrong) for the bytes of one file."""
    if data and not data.endswith(b"\n"):
        yield data.count(b"\n") + 1, "no newline at the end"
    if data.endswith(b"\n\n"):
        yield data.count(b"\n"), "blank line at the end"
    page = name.endswith(".md")
    for number, raw in enumerate(data.split(b"\n"), 1):
        if b"\r" in raw:
            yield number, "carriage return: line ends are LF"
            raw = raw.replace(b"\r", b"")
        if b"\t" in raw:
            yield number, "tab"
        if raw.endswith((b" ", b"\t")):
            yield number, "blank at the end of the line"
        if not page and not raw.isascii():
            yield number, "not ASCII: write it as an escape"
        line = raw.decode("utf-8", errors="replace")
        if not name.endswith((".md", ".json", ".clang-tidy")) and len(line) > COLUMNS:
            yield number, f"{len(line)} columns, at most {COLUMNS}"
        if match := OPEN_REMARK.search(line):
            yield number, f"{match[1]} without the number of an issue: write {match[1]}(#12)"
        if match := MACHINE_PATH.search(line):
            yield number, f"path of one machine: {match[0]}..."


def clang_format():
    """The program's name; None if the right version is not installed."""
    for program in ("clang-format-14", "clang-format"):
        if shutil.which(program):
            answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
            if f"version {CLANG_FORMAT_VERSION}" in answer:
                return program
    return None


def clang_format_problems(program, root, paths):
    """Yields a line for each C++ file that clang-format would change."""
    def differs(path):
        run = subprocess.run([program, "--dry-run", "--Werror", str(path)], cwd=root, capture_output=True, check=False)
        return run.returncode != 0

    with ThreadPoolExecutor() as pool:
        for path, bad in zip(paths, pool.map(differs, paths)):
            if bad:
                yield f"{path.relative_to(root).as_posix()}: run {program} -i on it"


def check(root):
    """(problems, how many files were read)"""
    root = Path(root).resolve()
    problems, paths = [], sorted(files(root))
    for path in paths:
        name = path.relative_to(root).as_posix()
        problems += [f"{name}:{line}: {text}" for line, text in text_problems(name, path.read_bytes())]
    program = clang_format()
    if program:
        problems += clang_format_problems(program, root, [path for path in paths if path.suffix in (".h", ".cpp")])
    else:
        print("check_format: clang-format 14 is not installed, so C++ was checked without it")
    return problems, len(paths)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems, count = check(root)
    for line in problems:
        print(line)
    print(f"check_format: {count} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
