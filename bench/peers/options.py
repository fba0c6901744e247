"""The options of run.sh. Imports nothing but the standard library, so that --help needs no installation."""
import argparse
from dataclasses import dataclass
from pathlib import Path

from grid import FULL, PEERS, QUICK, Case, Peer

ROUNDS, QUICK_ROUNDS = 7, 3


@dataclass
class Settings:
    cases: list[Case]
    peers: list[Peer]
    threads: list[int]
    rounds: int
    save: Path | None


def threads(text: str) -> list[int]:
    counts = [int(count) for count in text.split(",")]
    if min(counts) < 1:
        raise ValueError(text)
    return counts


def read_options() -> Settings:
    parser = argparse.ArgumentParser(
        prog="bench/peers/run.sh",
        description="Races Carousel against its peers on the same shapes, weights and inputs and prints the table.")
    parser.add_argument("--quick", action="store_true", help="three training cases, two of steps, fewer rounds")
    parser.add_argument("--only", metavar="WORD", action="append", default=[],
                        help="only cases with this word in their name (cell, mode, T,N,C,H,L); all words if repeated")
    parser.add_argument("--peers", metavar="A,B", help="only these peers: " + ", ".join(peer.name for peer in PEERS))
    parser.add_argument("--threads", metavar="K,...", type=threads, default=[1, 2],
                        help="numbers of threads, one after another [1,2]; steps run on the first only")
    parser.add_argument("--save", metavar="FILE.json", type=Path, help="write all figures and times as JSON")
    given = parser.parse_args()
    cases = [case for case in (QUICK if given.quick else FULL) if all(word in case.name for word in given.only)]
    if not cases:
        parser.error(f"--only {' '.join(given.only)}: no case has it in its name")
    wanted = given.peers.split(",") if given.peers else [peer.name for peer in PEERS]
    unknown = set(wanted) - {peer.name for peer in PEERS}
    if unknown:
        parser.error(f"--peers {','.join(sorted(unknown))}: expected some of {', '.join(peer.name for peer in PEERS)}")
    return Settings(cases, [peer for peer in PEERS if peer.name in wanted], given.threads,
                    QUICK_ROUNDS if given.quick else ROUNDS, given.save)


if __name__ == "__main__":
    read_options()
