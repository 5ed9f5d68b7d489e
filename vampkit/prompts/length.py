"""Prompts that change the length.

More before or after, a loop, a slower copy. They return new tokens, and the mask of those.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from vampkit import masks
from vampkit.codec import Tokens
from vampkit.prompts.base import Prompt, number, prompt_type, whole
from vampkit.prompts.beats import LibrosaBeats, times_of
from vampkit.prompts.frames import Everything, Periodic, frames_within

if TYPE_CHECKING:
    from vampkit.audio import Clip

WANDER = 40.0
"""Mask temperature of what goes on from its own sound.

Where the surest guesses stay first, quiet and common ones win a little more often than they should, and the next window
begins from them. With the tiny models of then, of 180 blocks of ten continuations of three minutes (12 passes), the
quietest was 6.4 dB below its prefix with 10.5, 4.7 dB with 40; four continuations of 33 s (36 passes) were 3.8 and 2.4
dB below theirs; 16 of 7 s, made of composed pieces (36 passes), had 0.95 [0.90, 1.01] of the Frechet distance. Vamps of
P = 16 gained nothing: 1.03 [0.99, 1.08]. 40 was chosen of 3, 10.5, 20, 40, 100 and 1000 on four of those ten prefixes.
Today's models with 40, on ten prefixes not used before (36 passes): 180 blocks, 2.8 dB below to 0.6 above."""


