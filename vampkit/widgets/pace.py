"""How long generating takes: measured in earlier runs, and not known before the first."""

from __future__ import annotations

from statistics import median

UNKNOWN = "known after the first take"


class Pace:
    """Foretells the seconds a run takes, from runs that were measured.

    Work is counted in frames times passes, which the time grows with.
    """

    def __init__(self):
        self._seen: list[float] = []

    def add(self, frames: int, passes: int, seconds: float) -> None:
        """Learn from a run of `passes` over `frames` frames that took `seconds`; the last nine count."""
        if frames * passes > 0 and seconds > 0:
            self._seen = [*self._seen[-8:], seconds / (frames * passes)]

    def seconds(self, frames: int, passes: int) -> float | None:
        """Seconds that a run is expected to take, by the median rate of the earlier ones.

        None where none was measured.
        """
        return frames * passes * median(self._seen) if self._seen else None

    def words(self, frames: int, passes: int) -> str:
        """The same for people."""
        expected = self.seconds(frames, passes)
        return UNKNOWN if expected is None else f"about {in_words(expected)}"


def in_words(seconds: float) -> str:
    """A stretch of time, rounded as people do: "1 s", "45 s", "3 min"."""
    return "1 s" if seconds < 1.5 else f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
