"""From the times of the rounds to the rows of the table."""
import statistics
from dataclasses import dataclass, field

from grid import Case, operations


@dataclass
class Row:
    """One peer in one case. Times in microseconds, of one step in mode "step", else of the whole batch."""
    peer: str
    version: str = ""
    note: str = ""
    reason: str = ""  # not empty: the peer was not run
    times: list[float] = field(default_factory=list)  # one per round
    error_y: float = 0.0         # largest absolute error of the outputs
    error_gradients: float = 0.0  # largest error of a gradient over that gradient's largest element; 0: none
    peak_mb: float = 0.0  # the largest resident size of its process while it was timed


def ratio(row: Row, ours: Row) -> float:
    """The peer's time over ours, the median of the rounds: above 1 we are faster."""
    return statistics.median(theirs / own for theirs, own in zip(row.times, ours.times, strict=True))


def spread(times: list[float]) -> float:
    return (max(times) - min(times)) / statistics.median(times)


def gflops(case: Case, rows: int, row: Row) -> float:
    per_time = operations(case, rows) / (case.T if case.mode == "step" else 1)
    return per_time / statistics.median(row.times) * 1e-3


def figures(case: Case, rows: int, row: Row, ours: Row | None, peak: float) -> dict[str, object]:
    """Everything about one row as plain data: what --save writes."""
    result: dict[str, object] = {"peer": row.peer, "version": row.version}
    if row.reason:
        return result | {"not_run": row.reason}
    speed = gflops(case, rows, row)
    result |= {"median_us": statistics.median(row.times), "min_us": min(row.times), "spread": spread(row.times),
               "times_us": row.times, "gflops": speed, "fraction_of_peak": speed / peak, "peak_mb": row.peak_mb,
               "error_y": row.error_y}
    if row.error_gradients:
        result["error_gradients"] = row.error_gradients
    if ours is not None and not ours.reason:
        result["ratio"] = ratio(row, ours)
    return result


HEAD = (f"  {'peer':<15}{'median us':>12}{'min us':>12}{'spread':>8}{'ratio':>8}{'GFLOP/s':>9}{'of peak':>9}"
        f"{'MB':>8}{'error y':>10}{'error d':>10}  version")


def microseconds(time: float) -> str:
    return f"{time:>12.3f}" if time < 1000 else f"{time:>12.0f}"


def line(entry: dict[str, object], note: str) -> str:
    """One line of the table from what figures() gives."""
    if "not_run" in entry:
        return f"  {entry['peer']:<15}not run: {entry['not_run']}"
    times = f"{microseconds(entry['median_us'])}{microseconds(entry['min_us'])}{entry['spread']:>8.0%}"
    against = f"{entry['ratio']:>8.2f}" if "ratio" in entry else f"{'-':>8}"
    speed = f"{entry['gflops']:>9.2f}{entry['fraction_of_peak']:>9.1%}{entry['peak_mb']:>8.0f}"
    gradients = f"{entry['error_gradients']:>10.1e}" if "error_gradients" in entry else f"{'-':>10}"
    return (f"  {entry['peer']:<15}{times}{against}{speed}{entry['error_y']:>10.1e}{gradients}  "
            f"{entry['version']}{', ' + note if note else ''}")


def proportion(rows: dict[str, tuple[float, int]], equal: dict[str, tuple[float, int]]) -> list[str]:
    """Per peer: time per step of a sample with unequal lengths over the same with equal lengths (1: proportional to the
    sum of the lengths). Both map a peer to (median time, sum of the lengths)."""
    lines = []
    for peer, (time, count) in rows.items():
        if peer in equal:
            value = (time / count) / (equal[peer][0] / equal[peer][1])
            lines.append(f"  {peer:<15}{value:>8.2f} x the time per step of a sample that equal lengths take")
    return lines
