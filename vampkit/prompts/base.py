"""What all prompts share: making masks, combining prompts, JSON, printing, drawing, and bit rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from itertools import islice
from typing import ClassVar, dataclass_transform

import torch
from jaxtyping import Bool
from torch import Tensor

from vampkit import masks
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_NESTED, shown
from vampkit.files.outer import plain as plain_number
from vampkit.files.texts import of_format
from vampkit.prompts.values import Value, choice, inner, number, plain, time_list, value_of, whole

FORMAT = "vampkit.prompt/1"
"""Name of the JSON format. The number is raised when older versions can no longer read it."""


class Prompt:
    """Says what is kept of a sound. This is the base class of all prompt types.

    A prompt type is a subclass with the decorator `prompt_type`. It defines `mask`, or `prepare` if it changes the
    length. `a | b` keeps what a or b keeps, `a & b` what both keep, `~a` what a does not keep. `a.on(0)` keeps only
    codebook 0 of what a keeps. `a.dropout(0.2)` drops 20 % of the kept frames. Paper, section 3.4.

    Notebook: 00, 02, 06 to 09
    """

    kinds: ClassVar[dict[str, type[Prompt]]] = {}
    """All prompt types by class name. JSON uses these names."""
    word: ClassVar[str] = ""
    """Its word on the command line; "" if it has none."""
    example: ClassVar[str] = ""
    """The word with example values, for the help text."""
    bare: ClassVar[bool] = False
    """Whether the word may be used without values."""
    title: ClassVar[str] = ""
    """Its line in the panel's menu; "" if the panel does not offer it."""
    circular: ClassVar[bool] = False
    """Whether the result is a loop, whose end fits its start."""
    recommended: ClassVar[dict[str, float]] = {}
    """Settings of a take that suit the prompt, by name."""

    nested: ClassVar[int] = 1
    """How many prompts lie inside each other, this one included."""

    def __post_init__(self):
        for f in fields(self):
            if f.type in (Prompt, "Prompt"):
                self._check_inner(f.name, getattr(self, f.name))
            self._set(f.name, value_of(f).checked(type(self).__name__, f.name, getattr(self, f.name)))

    def _set(self, name: str, value) -> None:
        """Set a field of the frozen object, during `__post_init__`."""
        object.__setattr__(self, name, value)

    def _check_inner(self, name: str, inner) -> None:
        """Check a field that is another prompt, and that prompts do not lie too deeply inside each other."""
        kind = type(self).__name__
        if not isinstance(inner, Prompt):
            raise TypeError(
                f"{kind} is given {name}={shown(inner)}, a prompt was expected; make one, such as Periodic(7)"
            )
        self._set("nested", max(self.nested, inner.nested + 1))
        if self.nested > MOST_NESTED:
            raise ValueError(
                f"more than {MOST_NESTED} prompts lie inside each other, fewer were expected; draw the mask instead "
                "(Drawn)"
            )

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        """Make the mask of what the prompt hides. If the prompt changes the length, it is the mask of the new tokens.

        Parameters
        ----------
        tokens : Tokens
            Tokens of the sound.
        clip : Clip, optional
            The sound. Only prompts that listen (beats, onsets) need it, if they were made without times.

        Returns
        -------
        Tensor
            bool [codebooks, frames], True = hidden.

        Raises
        ------
        ValueError
            For a prompt that does not fit the tokens.
        """
        return self.prepare(tokens, clip)[1]

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        """Make the tokens that a take starts from, and their mask.

        Most prompts leave the tokens as they are.

        Parameters
        ----------
        tokens : Tokens
            Tokens of the sound.
        clip : Clip, optional
            The sound, for prompts that listen.

        Returns
        -------
        made : Tokens
            The tokens that the take starts from.
        mask : Tensor
            bool [codebooks, frames], True = hidden.

        Raises
        ------
        ValueError
            For a prompt that does not fit the tokens.
        """
        return tokens, self.mask(tokens, clip)

    def shift(self, tokens: Tokens) -> int:
        """Count the frames by which `prepare` moves the sound to the right, because outpainting adds some before it.

        Parameters
        ----------
        tokens : Tokens
            Tokens of the sound.

        Returns
        -------
        int
            Frames; 0 for most prompts.
        """
        return 0

    def bits_per_second(self, tokens: Tokens, clip: Clip | None = None) -> float:
        """Compute the bit rate of what is kept: the bit rate of all codes times the fraction that is kept.

        The nominal rates in the paper differ, see notebook 06.

        Parameters
        ----------
        tokens : Tokens
            Tokens of the sound.
        clip : Clip, optional
            The sound, for prompts that listen.

        Returns
        -------
        float
            Bits per second.
        """
        made, mask = self.prepare(tokens, clip)
        return made.bits_per_second * float((~mask).float().mean())

    def draw(self, tokens: Tokens, clip: Clip | None = None, title: str = ""):
        """Draw the mask. If a clip is given and the length does not change, the spectrogram is drawn above it.

        Parameters
        ----------
        tokens : Tokens
            Tokens of the sound.
        clip : Clip, optional
            The sound.
        title : str
            Title of the figure; if empty, the prompt as Python code.

        Returns
        -------
        plotly.graph_objects.Figure
            The figure.
        """
        from vampkit import show

        made, mask = self.prepare(tokens, clip)
        if clip is not None and made.length == tokens.length:
            return show.mask_over(clip, mask, made, title or repr(self))
        return show.mask(mask, made, title or repr(self))

    def on(self, codebooks: int | Iterable[int]) -> Prompt:
        """Keep the same in some codebooks, and nothing in the others.

        With it codebooks can have different prompts: `a.on(0) | b.on((1, 2))`.

        Parameters
        ----------
        codebooks : int or iterable of int
            Codebooks, from 0.

        Returns
        -------
        Prompt
            An `On` around this prompt.
        """
        return On(self, codebooks)

    def dropout(self, dropped: float, seed: int = 0) -> Prompt:
        """Keep the same, except for some of the frames.

        Parameters
        ----------
        dropped : float
            Fraction of the kept frames to drop, from 0 (none) to 1 (all).
        seed : int
            Seed of the random choice of frames.

        Returns
        -------
        Prompt
            A `Dropout` around this prompt.
        """
        return Dropout(self, dropped, seed)

    def __or__(self, other: Prompt) -> Prompt:
        return Either(self, other) if isinstance(other, Prompt) else NotImplemented

    def __and__(self, other: Prompt) -> Prompt:
        return Both(self, other) if isinstance(other, Prompt) else NotImplemented

    def __invert__(self) -> Prompt:
        return Opposite(self)

    def __repr__(self) -> str:
        """The Python code that makes the prompt. Fields with `repr=False` are left out if they have their default."""
        given = [(f, getattr(self, f.name)) for f in fields(self)]
        shown = [f"{f.name}={v!r}" for f, v in given if f.repr or f.default is MISSING or v != f.default]
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_json(self) -> dict:
        """Convert the prompt to plain data in the format `vampkit.prompt/1`.

        Returns
        -------
        dict
            Data for `json.dumps`. `from_json` makes the same prompt from it.
        """
        return {"format": FORMAT, **_to_data(self)}

    @classmethod
    def from_json(cls, data: dict | str) -> Prompt:
        """Read the prompt that `to_json` wrote.

        Parameters
        ----------
        data : dict or str
            The data, or its JSON text.

        Returns
        -------
        Prompt
            The prompt.

        Raises
        ------
        VampkitError
            If the data are not a prompt.
        ValueError
            For values outside their range.
        """
        data = of_format(data, FORMAT, "prompt")
        try:
            return _from_data({name: value for name, value in data.items() if name != "format"})
        except RecursionError:
            raise VampkitError(
                f"more than {MOST_NESTED} prompts lie inside each other, fewer were expected; write fewer"
            ) from None


