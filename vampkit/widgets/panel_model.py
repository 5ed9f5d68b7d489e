"""What the panel knows, without a browser: the prompts it offers with their numbers, what is set, and the last take."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from vampkit import prompts
from vampkit.audio import Clip
from vampkit.prompts.beats import BeatGrid, LibrosaBeats, onset_times

MOST_PASSES = 72  # twice the paper's 36; more only costs time
MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Number:
    """A number of a prompt: its name there, what it counts, its range, step and value at first.

    of_length: `high` and `start` are shares of the sound's length, and become seconds with `within`.
    """

    name: str
    unit: str
    low: float
    high: float
    step: float
    start: float
    of_length: bool = False

    def within(self, seconds: float) -> Number:
        """The same with the range that a sound of `seconds` allows."""
        if not self.of_length:
            return self
        high = math.floor(self.high * seconds / self.step + 1e-9) * self.step
        start = min(max(round(self.start * seconds / self.step) * self.step, self.low), high)
        return replace(self, high=round(high, 6), start=round(start, 6), of_length=False)

    def checked(self, value) -> int | float:
        """The value as a plain number. Raises TypeError for what is none, ValueError outside the range."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{self.name} is {value!r}, a number was expected: {self.unit}")
        whole = self.step == 1
        if not self.low <= value <= self.high or (whole and value != int(value)):
            raise ValueError(
                f"{self.name} is {value!r}, {'a whole number from ' if whole else ''}{self.low:g} to {self.high:g} was expected: {self.unit}"
            )
        return int(value) if whole else float(value)


@dataclass(frozen=True)
class Choice:
    """One of several words that a prompt takes; the first one is set at first."""

    name: str
    unit: str
    options: tuple[str, ...]

    @property
    def start(self) -> str:
        return self.options[0]

    def within(self, seconds: float) -> Choice:
        """The same: a choice does not depend on the sound."""
        return self

    def checked(self, value) -> str:
        """The word. Raises ValueError for another one."""
        if value not in self.options:
            raise ValueError(f"{self.name} is {value!r}, one of {', '.join(self.options)} was expected: {self.unit}")
        return value


@dataclass(frozen=True)
class Kind:
    """One prompt the panel offers: its title, how it is made, and its numbers by the names it is made with."""

    title: str
    make: Callable
    numbers: tuple[Number | Choice, ...]


def _loop(seconds: float, start: float, period: int) -> prompts.Prompt:
    return prompts.Loop(seconds, start=start, prompt=prompts.Periodic(period))


_BEFORE = Number("before", "seconds kept before each", 0, 0.5, 0.005, 0.0)
_AFTER = Number("after", "seconds kept after each", 0, 0.5, 0.005, 0.075)
_KEPT = Number("seconds", "seconds kept", 0, 1, 0.1, 0.25, of_length=True)

KINDS = {
    "compression": Kind("Compression: keep the first codebooks", prompts.Compression, (
        Number("codebooks", "codebooks kept", 1, 14, 1, 1), Number("downsampling", "of every n-th frame", 1, 32, 1, 1))),
    "periodic": Kind("Periodic: keep every n-th frame", prompts.Periodic, (
        Number("period", "period in frames", 1, 64, 1, 7), Number("width", "width in frames", 1, 16, 1, 1), Number("offset", "offset in frames", 0, 63, 1, 0))),
    "random": Kind("Random: keep a share of the tokens", prompts.RandomShare, (Number("share", "share kept", 0, 1, 0.01, 0.14),)),
    "prefix": Kind("Prefix: keep the start", prompts.Prefix, (_KEPT,)),
    "suffix": Kind("Suffix: keep the end", prompts.Suffix, (_KEPT,)),
    "inpaint": Kind("Inpainting: keep all but a gap", prompts.Inpaint, (
        Number("start", "start of the gap, s", 0, 1, 0.1, 0.4, of_length=True), Number("end", "end of the gap, s", 0, 1, 0.1, 0.6, of_length=True))),
    "outpaint": Kind("Outpainting: add before and after", prompts.Outpaint, (
        Number("before", "seconds before", 0, 10, 0.1, 1), Number("after", "seconds after", 0, 10, 0.1, 1))),
    "continuation": Kind("Continuation: go on from the start", prompts.Continuation, (
        Number("seconds", "seconds to add", 0.1, 30, 0.1, 2), Number("prefix", "seconds kept", 0.1, 1, 0.1, 0.5, of_length=True))),
    "loop": Kind("Loop: a passage whose end meets its start", _loop, (
        Number("seconds", "seconds of the loop", 0.1, 1, 0.1, 0.5, of_length=True), Number("start", "start of the loop, s", 0, 1, 0.1, 0, of_length=True),
        Number("period", "period kept, in frames", 1, 64, 1, 7))),
    "stretch": Kind("Stretch: slower, at the same pitch", prompts.Stretch, (Number("factor", "times as long", 1, 8, 1, 2),)),
    "beats": Kind("Beats: keep a moment at each beat", prompts.Beats, (
        replace(_BEFORE, start=0.02), _AFTER, Choice("which", "which beats", ("all", "down", "up")), Number("every", "every n-th of them", 1, 8, 1, 1))),
    "onsets": Kind("Onsets: keep a moment at each note", prompts.Onsets, (_BEFORE, _AFTER)),
}  # fmt: skip
"""Prompts by the name that `VampPanel` and `set` know them by."""


