"""What all prompts share: masks, the algebra, JSON, Python, a drawing, and the rate of what is kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from vampkit import masks
from vampkit.codec import Tokens
from vampkit.errors import VampkitError

if TYPE_CHECKING:
    from vampkit.audio import Clip

FORMAT = "vampkit.prompt/1"
"""Name of the JSON format; the number grows when an old reader could no longer read it."""


class Prompt:
    """What is kept of a sound.

    Subclasses are frozen dataclasses that define `mask`, or `prepare` where they change the length.

    `a | b` keeps what either keeps, `a & b` what both keep, `~a` what a does not keep; `a.on(0)` holds for one
    codebook, `a.dropout(0.2)` loses some frames. Paper: section 3.4. Notebook: 02, 06 to 09.
    """

    kinds: ClassVar[dict[str, type[Prompt]]] = {}
    circular: ClassVar[bool] = False
    """Whether the end of the sound is to meet its start."""
    mask_temperature: ClassVar[float] = 10.5
    """Noise on the confidences where a take asks for none of its own (vampnet d1.

    The paper's footnote 5 recommends values above 6).
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Prompt.kinds[cls.__name__] = cls

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        """What the prompt hides, bool [codebooks, frames], True = hidden.

        Of the new tokens where the prompt changes the length.

        tokens: what the codec made. clip: their sound, for prompts that listen (beats, onsets) and hold no times of
        their own. Raises ValueError where the prompt does not fit them.
        """
        return self.prepare(tokens, clip)[1]

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        """Tokens to begin with, and what is hidden of them. Most prompts leave the tokens as they are."""
        return tokens, self.mask(tokens, clip)

    def shift(self, tokens: Tokens) -> int:
        """Frames by which `prepare` moves the sound to the right: what an outpainting sets before it."""
        return 0

    def bits_per_second(self, tokens: Tokens, clip: Clip | None = None) -> float:
        """Rate of the tokens kept.

        Bits of all codes times the share that is not hidden. Paper's nominal rates differ, see notebook 06.
        """
        made, mask = self.prepare(tokens, clip)
        return made.bits_per_second * float((~mask).float().mean())

    def draw(self, tokens: Tokens, clip: Clip | None = None, title: str = ""):
        """The mask as a plotly Figure, under the sound's spectrogram where the clip is given and the length stays."""
        from vampkit import show

        made, mask = self.prepare(tokens, clip)
        if clip is not None and made.length == tokens.length:
            return show.mask_over(clip, mask, made, title or repr(self))
        return show.mask(mask, made, title or repr(self))

    def on(self, codebooks: int | Iterable[int]) -> Prompt:
        """The same for some codebooks (from 0).

        The others keep nothing. `a.on(0) | b.on((1, 2))` gives each its own.
        """
        return On(self, codebooks)

    def dropout(self, share: float, seed: int = 0) -> Prompt:
        """The same without a share of the frames it keeps, drawn anew for each seed."""
        return Dropout(self, share, seed)

    def __or__(self, other: Prompt) -> Prompt:
        return Either(self, other) if isinstance(other, Prompt) else NotImplemented

    def __and__(self, other: Prompt) -> Prompt:
        return Both(self, other) if isinstance(other, Prompt) else NotImplemented

    def __invert__(self) -> Prompt:
        return Opposite(self)

    def __repr__(self) -> str:
        """The Python that makes it again. Fields marked `repr=False` are left out while they have their default."""
        shown = ((f, getattr(self, f.name)) for f in fields(self))
        return f"{type(self).__name__}({', '.join(f'{f.name}={v!r}' for f, v in shown if f.repr or f.default is MISSING or v != f.default)})"

    def to_json(self) -> dict:
        """Plain data in the format `vampkit.prompt/1`, ready for `json.dumps`.

        `from_json` reads it back without loss.
        """
        return {"format": FORMAT, **_plain(self)}

    @classmethod
    def from_json(cls, data: dict | str) -> Prompt:
        """The prompt that `to_json` wrote, as a dict or as text.

        Raises VampkitError where it is something else, ValueError for values out of range.
        """
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except json.JSONDecodeError as error:
                raise VampkitError(
                    f"this is no JSON ({error}), a prompt in the format {FORMAT} was expected; write it with Prompt.to_json"
                ) from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else type(data).__name__
            raise VampkitError(
                f"the format is {found!r}, {FORMAT!r} was expected; write the prompt with Prompt.to_json"
            )
        return _made({name: value for name, value in data.items() if name != "format"})


def prompt_type(kind: type[Prompt]) -> type[Prompt]:
    """Make a subclass of Prompt a frozen dataclass that prints as the Python that makes it again."""
    return dataclass(frozen=True, repr=False)(kind)


@prompt_type
class Either(Prompt):
    """Keeps what a or b keeps: `a | b`."""

    a: Prompt
    b: Prompt

    @property
    def circular(self) -> bool:
        """Whether either is."""
        return self.a.circular or self.b.circular

    @property
    def mask_temperature(self) -> float:
        """The larger of both."""
        return max(self.a.mask_temperature, self.b.mask_temperature)

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        made, a, b = _alike(self.a, self.b, tokens, clip)
        return made, a & b

    def shift(self, tokens: Tokens) -> int:
        return self.a.shift(tokens)

    def __repr__(self) -> str:
        return f"({self.a!r} | {self.b!r})"


@prompt_type
class Both(Either):
    """Keeps what a and b keep: `a & b`."""

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        made, a, b = _alike(self.a, self.b, tokens, clip)
        return made, a | b

    def __repr__(self) -> str:
        return f"({self.a!r} & {self.b!r})"


class Wrapped(Prompt):
    """A prompt that changes what another one, its field `prompt`, keeps."""

    @property
    def circular(self) -> bool:
        """Whether the inner prompt is."""
        return self.prompt.circular

    @property
    def mask_temperature(self) -> float:
        """The inner prompt's."""
        return self.prompt.mask_temperature

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Tensor]:
        made, mask = self.prompt.prepare(tokens, clip)
        return made, self.changed(mask)

    def changed(self, mask: Tensor) -> Tensor:
        """The inner prompt's mask, changed."""
        raise NotImplementedError

    def shift(self, tokens: Tokens) -> int:
        return self.prompt.shift(tokens)


