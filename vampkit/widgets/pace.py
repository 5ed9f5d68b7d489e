"""How long generating takes, by earlier runs; not known before the first."""

from __future__ import annotations

from statistics import median

UNKNOWN = "known after the first take"


class Pace:
    """Estimates the seconds that a run takes from earlier ones: the time grows with frames times passes."""

    def __init__(self):
        self._seen: list[float] = []

    def add(self, frames: int, passes: int, seconds: float) -> None:
        """Learn from a run of `passes` over `frames` frames that took `seconds`; the last nine count."""
        if frames * passes > 0 and seconds > 0:
            self._seen = [*self._seen[-8:], seconds / (frames * passes)]

    def seconds(self, frames: int, passes: int) -> float | None:
        """Seconds that a run is expected to take, by the median rate of earlier ones; None before the first."""
        return frames * passes * median(self._seen) if self._seen else None

    def words(self, frames: int, passes: int) -> str:
        """The same in words."""
        expected = self.seconds(frames, passes)
        return UNKNOWN if expected is None else f"about {in_words(expected)}"


def in_words(seconds: float) -> str:
    """A stretch of time in round words: "1 s", "45 s", "3 min"."""
    return "1 s" if seconds < 1.5 else f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
