"""A row of the table of targets, and how a figure is held against its bound."""
from dataclasses import dataclass

VERDICTS = {True: "met", False: "missed", None: "not run"}


@dataclass(frozen=True)
class Row:
    work: str
    target: str
    measured: str
    met: bool | None = None  # None: not run, and `measured` says why

    def line(self) -> str:
        return f"| {self.work} | {self.target} | {self.measured} | {VERDICTS[self.met]} |"


def number(value: float) -> str:
    """Three digits, more only where they stand before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def at_least(work: str, bound: float, unit: str, value: float, note: str = "") -> Row:
    return Row(work, f">= {bound:g} {unit}", number(value) + note, value >= bound)


def at_most(work: str, bound: float, unit: str, value: float, note: str = "") -> Row:
    return Row(work, f"<= {bound:g} {unit}", number(value) + note, value <= bound)
