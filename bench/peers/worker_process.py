"""One peer as a process: started for a case, asked for one slice of time after another. README.md has the protocol."""
import json
import os
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

from grid import Peer

HERE = Path(__file__).resolve().parent
PATIENCE = 300  # seconds for an answer: compiling a graph may take a minute


class NotRun(Exception):
    """Why a peer has no row."""


def environment(threads: int) -> dict[str, str]:
    """The same for every peer. Threads that wait spin a millisecond or two, then sleep, so that nobody computes against
    the idle threads of another."""
    counts = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu",
             "OPENVINO_TELEMETRY_OPT_OUT": "1"}
    return os.environ | counts | quiet | {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "1"}


def peak_mb(pid: int) -> float:
    """The largest resident size that a process has had, since forget_peak() if that was called, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024 / 1e6


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): "reset the peak resident set size"


class Worker:
    def __init__(self, peer: Peer, programs: Path, folder: Path, output: Path, threads: int):
        """Pins the process to `threads` cores. Throws NotRun with the reason if it cannot run the case."""
        if peer.worker.endswith(".py"):
            command = [sys.executable, str(HERE / "workers" / peer.worker)]
        else:
            command = [str(programs / peer.worker)]
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        shutil.rmtree(output, ignore_errors=True)  # what another run left is no result of this one
        output.mkdir(parents=True)
        self.log = (output / "log.txt").open("w+")
        try:
            self.process = subprocess.Popen(
                [*command, str(folder), str(output), peer.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.log, env=environment(threads), preexec_fn=lambda: os.sched_setaffinity(0, cores))
        except OSError as error:
            self.log.close()
            raise NotRun(f"{command[0]}: {error.strerror}") from error
        try:
            self.version = str(self._answer()["version"])
        except NotRun:
            self.close()
            raise
        forget_peak(self.process.pid)  # writing the results that are checked is no part of a step

    def slice(self) -> float:
        """The median time in microseconds over about 0.3 seconds."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(b"run\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise NotRun(f"ended by itself: {self._last_words()}") from error
        return float(self._answer()["median_us"])

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def _answer(self) -> dict[str, object]:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            raise NotRun(f"no answer in {PATIENCE} s")
        text = self.process.stdout.readline()
        if not text:
            raise NotRun(f"ended by itself: {self._last_words()}")
        answer = json.loads(text)
        if "error" in answer:
            raise NotRun(str(answer["error"]))
        return answer

    def _last_words(self) -> str:
        self.process.wait()
        self.log.flush()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return lines[-1][:200] if lines else f"exit status {self.process.returncode}"
