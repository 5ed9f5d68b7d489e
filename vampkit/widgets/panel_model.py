"""The state of the panel, without a browser: the prompts with their numbers, the current settings, the last take."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch

from vampkit.audio import Clip, clips, load_clip
from vampkit.controls import Control, Harmony, Rhythm
from vampkit.controls.kinds import stacked
from vampkit.pipeline import TakeSettings
from vampkit.pipeline.source import Source
from vampkit.prompts import Beats, Onsets, Prompt
from vampkit.prompts.beats import BeatGrid, LibrosaBeats, onset_times
from vampkit.prompts.values import Choice, Inner, Number, value_of
from vampkit.widgets.cells import whole

MOST_PASSES = 72  # twice the paper's 36; more passes only take longer
MOST_SEED = 2**31 - 1
MOST_STRENGTH = 2.0
NOTHING, OWN, BOTH, OTHER = "nothing", "own rhythm", "own rhythm and harmony", "rhythm of "
"""What a take can follow; OTHER is followed by the name of a bundled clip."""


@dataclass(frozen=True)
class Range:
    """A number that the panel sets: its field in the prompt, its label (`unit`), limits, step, and first value."""

    name: str
    unit: str
    low: float
    high: float
    step: float
    start: float
    whole: bool

    def checked(self, value) -> int | float:
        """The value as a plain number. Raises TypeError if it is not a number, ValueError if it is out of range."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{self.name} is {value!r}, a number was expected: {self.unit}")
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            span = f"{'a whole number from ' if self.whole else ''}{self.low:g} to {self.high:g}"
            raise ValueError(f"{self.name} is {value!r}, {span} was expected: {self.unit}")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True)
class Menu:
    """A field of a prompt that is one of several words, chosen in a menu."""

    name: str
    unit: str
    options: tuple[str, ...]
    start: str

    def checked(self, value) -> str:
        """The word. Raises ValueError if it is not one of the options."""
        if value not in self.options:
            raise ValueError(f"{self.name} is {value!r}, one of {', '.join(self.options)} was expected: {self.unit}")
        return value


def follows() -> tuple[str, ...]:
    """What the panel can follow, as words."""
    return NOTHING, OWN, BOTH, *(OTHER + name for name in clips())


def offered() -> dict[str, type[Prompt]]:
    """The prompt types that the panel offers (those with a title), by their words."""
    return {kind.word: kind for kind in Prompt.kinds.values() if kind.title}


def controls(kind: type[Prompt], seconds: float) -> tuple[Range | Menu, ...]:
    """The numbers and menus for a prompt type. Some ranges depend on the length of the sound, `seconds`."""
    found = []
    for f in fields(kind):
        name, value, default = f.name, value_of(f), f.default
        if isinstance(value, Inner):  # one number of the inner prompt
            name, shown = value.shown, next(g for g in fields(default) if g.name == value.shown)
            value, default = replace(value_of(shown), label=value.label), shown.default
        if isinstance(value, Choice):
            found.append(Menu(name, value.label, value.options, default))
        elif isinstance(value, Number) and value.slider is not None:
            found.append(_range(name, value, default, seconds))
    return tuple(found)


def _range(name: str, value: Number, default, seconds: float) -> Range:
    slider = value.slider
    low, high, step = slider.low, slider.high, slider.step
    start = default if slider.start is None else slider.start
    if slider.of_length:
        high = round(math.floor(high * seconds / step + 1e-9) * step, 6)
        start = round(min(max(round(start * seconds / step) * step, low), high), 6)
    return Range(name, value.label, low, high, step, start, value.whole)


def _filled(kind: type[Prompt], numbers: dict) -> Prompt:
    """Make the prompt from the numbers of the panel."""
    given = {}
    for f in fields(kind):
        value = value_of(f)
        if isinstance(value, Inner):
            given[f.name] = replace(f.default, **{value.shown: numbers[value.shown]})
        elif f.name in numbers:
            given[f.name] = numbers[f.name]
    return kind(**given)


