"""Prompts that change the length: adding sound before or after, cutting a loop, slowing down.

Their `prepare` returns new tokens and the mask of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor

from vampkit import masks
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.files.outer import MOST_FRAMES, MOST_SECONDS
from vampkit.prompts.base import Prompt, prompt_type
from vampkit.prompts.beats import LibrosaBeats
from vampkit.prompts.frames import Everything, Periodic, frames_within
from vampkit.prompts.values import Slider, inner, number, time_list, whole

__all__ = ["Continuation", "Loop", "Outpaint", "Stretch"]


def check_frames(prompt: Prompt, frames: int) -> None:
    """Raise ValueError, before memory is taken, if a prompt makes too long a sound."""
    if frames > MOST_FRAMES:
        raise ValueError(
            f"{prompt!r} makes {frames} frames, at most {MOST_FRAMES} (5 hours) were expected; ask for less"
        )


HALF = Slider(0.1, 1, 0.1, start=0.5, of_length=True)
"""At first half of the sound."""
ONWARD = {"mask_temperature": 40.0}
"""Recommended for adding sound. If only the most confident guesses stay, each window ends quieter than it began."""


@prompt_type(word="outpaint", example="outpaint:1,5", title="Outpainting: add before and after")
class Outpaint(Prompt):
    """Keeps the whole sound and adds seconds before and after it, to be generated.

    If the sound fills its last frame only in part, and seconds are added after it, that frame is generated again, since
    its rest is silence. The recommended mask temperature is 40, so that long additions do not fade out. Paper, section
    3.4 (prefix and suffix prompts).

    Notebook: 08

    Parameters
    ----------
    before, after : float
        Seconds to add. The seconds before the sound are rounded up to whole frames.
    """

    before: float = number("seconds before", default=0.0, low=0, most=MOST_SECONDS, slider=Slider(0, 10, 0.1, start=1))
    after: float = number("seconds after", default=0.0, low=0, most=MOST_SECONDS, slider=Slider(0, 10, 0.1, start=1))
    recommended: ClassVar[dict[str, float]] = ONWARD

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        lead, added = self.shift(tokens), round(self.after * tokens.rate)
        frames = -(-(tokens.length + added) // tokens.hop) if added else tokens.frames
        kept = min(tokens.length // tokens.hop, tokens.frames) if added else tokens.frames
        check_frames(self, lead + frames)
        codes = tokens.codes.new_zeros(*tokens.codes.shape[:-1], lead + frames)
        codes[..., lead : lead + kept] = tokens.codes[..., :kept]
        made = tokens.replace(codes=codes, length=lead * tokens.hop + tokens.length + added)
        return made, ~masks.gap(tokens.codebooks, lead + frames, lead, lead + kept)

    def shift(self, tokens: Tokens) -> int:
        return tokens.frames_of(self.before)


@prompt_type(word="continuation", example="continuation:30,prefix=3", title="Continuation: go on from the start")
class Continuation(Prompt):
    """Adds seconds after the sound, or after its first seconds.

    The recommended mask temperature is 40, so that long continuations do not fade out. `prepare` raises ValueError for
    a prefix longer than the sound. Paper, section 3.4 (prefix prompt).

    Notebook: 08

    Parameters
    ----------
    seconds : float
        Seconds to generate.
    prefix : float, optional
        How many seconds of the sound are kept; None keeps all of it.
    """

    seconds: float = number("seconds to add", low=0, most=MOST_SECONDS, slider=Slider(0.1, 30, 0.1, start=2))
    prefix: float | None = number("seconds kept", default=None, low=0, slider=HALF, repr=False)
    recommended: ClassVar[dict[str, float]] = ONWARD

    def __post_init__(self):
        super().__post_init__()
        if self.prefix == 0:
            raise ValueError(
                "a prefix of 0 s was given, some sound to go on from was expected; give more, or None for the whole"
            )

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        if self.prefix is not None:
            kept = frames_within(self, tokens, self.prefix)
            tokens = tokens.replace(
                codes=tokens.codes[..., :kept], length=min(tokens.length, kept * tokens.hop), more=0
            )
        return Outpaint(0.0, self.seconds).prepare(tokens)


@prompt_type(word="loop", example="loop:bars=4(periodic:7)", title="Loop: a passage whose end meets its start")
class Loop(Prompt):
    """Cuts out a passage and varies it as a loop, whose end fits its start.

    The passage begins at `start` and lasts `seconds`. Or it begins at the first downbeat at or after `start`, and lasts
    `bars`. Its length is a whole number of frames (17.4 ms each). `prepare` raises ValueError if the passage does not
    lie in the sound, if the sound has too few bars, or if the inner prompt changes the length. Paper, section 1 (a vamp
    is a repeated short passage).

    Notebook: 08

    Parameters
    ----------
    seconds : float, optional
        Length of the passage in seconds. Give either this or `bars`.
    bars : int, optional
        Length of the passage in bars.
    start : float
        Where the passage begins, in seconds; see above.
    prompt : Prompt
        What is kept of the passage. Times in this prompt count from the start of the loop.
    downbeats : iterable of float, optional
        Times of the downbeats in seconds; without them `LibrosaBeats` guesses them.
    lead : float
        With `bars`, the cuts are this many seconds before the downbeats (less if the sound starts later), because a cut
        on the downbeat itself would go through its attack.
    """

    seconds: float | None = number("seconds of the loop", default=None, low=0, slider=HALF, repr=False)
    bars: int | None = whole(default=None, low=1, repr=False)
    start: float = number(
        "start of the loop, s", default=0.0, low=0, slider=Slider(0, 1, 0.1, of_length=True), repr=False
    )
    prompt: Prompt = inner("period kept, in frames", "period", default=Periodic())
    downbeats: Iterable[float] | None = time_list(default=None)
    lead: float = number(default=0.05, low=0, repr=False)
    circular: ClassVar[bool] = True

    def __post_init__(self):
        super().__post_init__()
        if (self.seconds is None) == (self.bars is None) or self.seconds == 0:
            raise ValueError(
                f"a loop of seconds={self.seconds} and bars={self.bars} was asked for; "
                "one of the two, above 0, was expected"
            )

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        first, last = (round(t * tokens.rate / tokens.hop) for t in self.passage(tokens, clip))
        last = min(max(last, first + 1), tokens.frames)
        made = tokens.replace(codes=tokens.codes[..., first:last].clone(), length=(last - first) * tokens.hop, more=0)
        passage = None if clip is None else clip.excerpt(first / tokens.frame_rate, made.seconds)
        looped, mask = self.prompt.prepare(made, passage)
        if looped is not made:
            raise ValueError(f"{self.prompt!r} changes the length, a prompt that leaves it was expected inside a loop")
        return made, mask

    def passage(self, tokens: Tokens, clip: Clip | None = None) -> tuple[float, float]:
        """Find the passage in the sound.

        Parameters
        ----------
        tokens : Tokens
            The sound's tokens.
        clip : Clip, optional
            The sound; needed if the loop is given in bars, but without downbeats.

        Returns
        -------
        (float, float)
            Start and end of the passage in seconds.

        Raises
        ------
        ValueError
            If the passage does not lie in the sound, or the sound has too few bars.
        """
        if self.seconds is not None:
            start, end = self.start, self.start + self.seconds
        else:
            bars = [t for t in self._downbeats(clip) if t >= self.start - 1e-9]
            if len(bars) <= self.bars:
                raise ValueError(
                    f"{self.bars} bars from {self.start} s on need {self.bars + 1} downbeats, {len(bars)} were found; "
                    "ask for fewer bars, or give downbeats=..."
                )
            lead = min(self.lead, bars[0])
            start, end = bars[0] - lead, bars[self.bars] - lead
        if end > tokens.seconds + 1e-9 or start >= tokens.seconds:
            raise ValueError(
                f"a loop from {start:g} to {end:g} s was asked for, the sound lasts {tokens.seconds:.2f} s; make it "
                "shorter, or let it begin earlier"
            )
        return start, end

    def _downbeats(self, clip: Clip | None) -> tuple[float, ...]:
        if self.downbeats is None and clip is None:
            raise ValueError(
                f"{self!r} listens for bars, and only tokens were given; "
                "give the clip too, or downbeats=..., or seconds in place of bars"
            )
        return self.downbeats if self.downbeats is not None else LibrosaBeats().track(clip).downbeats


@prompt_type(word="stretch", example="stretch:2", title="Stretch: slower, at the same pitch")
class Stretch(Prompt):
    """Makes the sound slower by a whole factor, at the same pitch.

    After each frame, factor - 1 hidden frames are inserted. Factor 1 changes nothing. In the reference code, `vamp`
    does this with its `time_stretch_factor`.

    Notebook: 07

    Parameters
    ----------
    factor : int
        How many times longer the sound becomes.
    prompt : Prompt
        What is kept of the sound before it is stretched.
    """

    factor: int = whole("times as long", default=2, low=1, most=MOST_FRAMES, slider=Slider(1, 8))
    prompt: Prompt = field(default=Everything(), repr=False)

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        stretched, mask = self.prompt.prepare(tokens, clip)
        check_frames(self, stretched.frames * self.factor)
        codes = stretched.codes.repeat_interleave(self.factor, -1)
        made = stretched.replace(codes=codes, length=min(stretched.length * self.factor, codes.shape[-1] * tokens.hop))
        between = masks.periodic(made.codebooks, made.frames, self.factor)
        return made, torch.logical_or(mask.repeat_interleave(self.factor, -1), between)
