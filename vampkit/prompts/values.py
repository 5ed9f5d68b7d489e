"""Fields of prompts: what a field accepts, how it is read from words, and how the panel sets it.

A prompt type declares each of its fields once, with one of the functions below:

    period: int = whole(7, "period in frames", low=0, slider=Slider(1, 64))
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar


@dataclass(frozen=True)
class Slider:
    """How the panel sets a number: from `low` to `high` in steps. Code may give the prompt more than the slider does.

    start: the value at first, where it is not the field's default. of_length: `high` and `start` are shares of the
    sound's length, and become seconds.
    """

    low: float
    high: float
    step: float = 1
    start: float | None = None
    of_length: bool = False


class Value:
    """What a field holds; this one accepts everything and is not offered in the panel."""

    takes_all: ClassVar[bool] = False
    """Whether all that follows a word's colon is this value, commas and all."""

    def checked(self, owner: str, name: str, value):
        """The value as the prompt keeps it. Raises TypeError and ValueError for one that does not fit."""
        return value

    def read(self, text: str):
        """The value that a text stands for."""
        return plain(text)


@dataclass(frozen=True)
class Number(Value):
    """A finite number from low to high."""

    label: str = ""
    low: float | None = None
    high: float | None = None
    slider: Slider | None = None
    whole: bool = False
    optional: bool = False

    def checked(self, owner: str, name: str, value):
        value = value.item() if hasattr(value, "item") else value  # numbers of numpy become plain ones
        if value is None and self.optional:
            return None
        low, high, a_number = self.low, self.high, isinstance(value, int | float) and not isinstance(value, bool)
        fits = a_number and math.isfinite(value) and (isinstance(value, int) or not self.whole)
        if not fits or (low is not None and value < low) or (high is not None and value > high):
            what = "a whole number" if self.whole else "a number"
            limits = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
            span = f" from {low} to {high}" if len(limits) == 2 else "".join(f" of {limit}" for limit in limits)
            error = ValueError if a_number else TypeError
            raise error(f"{owner} is given {name}={value!r}, {what}{span} was expected")
        return value


@dataclass(frozen=True)
class Choice(Value):
    """One of several words."""

    label: str
    options: tuple[str, ...]

    def checked(self, owner: str, name: str, value) -> str:
        return one_of(name, value, self.options)


class Times(Value):
    """Seconds in order of time, or none; joined by "/" in words."""

    def checked(self, owner: str, name: str, value) -> tuple[float, ...] | None:
        return None if value is None else times_of(value, name)

    def read(self, text: str) -> tuple:
        return tuple(plain(part) for part in text.split("/"))


@dataclass(frozen=True)
class Inner(Value):
    """Another prompt, of which the panel sets the number `shown`."""

    label: str
    shown: str


def number(
    default=MISSING,
    label: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    slider: Slider | None = None,
    whole: bool = False,
    repr: bool = True,
) -> Any:
    """A field that is a number from low to high, or None where that is its default.

    label: what it counts, in the panel. slider: how the panel sets it; without one the panel does not show it.
    repr: False leaves it out of what is printed while it has its default.
    """
    value = Number(label, low, high, slider, whole, optional=default is None)
    return field(default=default, repr=repr, metadata={"value": value})


whole = partial(number, whole=True)
"""A field that is a whole number; otherwise as `number`."""


def choice(label: str, options: tuple[str, ...]) -> Any:
    """A field that is one of several words, the first by default; a menu in the panel."""
    return field(default=options[0], metadata={"value": Choice(label, options)})


def time_list() -> Any:
    """A field of seconds in order of time, or None, its default; the panel does not show it."""
    return field(default=None, repr=False, metadata={"value": Times()})


def inner(default, label: str, shown: str) -> Any:
    """A field that is another prompt; the panel sets its field `shown`, under the label given here."""
    return field(default=default, metadata={"value": Inner(label, shown)})


def value_of(of: Field) -> Value:
    """What a field of a prompt holds, as one of the functions above declared it."""
    return of.metadata.get("value", Value())


def one_of(name: str, value: str, options: tuple[str, ...]) -> str:
    """The value, which is one of the options. Raises ValueError for another one."""
    if value not in options:
        *others, last = (f'"{option}"' for option in options)
        raise ValueError(f"{name} is {value!r}, {', '.join(others)} or {last} was expected")
    return value


def plain(text: str) -> int | float | str:
    """What a text stands for: a whole number, a number, or the text itself."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text.strip()


def times_of(times: Iterable[float], what: str = "times") -> tuple[float, ...]:
    """Seconds as a tuple of floats.

    Raises TypeError and ValueError for what is no number, negative, or out of order.
    """
    try:
        found = tuple(float(t) for t in times)
    except (TypeError, ValueError):
        raise TypeError(f"{what} hold {times!r}, numbers of seconds in order of time were expected") from None
    for time in found:
        if not (math.isfinite(time) and time >= 0):
            raise ValueError(f"{what} hold {time} s, 0 or more was expected")
    for before, after in zip(found, found[1:], strict=False):
        if after <= before:
            raise ValueError(f"{what} are out of order: {after} s comes after {before} s; sort them, each once")
    return found


def existing(path: str | os.PathLike) -> Path:
    """The path of a file that is there. Raises FileNotFoundError."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file at {path}; check the name and the folder")
    return path