class PanelModel:
    """The state of the panel: a sound, a prompt and its numbers, seed, passes, what is followed, and the last take.

    It needs no browser or Jupyter. `made` are the tokens that a take starts from, `mask` is their mask, bool
    [codebooks, frames], `followed` are the controls that it follows.

    Notebook: 00, 06 to 09

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    clip : Clip or Tokens
        The sound.
    prompt : str
        The word of a prompt type; `offered` lists them.
    value : float, optional
        The first number of the prompt.
    seed : int
        0 to 2^31 - 1.
    passes : int
        1 to 72.
    beats : BeatGrid or tuple of float, optional
        Beats for prompts that need them. Without them `LibrosaBeats` finds the beats of the clip, once.
    follow : str
        What takes follow: "nothing", "own rhythm", "own rhythm and harmony", or "rhythm of " and the name of a bundled
        clip.
    strength : float
        How strongly they follow, 0 to 2.
    **numbers
        Numbers of the prompt by name.
    """

    def __init__(
        self,
        vamp,
        clip,
        prompt: str = "periodic",
        value=None,
        seed: int = 0,
        passes: int = 36,
        beats=None,
        follow: str = NOTHING,
        strength: float = TakeSettings().strength,
        **numbers,
    ):
        self.vamp, self.clip, self.beats, self.take = vamp, clip, beats, None
        self.kind, self.values, self.seed, self.passes = "", {}, seed, passes
        self.follow, self.strength, self.followed = NOTHING, strength, ()
        self.set(prompt, value, seed, passes, follow, strength, **numbers)

    def set(
        self,
        prompt: str | None = None,
        value=None,
        seed: int | None = None,
        passes: int | None = None,
        follow: str | None = None,
        strength: float | None = None,
        **numbers,
    ) -> None:
        """Change the given settings; all others stay. A new prompt type starts with its default numbers.

        If one of the values is refused, nothing is changed.

        Parameters
        ----------
        prompt : str, optional
            The word of a prompt type.
        value : float, optional
            The first number of the prompt.
        seed : int, optional
            0 to 2^31 - 1.
        passes : int, optional
            1 to 72.
        follow : str, optional
            What takes follow: "nothing", "own rhythm", "own rhythm and harmony", or "rhythm of " and the name of a
            bundled clip.
        strength : float, optional
            How strongly they follow, 0 to 2.
        **numbers
            Numbers of the prompt by name: `set(prompt="periodic", period=7, width=3)`.

        Raises
        ------
        ValueError
            For an unknown prompt, values outside their ranges, or a rhythm that does not fit the prompt.
        TypeError
            For values that are not numbers, or names that the prompt does not have.
        """
        kind = self.kind if prompt is None else prompt
        if not isinstance(kind, str) or kind not in offered():
            raise ValueError(f"the prompt {kind!r} is not offered, one of {', '.join(offered())} was expected")
        known = {number.name: number for number in self._offered(kind)}
        if value is not None:
            numbers = {next(iter(known)): value} | numbers
        strange = [name for name in numbers if name not in known]
        if strange:
            raise TypeError(f"{kind} is given {', '.join(strange)}, some of {', '.join(known)} were expected")
        before = self.values if kind == self.kind else {name: number.start for name, number in known.items()}
        values = before | {name: known[name].checked(given) for name, given in numbers.items()}
        seed = self.seed if seed is None else seed
        passes = self.passes if passes is None else passes
        seed, passes = whole("the seed", seed, 0, MOST_SEED), whole("the number of passes", passes, 1, MOST_PASSES)
        strength = TakeSettings(strength=self.strength if strength is None else strength).strength
        if strength > MOST_STRENGTH:
            raise ValueError(f"strength is {strength!r}, 0 to {MOST_STRENGTH:g} was expected")
        follow = self.follow if follow is None else follow
        made, mask = (self.made, self.mask) if (kind, values) == (self.kind, self.values) else self._made(kind, values)
        controls = self._controls(follow, made)
        self.made, self.mask, self.followed, self.follow, self.strength = made, mask, controls, follow, strength
        self.kind, self.values, self.seed, self.passes = kind, values, seed, passes

    def _made(self, kind: str, values: dict):
        """The tokens that a prompt starts from, and its mask."""
        return self._timed(self._prompt(kind, values)).prepare(self.tokens, self.original)

    def _controls(self, follow: str, made) -> tuple[Control, ...]:
        """The controls for what is to be followed. Raises ValueError for other words, and where they do not fit."""
        if follow not in follows():
            raise ValueError(f"{follow!r} cannot be followed, one of {', '.join(follows())} was expected")
        if follow == NOTHING:
            return ()
        if follow.startswith(OTHER):
            if follow != self.follow:
                self._other = Rhythm(load_clip(follow.removeprefix(OTHER)))
            controls: tuple[Control, ...] = (self._other,)
        elif made.length != self.tokens.length:
            raise ValueError(
                "this prompt changes the length, the sound's own rhythm does not fit; follow nothing or another clip"
            )
        else:
            controls = (self._rhythm, self._harmony) if follow == BOTH else (self._rhythm,)
        stacked(controls, made.frames)  # which refuses what is too short
        return controls

    @cached_property
    def _rhythm(self) -> Rhythm:
        return Rhythm(self.original)

    @cached_property
    def _harmony(self) -> Harmony:
        return Harmony(self.original)

    @property
    def value(self) -> float:
        """The value of the prompt's first number."""
        return next(iter(self.values.values()))

    @property
    def numbers(self) -> tuple[Range | Menu, ...]:
        """The numbers of the current prompt, with their ranges for this sound."""
        return self._offered(self.kind)

    @property
    def prompt(self) -> Prompt:
        """The current prompt."""
        return self._prompt(self.kind, self.values)

    @cached_property
    def tokens(self):
        """Tokens of the clip, computed once."""
        return self.vamp.codec.encode(self.clip) if isinstance(self.clip, Clip) else self.clip

    @cached_property
    def original(self) -> Clip:
        """The clip, or the decoded sound if tokens were given."""
        return self.clip if isinstance(self.clip, Clip) else self.vamp.codec.decode(self.clip)

    @property
    def given(self) -> Clip:
        """The sound above the mask: the original, with its frames moved to where the prompt moves them."""
        tokens = self.tokens
        if self.made.length == tokens.length:
            return self.original
        # To see where the prompt moves frames, apply it to tokens whose codes are the numbers of the frames.
        places = torch.arange(1, tokens.frames + 1).expand(tokens.codes.shape)
        numbered = tokens.replace(codes=places.clone(), entries=tokens.frames + 1)
        moved = self._timed(self.prompt).prepare(numbered, self.original)[0].codes
        source = moved[..., 0, :].reshape(-1, self.made.frames)[0]
        sound = self.original.mono().resample(tokens.rate)
        padded = np.zeros((tokens.frames + 1) * tokens.hop, np.float32)
        count = min(sound.samples.shape[1], tokens.frames * tokens.hop)
        padded[tokens.hop : tokens.hop + count] = sound.samples[0, :count]
        frames = padded.reshape(-1, tokens.hop)[source.numpy()]
        return replace(sound, samples=frames.reshape(1, -1)[:, : self.made.length])

    def code(self) -> str:
        """Write the Python call that makes the same take without the panel.

        Returns
        -------
        str
            A call of `Vamp.vamp`, with the settings that the prompt recommends, and with what is followed.
        """
        prompt = self.prompt
        words = {name: repr(value) for name, value in self._settings(prompt).items()}
        if self.followed:
            other = f"load_clip({self.follow.removeprefix(OTHER)!r})" if self.follow.startswith(OTHER) else "clip"
            words["follow"] = f"[{', '.join(f'{type(control).__name__}({other})' for control in self.followed)}]"
        return f"vamp.vamp(clip, {prompt!r}, {', '.join(f'{name}={value}' for name, value in words.items())})"

    def _settings(self, prompt: Prompt) -> dict:
        """The settings of a take: those of the panel, and those that the prompt recommends."""
        settings = {"seed": self.seed, "passes": self.passes} | prompt.recommended
        return settings | ({"follow": self.followed, "strength": self.strength} if self.followed else {})

    def generate(self, progress: Callable[[int, int], None] | None = None):
        """Make a take with the current settings and those that the prompt recommends, and store it in `take`.

        Parameters
        ----------
        progress : callable, optional
            Called as `progress(done, total)` after each pass.

        Returns
        -------
        Take
            The take.
        """
        prompt = self._timed(self.prompt)
        sound = Source.of(self.original, self.vamp.codec, self.tokens)
        self.take = self.vamp.vamp(sound, prompt, progress=progress, **self._settings(prompt))
        return self.take

    def _offered(self, kind: str) -> tuple[Range | Menu, ...]:
        return controls(offered()[kind], self.tokens.seconds)

    @cached_property
    def _grid(self) -> BeatGrid:
        return LibrosaBeats().track(self.original)

    @cached_property
    def _onsets(self) -> tuple[float, ...]:
        return tuple(float(t) for t in onset_times(self.original, backtrack=True, opening=True))

    def _prompt(self, kind: str, values: dict) -> Prompt:
        prompt = _filled(offered()[kind], values)
        if self.beats is not None and isinstance(prompt, Beats):
            return replace(prompt, beats=self.beats)
        return prompt

    def _timed(self, prompt: Prompt) -> Prompt:
        """Add times to a prompt that listens. They are found only once, so that sliders react quickly."""
        if isinstance(prompt, Beats) and prompt.beats is None:
            return replace(prompt, beats=self._grid)
        if isinstance(prompt, Onsets) and prompt.times is None:
            return replace(prompt, times=self._onsets)
        return prompt
