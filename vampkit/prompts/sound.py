"""Prompts that listen: beats and onsets, from the sound or from times one gives."""

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


@prompt_type(word="beats", example="beats:after=0.075,which=down", bare=True, title="Beats: keep a moment at each beat")
class Beats(Prompt):
    """Keeps a moment at each beat.

    `~Beats()` keeps what lies between. A beat falls on the frame that starts at it or next after it, and windows are
    rounded up to frames, as in the reference code. A window with nothing before the beat therefore misses its attack,
    which is why 20 ms before it are kept unless told otherwise. Paper, section 3.4 and 4.4 (75 ms after each beat).

    Notebook: 09

    Parameters
    ----------
    before, after : float
        Seconds kept before each beat, and from it on.
    which : str
        "all" beats, the "down"beats alone, or "up": the beats that are no downbeats.
    every : int
        Each n-th of those, from the first on.
    beats : BeatGrid or iterable of float, optional
        Seconds of the beats, from a tracker, a file or one's own taps; or a BeatGrid, which has the downbeats too.
        Without them `LibrosaBeats` listens to the clip and guesses the downbeats.
    downbeats : iterable of float, optional
        Seconds of the downbeats.

    Raises
    ------
    ValueError
        For times out of order; by its mask for times beyond the sound, where no beat is found, and where there is
        neither a clip nor beats.
    """

    before: float = number("seconds kept before each", default=0.02, low=0, slider=MOMENT)
    after: float = number("seconds kept after each", default=0.075, low=0, slider=MOMENT)
    which: str = choice("which beats", WHICH, default="all")
    every: int = whole("every n-th of them", default=1, low=1, slider=Slider(1, 8))
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
        """Find the beats it goes by: its own, or those heard in the clip.

        Parameters
        ----------
        clip : Clip, optional
            The sound, for a prompt without beats of its own.

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

    As `onset` of the reference code's masks.

    Notebook: 09

    Parameters
    ----------
    before, after : float
        Seconds kept before each onset, and from it on.
    times : iterable of float, optional
        Seconds of the onsets. Without them librosa's detector listens to the clip, and goes back from each attack to
        the lull before it.

    Raises
    ------
    ValueError
        For times out of order; by its mask for times beyond the sound, where no onset is found, and where there is
        neither a clip nor times.
    """

    before: float = number("seconds kept before each", default=0.0, low=0, slider=MOMENT)
    after: float = number("seconds kept after each", default=0.075, low=0, slider=MOMENT)
    times: Iterable[float] | None = time_list(default=None)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        own = self.times
        found = own if own is not None else times_of(onset_times(_sound(self, clip, "times"), backtrack=True))
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
    """Keep windows around times in seconds.

    A time after the last frame's start has no frame of its own, and keeps only what its window reaches.
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