@dataclass_transform(frozen_default=True, field_specifiers=(number, whole, choice, time_list, inner, field))
def prompt_type(
    kind: type[Prompt] | None = None, *, word: str = "", example: str = "", bare: bool = False, title: str = ""
):
    """Turn a class into a prompt type: a frozen dataclass that the command line, JSON, the panel and the help know.

    Declare its fields with the functions of vampkit/prompts/values.py, such as `number` and `whole`. The first line of
    its docstring is shown in the help text.

    Parameters
    ----------
    kind : type of Prompt
        The decorated class.
    word : str
        Its word on the command line. The values after it are the fields, in order or by name.
    example : str
        The word with example values, for the help text.
    bare : bool
        Whether the word may be used without values.
    title : str
        Its line in the panel's menu. The panel shows the fields with a slider. A title needs a word too.

    Returns
    -------
    type of Prompt
        The class.

    Raises
    ------
    ValueError
        For a word that another prompt type has.

    Examples
    --------
    >>> @prompt_type(word="start", example="start:12", title="Start: keep the first frames")
    ... class Start(Prompt):
    ...     '''Keeps the first `frames` frames.'''
    ...
    ...     frames: int = whole("frames kept", default=12, low=0, slider=Slider(0, 100))
    ...
    ...     def mask(self, tokens, clip=None):
    ...         return masks.prefix(tokens.codebooks, tokens.frames, min(self.frames, tokens.frames))
    """
    if kind is None:
        return partial(prompt_type, word=word, example=example, bare=bare, title=title)
    if any(word and other.word == word and name != kind.__name__ for name, other in Prompt.kinds.items()):
        raise ValueError(f"the word {word!r} of {kind.__name__} is another prompt type's; choose one that is free")
    kind = dataclass(frozen=True, repr=False)(kind)
    kind.word, kind.example, kind.bare, kind.title = word, example, bare, title
    Prompt.kinds[kind.__name__] = kind
    return kind


