"""Rows out of what the race of bench/peers saved: training, lengths, two threads, steps, memory beside PyTorch."""
from collections.abc import Iterator

from target_rows.row import Row, at_least, at_most

FRAMEWORKS = ("torch", "torch_compiled", "keras", "jax")
TIMES = {"lstm": 1.5, "gru": 3.0, "rnn": 3.0}  # to the best of FRAMEWORKS
NEAR_PEAK = 256  # the hidden size from which a share of the peak is asked for
Peers = dict[str, dict]  # the rows of one case that were run, by peer


def ran(entry: dict) -> Peers:
    return {row["peer"]: row for row in entry["rows"] if "median_us" in row}


def against(work: str, bound: float, name: str, others: tuple[str, ...], peers: Peers) -> Row:
    """The smallest of the others' times over ours."""
    raced = [peer for peer in others if peer in peers]
    if not raced:
        return Row(work, f">= {bound:g} x {name}", "none of them was raced")
    best = min(raced, key=lambda peer: peers[peer]["ratio"])
    return at_least(work, bound, f"x {name}", peers[best]["ratio"], f" ({best})")


def training(work: str, cell: str, hidden_size: int, peers: Peers) -> Iterator[Row]:
    if cell == "lstm":
        yield against(work, 1, "oneDNN's primitive", ("onednn",), peers)
    yield against(work, TIMES[cell], "the best of PyTorch, Keras, JAX", FRAMEWORKS, peers)
    if hidden_size >= NEAR_PEAK:
        yield at_least(work, 75, "% of the FMA peak", 100 * peers["carousel"]["fraction_of_peak"])


def memory(work: str, entry: dict, peers: Peers) -> Iterator[Row]:
    if entry["threads"] > 1:
        return
    if "torch" not in peers or "peak_mb" not in peers["torch"]:
        yield Row(f"{work}, memory", "<= 0.5 x PyTorch's peak", "PyTorch was not raced, or by an older race.py")
        return
    ours, theirs = peers["carousel"]["peak_mb"], peers["torch"]["peak_mb"]
    yield at_most(f"{work}, memory", 0.5, "x PyTorch's peak", ours / theirs, f" ({ours:.0f} and {theirs:.0f} MB)")


def lengths(work: str, entry: dict, peers: Peers, equal: dict | None) -> Iterator[Row]:
    """`equal`: the same case with all lengths equal, if it was raced."""
    yield against(work, 5, "PyTorch's packed sequences", ("torch",), peers)
    bound = "within 10 % of proportional to the sum of lengths"
    if equal is None or "carousel" not in ran(equal):
        yield Row(work, bound, "equal lengths were not raced")
        return
    per_step = [ran(e)["carousel"]["median_us"] / e["steps_of_samples"] for e in (entry, equal)]
    value = per_step[0] / per_step[1]
    yield Row(work, bound, f"{value:.2f} x the time per step of equal lengths", abs(value - 1) <= 0.1)


def steps(work: str, peers: Peers) -> Row:
    others = tuple(peer for peer in peers if not peer.startswith("carousel"))
    return against(work, 1, "the best peer", others, peers)


def two_threads(entries: list[dict]) -> Iterator[Row]:
    times = {(e["case"], e["threads"]): ran(e)["carousel"]["median_us"] for e in entries if "carousel" in ran(e)}
    for (case, count), time in times.items():
        if count == 2 and (case, 1) in times:
            yield at_least(f"{case}, two threads", 1.7, "x one", times[case, 1] / time)


def rows(entries: list[dict]) -> Iterator[Row]:
    """Of the "results" that `bench/peers/run.sh --save` wrote."""
    by_case = {(entry["case"], entry["threads"]): entry for entry in entries}
    for entry in entries:
        cell, mode, sizes = entry["case"].split()
        hidden_size, peers = int(sizes.split(",")[3]), ran(entry)
        work = f"{entry['case']}, {entry['threads']} thread{'s' if entry['threads'] > 1 else ''}"
        if "carousel" not in peers:
            yield Row(work, "", "Carousel did not run")
        elif mode == "train":
            yield from training(work, cell, hidden_size, peers)
            yield from memory(work, entry, peers)
        elif mode == "lengths":
            yield from lengths(work, entry, peers, by_case.get((f"{cell} train {sizes}", entry["threads"])))
            yield from memory(work, entry, peers)
        elif mode == "step":
            yield steps(work, peers)
    yield from two_threads(entries)
    yield Row("step, f32, H = 8 .. 64", ">= 1 x RTNeural", "its source is on no registry")
