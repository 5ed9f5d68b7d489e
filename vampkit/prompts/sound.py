"""Prompts that listen: beats and onsets, from the sound or from times one gives."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from torch import Tensor

from vampkit import masks
from vampkit.codec import Tokens
from vampkit.prompts.base import Prompt, number, prompt_type, whole
from vampkit.prompts.beats import BeatGrid, LibrosaBeats, onset_times, times_of

if TYPE_CHECKING:
    from vampkit.audio import Clip


@prompt_type
class Beats(Prompt):
    """Keeps a window around each beat, from `before` seconds before it to `after` seconds after it.

    `~Beats()` keeps what lies between.

    which: "all" beats, "down"beats alone, or "up": the beats that are no downbeats. every: each n-th of those, from the
    first on.
    beats, downbeats: times in seconds, from a tracker, a file or one's own taps, or a BeatGrid in place of beats;
    without them LibrosaBeats listens to the clip and guesses the downbeats. A time falls to the frame that starts at or
    after it, and windows are rounded up to frames, as in the reference: with nothing before it the window misses the
    beat's attack, which is why 20 ms before it are kept unless told otherwise. Raises ValueError for times out of order
    or beyond the sound, where no beat is found, and where there is neither a clip nor beats. Paper: section 3.4 and 4.4
    (75 ms after each beat). Notebook: 09.
    """

    before: float = 0.02
    after: float = 0.075
    which: str = "all"
    every: int = 1
    beats: tuple[float, ...] | None = field(default=None, repr=False)
    downbeats: tuple[float, ...] | None = field(default=None, repr=False)

    def __post_init__(self):
        number(self, "before", 0)
        number(self, "after", 0)
        whole(self, "every", 1)
        if self.which not in ("all", "down", "up"):
            raise ValueError(f'which is {self.which!r}, "all", "down" or "up" was expected')
        if isinstance(self.beats, BeatGrid):
            object.__setattr__(self, "downbeats", self.beats.downbeats)
            object.__setattr__(self, "beats", self.beats.beats)
        for name in ("beats", "downbeats"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, times_of(getattr(self, name), name))
        if self.beats is not None and self.which != "all" and not self.downbeats:
            raise ValueError(
                f'which="{self.which}" needs downbeats, beats alone were given; give downbeats=..., or those of vampkit.beats.guess_downbeats'
            )

    def grid(self, clip: Clip | None = None) -> BeatGrid:
        """The beats it goes by: its own, or those heard in the clip."""
        if self.beats is not None or self.downbeats is not None:
            return BeatGrid(self.beats or (), self.downbeats or ())
        return LibrosaBeats().track(_sound(self, clip, "beats"))

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return _around(self, self.grid(clip).times(self.which, self.every), "beat", tokens)


@prompt_type
class Onsets(Prompt):
    """Keeps a window around each onset, the start of a note.

    From `before` seconds before it to `after` seconds after it.

    times: onsets in seconds; without them librosa's detector listens to the clip, and goes back to the lull before each
    attack. Raises ValueError for times out of order or beyond the sound, where no onset is found, and where there is
    neither a clip nor times. Source: the reference's code (vampnet c). Notebook: 09.
    """

    before: float = 0.0
    after: float = 0.075
    times: tuple[float, ...] | None = field(default=None, repr=False)

    def __post_init__(self):
        number(self, "before", 0)
        number(self, "after", 0)
        if self.times is not None:
            object.__setattr__(self, "times", times_of(self.times, "times"))

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        times = (
            self.times if self.times is not None else times_of(onset_times(_sound(self, clip, "times"), backtrack=True))
        )
        return _around(self, times, "onset", tokens)


def _sound(prompt: Prompt, clip: Clip | None, own: str) -> Clip:
    if clip is None:
        raise ValueError(
            f"{prompt!r} listens to the sound, and only tokens were given; give the clip too, or {own}=..."
        )
    return clip


def _around(prompt: Beats | Onsets, times: tuple[float, ...], what: str, tokens: Tokens) -> Tensor:
    """Windows around times in seconds.

    A time just behind the last frame's start has no frame of its own left, and keeps what its window reaches.
    """
    if not times:
        raise ValueError(f"no {what} was found for {prompt!r}; choose a sound that has some, or give their times")
    if times[-1] > tokens.seconds + 1e-9:
        raise ValueError(
            f"the {what} at {times[-1]:.2f} s lies beyond the end of the sound, {tokens.seconds:.2f} s; leave it out"
        )
    at = [tokens.frames_of(time) for time in times]
    return masks.windows(
        tokens.codebooks, tokens.frames, at, tokens.frames_of(prompt.before), tokens.frames_of(prompt.after)
    )