@prompt_type
class Either(Prompt):
    """Keeps what a or b keeps: `a | b`.

    Parameters
    ----------
    a, b : Prompt
        Two prompts whose `prepare` gives the same tokens.
    """

    a: Prompt
    b: Prompt
    _sign: ClassVar[str] = "|"
    _hides = staticmethod(torch.logical_and)

    @property
    def circular(self) -> bool:
        """Whether a or b makes a loop."""
        return self.a.circular or self.b.circular

    @property
    def recommended(self) -> dict[str, float]:
        """The settings that a or b recommends. If both recommend a setting, the larger value."""
        a, b = self.a.recommended, self.b.recommended
        return {name: max(s[name] for s in (a, b) if name in s) for name in a | b}

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        made, a, b = _alike(self.a, self.b, tokens, clip)
        return made, self._hides(a, b)

    def shift(self, tokens: Tokens) -> int:
        return self.a.shift(tokens)

    def __repr__(self) -> str:
        return f"({self.a!r} {self._sign} {self.b!r})"


@prompt_type
class Both(Either):
    """Keeps what both a and b keep: `a & b`.

    Parameters
    ----------
    a, b : Prompt
        Two prompts whose `prepare` gives the same tokens.
    """

    _sign: ClassVar[str] = "&"
    _hides = staticmethod(torch.logical_or)


class Wrapped(Prompt):
    """Base class of prompts that change the mask of another prompt, their field `prompt`."""

    @property
    def circular(self) -> bool:
        """Whether the inner prompt makes a loop."""
        return self.prompt.circular

    @property
    def recommended(self) -> dict[str, float]:
        """What the inner prompt recommends."""
        return self.prompt.recommended

    def prepare(self, tokens: Tokens, clip: Clip | None = None) -> tuple[Tokens, Bool[Tensor, "codebooks frames"]]:
        made, mask = self.prompt.prepare(tokens, clip)
        return made, self.changed(mask)

    def changed(self, mask: Bool[Tensor, "codebooks frames"]) -> Bool[Tensor, "codebooks frames"]:
        """Change the inner prompt's mask.

        Parameters
        ----------
        mask : Tensor
            bool [codebooks, frames], True = hidden.

        Returns
        -------
        Tensor
            bool [codebooks, frames], True = hidden.
        """
        raise NotImplementedError

    def shift(self, tokens: Tokens) -> int:
        return self.prompt.shift(tokens)


@prompt_type
class Opposite(Wrapped):
    """Keeps what a prompt does not keep: `~a`.

    Parameters
    ----------
    prompt : Prompt
        The other prompt.
    """

    prompt: Prompt

    def changed(self, mask: Bool[Tensor, "codebooks frames"]) -> Bool[Tensor, "codebooks frames"]:
        return ~mask

    def __repr__(self) -> str:
        return f"~{self.prompt!r}"