@prompt_type
class Opposite(Wrapped):
    """Keeps what a prompt does not keep: `~a`."""

    prompt: Prompt

    def changed(self, mask: Tensor) -> Tensor:
        return ~mask

    def __repr__(self) -> str:
        return f"~{self.prompt!r}"


@prompt_type
class On(Wrapped):
    """Keeps in some codebooks (from 0) what a prompt keeps, and nothing in the others: `a.on(codebooks)`."""

    prompt: Prompt
    codebooks: tuple[int, ...]

    def __post_init__(self):
        rows = [self.codebooks] if isinstance(self.codebooks, int) else list(self.codebooks)
        if not rows or any(isinstance(row, bool) or int(row) != row or row < 0 for row in rows):
            raise ValueError(f"the codebooks {rows} were chosen, whole numbers from 0 on were expected")
        object.__setattr__(self, "codebooks", tuple(sorted({int(row) for row in rows})))

    def changed(self, mask: Tensor) -> Tensor:
        return masks.only(mask, self.codebooks)

    def __repr__(self) -> str:
        return f"{_called(self.prompt)}.on({self.codebooks})"


@prompt_type
class Dropout(Wrapped):
    """Keeps what a prompt keeps without round(share * n) of its n frames, drawn from `seed`.

    `a.dropout(share, seed)`.
    """

    prompt: Prompt
    share: float
    seed: int = 0

    def __post_init__(self):
        number(self, "share", 0, 1)
        whole(self, "seed")

    def changed(self, mask: Tensor) -> Tensor:
        return masks.dropout(mask, self.share, torch.Generator().manual_seed(self.seed))

    def __repr__(self) -> str:
        return f"{_called(self.prompt)}.dropout({self.share}, {self.seed})"


def number(
    prompt: Prompt, name: str, low: float | None = None, high: float | None = None, optional: bool = False
) -> None:
    """Refuse a field that is no finite number from low to high; numbers of numpy become plain ones."""
    _check(prompt, name, low, high, optional, (int, float), "a number")


def whole(prompt: Prompt, name: str, low: int | None = None, high: int | None = None, optional: bool = False) -> None:
    """Refuse a field that is no whole number from low to high."""
    _check(prompt, name, low, high, optional, (int,), "a whole number")


def _check(prompt: Prompt, name: str, low, high, optional: bool, types: tuple, what: str) -> None:
    value = getattr(prompt, name)
    value = value.item() if hasattr(value, "item") else value
    if value is None and optional:
        return
    fits = isinstance(value, types) and not isinstance(value, bool) and math.isfinite(value)
    if not (fits and (low is None or value >= low) and (high is None or value <= high)):
        span = "" if low is None else f" of at least {low}" if high is None else f" from {low} to {high}"
        error = ValueError if isinstance(value, (int, float)) and not isinstance(value, bool) else TypeError
        raise error(f"{type(prompt).__name__} is given {name}={value!r}, {what}{span} was expected")
    object.__setattr__(prompt, name, value)


def _alike(a: Prompt, b: Prompt, tokens: Tokens, clip: Clip | None) -> tuple[Tokens, Tensor, Tensor]:
    """Tokens and masks of two prompts that leave tokens of one length."""
    (made, first), (other, second) = a.prepare(tokens, clip), b.prepare(tokens, clip)
    if made is not other and not (made.length == other.length and torch.equal(made.codes, other.codes)):
        raise ValueError(
            f"{a!r} leaves {made.seconds:.2f} s and {b!r} {other.seconds:.2f} s of other tokens; prompts combine where they leave the same ones: "
            "put the other prompt inside the one that changes the length, or use one after the other"
        )
    return made, first, second


def _called(prompt: Prompt) -> str:
    """How a prompt prints before a dot, which binds closer than ~."""
    return f"({prompt!r})" if isinstance(prompt, Opposite) else repr(prompt)


def _plain(value):
    if isinstance(value, Prompt):
        return {"type": type(value).__name__, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    return list(value) if isinstance(value, tuple) else value


def _made(value):
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, dict):
        return value
    name = value.get("type")
    if not isinstance(name, str) or name not in Prompt.kinds:
        raise VampkitError(f"a prompt of type {name!r} is not known; there are: {', '.join(sorted(Prompt.kinds))}")
    try:
        return Prompt.kinds[name](**{key: _made(inner) for key, inner in value.items() if key != "type"})
    except (TypeError, AttributeError) as error:
        raise VampkitError(f"the fields of {name} do not fit ({error}); write the prompt with Prompt.to_json") from None