def _whole(name: str, value, low: int, high: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, a whole number was expected") from None
    if not low <= number <= high or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, {low} to {high} was expected; choose a number in that range")
    return number


class PanelModel:
    """What the panel knows: a clip, a kind of prompt and its numbers, a seed, a number of passes, and the last take.

    vamp: Vamp. clip: Clip or Tokens. beats: a BeatGrid or times in seconds, for prompts that go by beats; without it
    LibrosaBeats listens, once.
    made, mask: the tokens to begin with and what is hidden of them, bool [K, T]. Nothing here needs a browser or
    Jupyter. Notebook: 00, 06 to 09.
    """

    def __init__(
        self, vamp, clip, prompt: str = "periodic", value=None, seed: int = 0, passes: int = 36, beats=None, **numbers
    ):
        self.vamp, self.clip, self.beats, self.take = vamp, clip, beats, None
        self.kind, self.values, self.seed, self.passes = "", {}, seed, passes
        self.set(prompt, value, seed, passes, **numbers)

    def set(
        self, prompt: str | None = None, value=None, seed: int | None = None, passes: int | None = None, **numbers
    ) -> None:
        """Change what is named, leave the rest; another kind of prompt starts with its own usual numbers.

        prompt: one of KINDS. value: its first number. numbers: any of its numbers by name, `set(prompt="periodic",
        period=7, width=3)`.
        seed: 0 to 2^31 - 1. passes: 1 to 72. Nothing is changed where one of them is refused. Raises ValueError,
        TypeError.
        """
        kind = self.kind if prompt is None else prompt
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"the prompt {kind!r} is not offered, one of {', '.join(KINDS)} was expected")
        known = {number.name: number for number in self._numbers(kind)}
        if value is not None:
            numbers = {next(iter(known)): value} | numbers
        strange = [name for name in numbers if name not in known]
        if strange:
            raise TypeError(f"{kind} is given {', '.join(strange)}, some of {', '.join(known)} were expected")
        before = self.values if kind == self.kind else {name: number.start for name, number in known.items()}
        values = before | {name: known[name].checked(given) for name, given in numbers.items()}
        seed = self.seed if seed is None else seed
        passes = self.passes if passes is None else passes
        seed, passes = _whole("the seed", seed, 0, MOST_SEED), _whole("the number of passes", passes, 1, MOST_PASSES)
        if (kind, values) != (self.kind, self.values):
            self.made, self.mask = self._timed(self._made(kind, values)).prepare(self.tokens, self.original)
        self.kind, self.values, self.seed, self.passes = kind, values, seed, passes

    @property
    def value(self) -> float:
        """The first number of the prompt that is set."""
        return next(iter(self.values.values()))

    @property
    def numbers(self) -> tuple[Number | Choice, ...]:
        """The numbers of the prompt that is set, with the ranges that this sound allows."""
        return self._numbers(self.kind)

    @property
    def prompt(self) -> prompts.Prompt:
        """The prompt that is set, as an object of `vampkit.prompts`."""
        return self._made(self.kind, self.values)

    @cached_property
    def tokens(self):
        """Tokens of the clip; made once."""
        return self.vamp.codec.encode(self.clip) if isinstance(self.clip, Clip) else self.clip

    @cached_property
    def original(self) -> Clip:
        """The clip itself, or the sound of the tokens where tokens were given."""
        return self.clip if isinstance(self.clip, Clip) else self.vamp.codec.decode(self.clip)

    @property
    def given(self) -> Clip:
        """The sound that the mask lies over.

        The original, or its frames where the prompt moves them to, and silence in between.
        """
        tokens = self.tokens
        if self.made.length == tokens.length:
            return self.original
        # Frames that carry their own number instead of codes tell where the prompt puts them.
        places = torch.arange(1, tokens.frames + 1).expand(tokens.codes.shape)
        numbered = tokens.replace(codes=places.clone(), entries=tokens.frames + 1)
        source = (
            self._timed(self.prompt)
            .prepare(numbered, self.original)[0]
            .codes[..., 0, :]
            .reshape(-1, self.made.frames)[0]
        )
        sound = self.original.mono().resample(tokens.rate)
        padded = np.zeros((tokens.frames + 1) * tokens.hop, np.float32)
        count = min(sound.samples.shape[1], tokens.frames * tokens.hop)
        padded[tokens.hop : tokens.hop + count] = sound.samples[0, :count]
        moved = padded.reshape(-1, tokens.hop)[source.numpy()].reshape(1, -1)[:, : self.made.length]
        return replace(sound, samples=moved)

    def code(self) -> str:
        """The call that makes the same take without the panel."""
        return f"vamp.vamp(clip, {self.prompt!r}, seed={self.seed}, passes={self.passes})"

    def generate(self, progress: Callable[[int, int], None] | None = None):
        """Run the models with what is set; returns and keeps the Take. progress: called with (done, in all)."""
        self.take = self.vamp.vamp(
            self.tokens, self._timed(self.prompt), seed=self.seed, passes=self.passes, progress=progress
        )
        return self.take

    def _numbers(self, kind: str) -> tuple[Number | Choice, ...]:
        return tuple(number.within(self.tokens.seconds) for number in KINDS[kind].numbers)

    @cached_property
    def _grid(self) -> BeatGrid:
        return LibrosaBeats().track(self.original)

    @cached_property
    def _onsets(self) -> tuple[float, ...]:
        return tuple(float(t) for t in onset_times(self.original, backtrack=True))

    def _made(self, kind: str, values: dict) -> prompts.Prompt:
        prompt = KINDS[kind].make(**values)
        return (
            replace(prompt, beats=self.beats)
            if self.beats is not None and isinstance(prompt, prompts.Beats)
            else prompt
        )

    def _timed(self, prompt: prompts.Prompt) -> prompts.Prompt:
        """A prompt that listens with the times it would hear, so that a slider does not wait for them."""
        if isinstance(prompt, prompts.Beats) and prompt.beats is None:
            return replace(prompt, beats=self._grid)
        if isinstance(prompt, prompts.Onsets) and prompt.times is None:
            return replace(prompt, times=self._onsets)
        return prompt