@prompt_type
class Outpaint(Prompt):
    """Keeps the whole sound and adds `before` seconds in front of it and `after` seconds behind it, to be generated.

    Before is rounded up to frames. With something after it, a last frame that the sound only partly fills is generated
    anew, as it holds the silence that filled it up. Its takes have four times the usual noise on the confidences, see
    WANDER. Paper: section 3.4 (prefix and suffix prompts). Notebook: 08.
    """

    before: float = 0.0
    after: float = 0.0
    mask_temperature: ClassVar[float] = WANDER

    def __post_init__(self):
        number(self, "before", 0)
        number(self, "after", 0)

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        lead, added = self.shift(tokens), round(self.after * tokens.rate)
        frames = -(-(tokens.length + added) // tokens.hop) if added else tokens.frames
        kept = min(tokens.length // tokens.hop, tokens.frames) if added else tokens.frames
        codes = tokens.codes.new_zeros(*tokens.codes.shape[:-1], lead + frames)
        codes[..., lead : lead + kept] = tokens.codes[..., :kept]
        made = tokens.replace(codes=codes, length=lead * tokens.hop + tokens.length + added)
        return made, ~masks.gap(tokens.codebooks, lead + frames, lead, lead + kept)

    def shift(self, tokens: Tokens) -> int:
        return tokens.frames_of(self.before)


@prompt_type
class Continuation(Prompt):
    """Goes on for `seconds` after the sound; or after its first `prefix` seconds, where only those are to be kept.

    Its takes have four times the usual noise on the confidences, see WANDER.
    Raises ValueError for a prefix beyond the sound's end. Paper: section 3.4 (prefix prompt). Notebook: 08.
    """

    seconds: float
    prefix: float | None = field(default=None, repr=False)
    mask_temperature: ClassVar[float] = WANDER

    def __post_init__(self):
        number(self, "seconds", 0)
        number(self, "prefix", 0, optional=True)
        if self.prefix == 0:
            raise ValueError(
                "a prefix of 0 s was given, some sound to go on from was expected; give more, or None for the whole"
            )

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        if self.prefix is not None:
            kept = frames_within(self, tokens, self.prefix)
            tokens = tokens.replace(codes=tokens.codes[..., :kept], length=min(tokens.length, kept * tokens.hop))
        return Outpaint(0.0, self.seconds).prepare(tokens)


@prompt_type
class Loop(Prompt):
    """A passage as a loop with variation: its tokens alone, hidden by an inner prompt, whose end is to meet its start.

    The passage begins at `start` seconds and lasts `seconds`, or `bars` from downbeat to downbeat, the first at or
    after `start`; in whole frames (17.4 ms).
    downbeats: times in seconds; without them bars go by LibrosaBeats' guess. prompt: what is kept of the passage; its
    own times count from the loop's start.
    lead: bars are cut so many seconds before their downbeat, as far as there is sound: a cut on the line itself would
    go through the attack. Raises ValueError where the passage does not lie in the sound, where it has too few bars, and
    for an inner prompt that changes the length. Paper: section 1 (a vamp is a repeated short passage). Notebook: 08.
    """

    seconds: float | None = field(default=None, repr=False)
    bars: int | None = field(default=None, repr=False)
    start: float = field(default=0.0, repr=False)
    prompt: Prompt = Periodic()
    downbeats: tuple[float, ...] | None = field(default=None, repr=False)
    lead: float = field(default=0.05, repr=False)
    circular: ClassVar[bool] = True

    def __post_init__(self):
        number(self, "seconds", 0, optional=True)
        whole(self, "bars", 1, optional=True)
        number(self, "start", 0)
        number(self, "lead", 0)
        if (self.seconds is None) == (self.bars is None) or self.seconds == 0:
            raise ValueError(
                f"a loop of seconds={self.seconds} and bars={self.bars} was asked for; one of the two, above 0, was expected"
            )
        if self.downbeats is not None:
            object.__setattr__(self, "downbeats", times_of(self.downbeats, "downbeats"))

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        first, last = (round(t * tokens.rate / tokens.hop) for t in self.passage(tokens, clip))
        last = min(max(last, first + 1), tokens.frames)
        made = tokens.replace(codes=tokens.codes[..., first:last].clone(), length=(last - first) * tokens.hop)
        inner = None if clip is None else clip.excerpt(first / tokens.frame_rate, made.seconds)
        looped, mask = self.prompt.prepare(made, inner)
        if looped is not made:
            raise ValueError(f"{self.prompt!r} changes the length, a prompt that leaves it was expected inside a loop")
        return made, mask

    def passage(self, tokens: Tokens, clip: Clip | None = None) -> tuple[float, float]:
        """Start and end of the passage in seconds."""
        if self.seconds is not None:
            start, end = self.start, self.start + self.seconds
        else:
            bars = [t for t in self._downbeats(clip) if t >= self.start - 1e-9]
            if len(bars) <= self.bars:
                raise ValueError(
                    f"{self.bars} bars from {self.start} s on need {self.bars + 1} downbeats, {len(bars)} were found; ask for fewer bars, or give downbeats=..."
                )
            lead = min(self.lead, bars[0])
            start, end = bars[0] - lead, bars[self.bars] - lead
        if end > tokens.seconds + 1e-9:
            raise ValueError(
                f"a loop from {start:.2f} to {end:.2f} s was asked for, the sound lasts {tokens.seconds:.2f} s; make it shorter"
            )
        return start, end

    def _downbeats(self, clip: Clip | None) -> tuple[float, ...]:
        if self.downbeats is None and clip is None:
            raise ValueError(
                f"{self!r} listens for bars, and only tokens were given; give the clip too, or downbeats=..., or seconds in place of bars"
            )
        return self.downbeats if self.downbeats is not None else LibrosaBeats().track(clip).downbeats


@prompt_type
class Stretch(Prompt):
    """Slower by a whole factor.

    Every frame is followed by factor - 1 hidden ones. Pitch stays. Factor 1 leaves all as it is.

    prompt: what is kept before it is stretched.
    Source: the reference's code (vampnet d11). Notebook: 07.
    """

    factor: int = 2
    prompt: Prompt = field(default=Everything(), repr=False)

    def __post_init__(self):
        whole(self, "factor", 1)

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        inner, mask = self.prompt.prepare(tokens, clip)
        codes = inner.codes.repeat_interleave(self.factor, -1)
        made = inner.replace(codes=codes, length=min(inner.length * self.factor, codes.shape[-1] * inner.hop))
        between = masks.periodic(inner.codebooks, made.frames, self.factor)
        return made, torch.logical_or(mask.repeat_interleave(self.factor, -1), between)
