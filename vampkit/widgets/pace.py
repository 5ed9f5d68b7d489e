"""Estimating how long generating takes, from earlier runs."""

from __future__ import annotations

from statistics import median

UNKNOWN = "known after the first take"


class Pace:
    """Estimates the seconds that a run takes. They are assumed to be proportional to frames times passes."""

    def __init__(self):
        self._seen: list[float] = []

    def add(self, frames: int, passes: int, seconds: float) -> None:
        """Add a run of `passes` over `frames` frames that took `seconds`. Only the last nine runs are kept."""
        if frames * passes > 0 and seconds > 0:
            self._seen = [*self._seen[-8:], seconds / (frames * passes)]

    def seconds(self, frames: int, passes: int) -> float | None:
        """Expected seconds of a run, from the median speed of earlier runs; None before the first run."""
        return frames * passes * median(self._seen) if self._seen else None

    def words(self, frames: int, passes: int) -> str:
        """The expected time as a text."""
        expected = self.seconds(frames, passes)
        return UNKNOWN if expected is None else f"about {in_words(expected)}"


def in_words(seconds: float) -> str:
    """A rounded time as a text: "1 s", "45 s", "3 min"."""
    return "1 s" if seconds < 1.5 else f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
