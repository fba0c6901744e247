#!/usr/bin/env python3
"""check_step_instructions.py VALGRIND PROGRAM: one step of a stream takes the same number of instructions for any data.

Oracle: callgrind, which counts every instruction from the entry of carousel::Stream::step to that of after_step(),
called right behind it. It writes one file for each step, in order; PROGRAM prints one line for each, "CELL FORMAT:
KIND". A step's "first" line is not compared: the first call of a kernel in a process looks up the instruction set.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

def counts_of_steps(valgrind, program, folder):
    """[(line printed, instructions)] for every step of the program."""
    base = os.path.join(folder, 'callgrind')
    command = [valgrind, '-q', '--tool=callgrind', f'--callgrind-out-file={base}',
               '--zero-before=carousel::Stream::step*', '--dump-before=after_step', program]
    environment = {**os.environ, 'LD_BIND_NOW': '1'}  # else the first call of a shared library's function looks it up
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout.splitlines()
    counts = []
    for path in sorted(glob.glob(base + '.*'), key=lambda name: int(name.rsplit('.', 1)[1])):
        with open(path, encoding='utf-8') as file:
            counts += [int(number) for number in re.findall(r'^totals: (\d+)', file.read(), re.MULTILINE)]
    if len(counts) != len(lines) or not lines:
        sys.exit(f'{program}: printed {len(lines)} steps, valgrind counted {len(counts)}')
    return list(zip(lines, counts))


def main():
    valgrind, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        steps = counts_of_steps(valgrind, program, folder)
    kinds = {}  # 'lstm f32' -> {instructions: [kind, ...]}
    for line, count in steps:
        name, kind = line.split(': ')
        if kind != 'first':
            kinds.setdefault(name, {}).setdefault(count, []).append(kind)
    for name, found in kinds.items():
        print(f'{name}: {", ".join(map(str, found))} instructions')
    failed = {name: found for name, found in kinds.items() if len(found) != 1}
    for name, found in failed.items():
        print(f'{name}: expected one number of instructions for any data, got {found}', file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
