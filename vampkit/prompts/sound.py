"""Prompts that listen: they keep beats or onsets, which are found in the sound or given as times."""

from __future__ import annotations

from collections.abc import Iterable

from jaxtyping import Bool
from torch import Tensor

from vampkit import masks
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.prompts.base import Prompt, prompt_type
from vampkit.prompts.beats import WHICH, BeatGrid, LibrosaBeats, onset_times
from vampkit.prompts.values import Slider, choice, number, time_list, times_of, whole

__all__ = ["Beats", "Onsets"]

MOMENT = Slider(0, 0.5, 0.005)
LONGEST_MOMENT = 30.0
"""Seconds kept around a beat or an onset at most."""


@prompt_type(word="beats", example="beats:after=0.075,which=down", bare=True, title="Beats: keep a moment at each beat")
class Beats(Prompt):
    """Keeps a moment at each beat.

    `~Beats()` keeps what lies between the beats. Times are rounded up to whole frames, as in the reference code. So the
    frame of a beat can start after the beat, and with `before=0` the attack would be missed. This is why 20 ms before
    each beat are kept by default. Paper, sections 3.4 and 4.4 (75 ms after each beat).

    Notebook: 09

    Parameters
    ----------
    before, after : float
        Seconds kept before and after each beat.
    which : str
        "all" beats, only the "down"beats, or only the "up"beats (all that are not downbeats).
    every : int
        Use only every n-th of these, starting with the first.
    beats : BeatGrid or iterable of float, optional
        Times of the beats in seconds, from a tracker, a file or your own taps; or a BeatGrid, which also has downbeats.
        Without them `LibrosaBeats` finds the beats of the clip and guesses the downbeats.
    downbeats : iterable of float, optional
        Times of the downbeats in seconds.

    Raises
    ------
    ValueError
        For times out of order. `mask` raises it for times beyond the end of the sound, if no beat is found, or if there
        is neither a clip nor beats.
    """

    before: float = number("seconds kept before each", default=0.02, low=0, most=LONGEST_MOMENT, slider=MOMENT)
    after: float = number("seconds kept after each", default=0.075, low=0, most=LONGEST_MOMENT, slider=MOMENT)
    which: str = choice("which beats", WHICH, default="all")
    every: int = whole("every n-th of them", default=1, low=1, most=2**20, slider=Slider(1, 8))
    beats: BeatGrid | Iterable[float] | None = time_list(default=None)
    downbeats: Iterable[float] | None = time_list(default=None)

    def __post_init__(self):
        if isinstance(self.beats, BeatGrid):
            self._set("downbeats", self.beats.downbeats)
            self._set("beats", self.beats.beats)
        super().__post_init__()
        if self.beats is not None and self.which != "all" and not self.downbeats:
            raise ValueError(
                f'which="{self.which}" needs downbeats, beats alone were given; '
                "give downbeats=..., or those of vampkit.beats.guess_downbeats"
            )

    def grid(self, clip: Clip | None = None) -> BeatGrid:
        """Give the beats of the prompt: those it was made with, or else those found in the clip.

        Parameters
        ----------
        clip : Clip, optional
            The sound; needed if the prompt was made without beats.

        Returns
        -------
        BeatGrid
            The beats.

        Raises
        ------
        ValueError
            If there is neither a clip nor beats.
        """
        if self.beats is not None or self.downbeats is not None:
            return BeatGrid(self.beats or (), self.downbeats or ())
        return LibrosaBeats().track(_sound(self, clip, "beats"))

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return _around(self, self.grid(clip).times(self.which, self.every), "beat", tokens)


@prompt_type(word="onsets", example="onsets:after=0.05", bare=True, title="Onsets: keep a moment at each note")
class Onsets(Prompt):
    """Keeps a moment at each onset, the start of a note.

    In the reference code this is the mask `onset`.

    Notebook: 09

    Parameters
    ----------
    before, after : float
        Seconds kept before and after each onset.
    times : iterable of float, optional
        Times of the onsets in seconds. Without them librosa's detector finds them in the clip. It gives the minimum of
        energy before each attack.

    Raises
    ------
    ValueError
        For times out of order. `mask` raises it for times beyond the end of the sound, if no onset is found, or if
        there is neither a clip nor times.
    """

    before: float = number("seconds kept before each", default=0.0, low=0, most=LONGEST_MOMENT, slider=MOMENT)
    after: float = number("seconds kept after each", default=0.075, low=0, most=LONGEST_MOMENT, slider=MOMENT)
    times: Iterable[float] | None = time_list(default=None)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        own = self.times
        found = (
            own if own is not None else times_of(onset_times(_sound(self, clip, "times"), backtrack=True, opening=True))
        )
        return _around(self, found, "onset", tokens)


def _sound(prompt: Prompt, clip: Clip | None, own: str) -> Clip:
    if clip is None:
        raise ValueError(
            f"{prompt!r} listens to the sound, and only tokens were given; give the clip too, or {own}=..."
        )
    return clip


def _around(
    prompt: Beats | Onsets, times: tuple[float, ...], what: str, tokens: Tokens
) -> Bool[Tensor, "codebooks frames"]:
    """Make the mask that keeps a window around each of the times, in seconds.

    Times are rounded up to frames. A time within the last frame is rounded up to a frame beyond the end; only those
    frames of its window that exist are kept.
    """
    if not times:
        raise ValueError(f"no {what} was found for {prompt!r}; choose a sound that has some, or give their times")
    if times[-1] > tokens.seconds + 1e-9:
        raise ValueError(
            f"the {what} at {times[-1]:.2f} s lies beyond the end of the sound, {tokens.seconds:.2f} s; leave it out"
        )
    at = [tokens.frames_of(time) for time in times]
    before, after = tokens.frames_of(prompt.before), tokens.frames_of(prompt.after)
    return masks.windows(tokens.codebooks, tokens.frames, at, before, after)