@prompt_type(word="dropout", example="dropout:0.2(periodic:7)")
class Dropout(Wrapped):
    """Keeps what a prompt keeps, except for some of the frames.

    `a.dropout(dropped, seed)` makes it. If n frames keep anything, round(dropped * n) of them are dropped.

    Parameters
    ----------
    prompt : Prompt
        The other prompt.
    dropped : float
        Fraction of its frames to drop, from 0 (none) to 1 (all).
    seed : int
        Seed of the random choice of frames.
    """

    prompt: Prompt
    dropped: float = number(low=0, high=1)
    seed: int = whole(default=0)

    def changed(self, mask: Bool[Tensor, "codebooks frames"]) -> Bool[Tensor, "codebooks frames"]:
        return masks.dropout(mask, self.dropped, torch.Generator().manual_seed(self.seed))

    def __repr__(self) -> str:
        return f"{_called(self.prompt)}.dropout({self.dropped}, {self.seed})"


MOST_ROWS = 1024


class Rows(Value):
    """One or several codebooks, counted from 0. On the command line they are joined by commas."""

    takes_all = True

    def checked(self, owner: str, name: str, value) -> tuple[int, ...]:
        value = plain_number(value)
        try:
            rows = [plain_number(row) for row in ([value] if isinstance(value, int) else islice(value, MOST_ROWS + 1))]
            if not rows or any(
                isinstance(row, bool | str) or int(row) != row or not 0 <= row < MOST_ROWS for row in rows
            ):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise ValueError(
                f"the codebooks {shown(value)} were chosen, whole numbers from 0 on were expected; choose some, as (0,)"
            ) from None
        return tuple(sorted({int(row) for row in rows}))

    def read(self, text: str) -> tuple:
        return tuple(plain(part) for part in text.split(","))


@prompt_type(word="on", example="on:0,1(prefix:3)")
class On(Wrapped):
    """Keeps what a prompt keeps in some codebooks, and nothing in the others.

    `a.on(codebooks)` makes it.

    Parameters
    ----------
    prompt : Prompt
        The other prompt.
    codebooks : int or iterable of int
        Codebooks, from 0.
    """

    prompt: Prompt
    codebooks: int | Iterable[int] = field(metadata={"value": Rows()})

    def changed(self, mask: Bool[Tensor, "codebooks frames"]) -> Bool[Tensor, "codebooks frames"]:
        return masks.only(mask, self.codebooks)

    def __repr__(self) -> str:
        return f"{_called(self.prompt)}.on({self.codebooks})"


def _alike(a: Prompt, b: Prompt, tokens: Tokens, clip: Clip | None) -> tuple[Tokens, Tensor, Tensor]:
    """The common tokens of two prompts and their two masks. Raises ValueError if their tokens differ."""
    (made, first), (other, second) = a.prepare(tokens, clip), b.prepare(tokens, clip)
    if made is not other and not (made.length == other.length and torch.equal(made.codes, other.codes)):
        raise ValueError(
            f"{a!r} leaves {made.seconds:.2f} s and {b!r} {other.seconds:.2f} s of other tokens; prompts combine where "
            "they leave the same ones: put the other prompt inside the one that changes the length, "
            "or use one after the other"
        )
    return made, first, second


def _called(prompt: Prompt) -> str:
    """The prompt as Python code before a method call. `~a` needs brackets, as the dot binds more tightly than ~."""
    return f"({prompt!r})" if isinstance(prompt, Opposite) else repr(prompt)


def _to_data(value):
    """A prompt, or the value of one of its fields, as plain data for JSON."""
    if isinstance(value, Prompt):
        return {"type": type(value).__name__, **{f.name: _to_data(getattr(value, f.name)) for f in fields(value)}}
    return list(value) if isinstance(value, tuple) else value


def _from_data(value):
    """The prompt, or the value of a field, from the plain data that `_to_data` made."""
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, dict):
        return value
    name = value.get("type")
    if not isinstance(name, str) or name not in Prompt.kinds:
        raise VampkitError(f"a prompt of type {shown(name)} is not known; there are: {', '.join(sorted(Prompt.kinds))}")
    try:
        return Prompt.kinds[name](**{key: _from_data(inner) for key, inner in value.items() if key != "type"})
    except (TypeError, AttributeError) as error:
        raise VampkitError(
            f"the fields of {name} do not fit ({shown(str(error), 300)[1:-1]}); write the prompt with Prompt.to_json"
        ) from None
