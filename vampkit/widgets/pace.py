"""How long generating takes: measured in earlier runs, else from a rate."""

from __future__ import annotations

from statistics import median

RATE = 4e-5
"""Seconds a frame and a pass with the tiny models on two cores; used until a run was measured."""


class Pace:
    """Foretells the seconds a run takes. Work is counted in frames times passes, which the time grows with."""

    def __init__(self, rate: float = RATE):
        self.rate, self._seen = rate, []

    @property
    def measured(self) -> bool:
        """Whether a run was measured."""
        return bool(self._seen)

    def add(self, frames: int, passes: int, seconds: float) -> None:
        """Learn from a run of `passes` over `frames` frames that took `seconds`; the last nine count."""
        if frames * passes > 0 and seconds > 0:
            self._seen = [*self._seen[-8:], seconds / (frames * passes)]

    def seconds(self, frames: int, passes: int) -> float:
        """Seconds that a run is expected to take: the median rate of the earlier runs, else the rate given."""
        return frames * passes * (median(self._seen) if self._seen else self.rate)

    def words(self, frames: int, passes: int) -> str:
        """The same for people: "about 6 s" from runs that were measured, "roughly 6 s" from the rate."""
        expected = self.seconds(frames, passes)
        number = "1 s" if expected < 1.5 else f"{expected:.0f} s" if expected < 90 else f"{expected / 60:.0f} min"
        return f"{'about' if self.measured else 'roughly'} {number}"
