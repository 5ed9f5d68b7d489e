"""Fields of prompts: what a field accepts, how it is read from the command line, and how the panel sets it.

A prompt type declares each field once, with one of the functions below:

    period: int = whole("period in frames", default=7, low=0, slider=Slider(1, 64))
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, field
from itertools import islice
from typing import Any, ClassVar

from vampkit.files.outer import MOST_SEED, MOST_TIMES, shown, word
from vampkit.files.outer import number as outer_number
from vampkit.files.outer import plain as plain_number


@dataclass(frozen=True)
class Slider:
    """The panel's slider for a number, from `low` to `high` in steps. Python code may use values outside this range.

    start: first value of the slider, if it is not the default of the field. of_length: `high` and `start` are fractions
    of the length of the sound; the panel multiplies them by its seconds.
    """

    low: float
    high: float
    step: float = 1
    start: float | None = None
    of_length: bool = False


class Value:
    """Base class for the kinds of values of a field. It accepts everything, and the panel does not show it."""

    takes_all: ClassVar[bool] = False
    """Whether all text after the colon of a word is this one value, even if it contains commas."""

    def checked(self, owner: str, name: str, value):
        """Check a value and convert it to what the prompt stores. Raises TypeError or ValueError if it does not fit."""
        return value

    def read(self, text: str):
        """Convert the text of a value on the command line."""
        return plain(text)


@dataclass(frozen=True)
class Number(Value):
    """A finite number from low to high. Without limits, as large as any frame or second can be."""

    label: str = ""
    low: float | None = None
    high: float | None = None
    slider: Slider | None = None
    whole: bool = False
    optional: bool = False
    most: float | None = None

    def checked(self, owner: str, name: str, value):
        lead, value = f"{owner} is given {name}=", plain_number(value)
        most = self.most or (MOST_SEED if self.whole else 1e9)
        if isinstance(value, bool):
            raise TypeError(f"{lead}{value!r}, a number was expected; choose one")
        found = outer_number(lead, value, self.low, self.high, whole=self.whole, optional=self.optional)
        return outer_number(lead, found, -most, most, optional=self.optional)


@dataclass(frozen=True)
class Choice(Value):
    """One of several words."""

    label: str
    options: tuple[str, ...]

    def checked(self, owner: str, name: str, value) -> str:
        return one_of(name, value, self.options)


class Times(Value):
    """Sorted times in seconds, or None. On the command line they are joined by "/"."""

    def checked(self, owner: str, name: str, value) -> tuple[float, ...] | None:
        return None if value is None else times_of(value, name)

    def read(self, text: str) -> tuple:
        return tuple(plain(part) for part in text.split("/"))


@dataclass(frozen=True)
class Inner(Value):
    """Another prompt. The panel shows only its field `shown`, a number."""

    label: str
    shown: str


def number(
    label: str = "",
    *,
    default: Any = MISSING,
    low: float | None = None,
    high: float | None = None,
    slider: Slider | None = None,
    whole: bool = False,
    repr: bool = True,
    most: float | None = None,
) -> Any:
    """Declare a field that is a number from low to high. It may also be None if None is its default.

    label: its label in the panel. slider: its slider in the panel; without one the panel does not show the field.
    repr: False leaves the field out of the printed prompt if it has its default. most: the largest amount that memory
    and time allow, if there is no other limit.
    """
    value = Number(label, low, high, slider, whole, default is None, most)
    return field(default=default, repr=repr, metadata={"value": value})


def whole(
    label: str = "",
    *,
    default: Any = MISSING,
    low: int | None = None,
    high: int | None = None,
    slider: Slider | None = None,
    repr: bool = True,
    most: int | None = None,
) -> Any:
    """Declare a field that is a whole number; see `number`."""
    return number(label, default=default, low=low, high=high, slider=slider, whole=True, repr=repr, most=most)


def choice(label: str, options: tuple[str, ...], *, default: str) -> Any:
    """Declare a field that is one of several words. The panel shows it as a menu."""
    return field(default=default, metadata={"value": Choice(label, options)})


def time_list(*, default: None) -> Any:
    """Declare a field of sorted times in seconds, or None. The panel does not show it."""
    return field(default=default, repr=False, metadata={"value": Times()})


def inner(label: str, shown: str, *, default: Any) -> Any:
    """Declare a field that is another prompt. The panel shows the field `shown` of that prompt, with this label."""
    return field(default=default, metadata={"value": Inner(label, shown)})


def value_of(of: Field) -> Value:
    """The `Value` of a field, which one of the functions above declared."""
    return of.metadata.get("value", Value())


def one_of(name: str, value: str, options: tuple[str, ...]) -> str:
    """Return the value if it is one of the options, else raise ValueError, or TypeError for no text."""
    return word(f"{name} is ", value, options)


def plain(text: str) -> int | float | str:
    """Convert a text to an int, else to a float, else return it as it is."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text.strip()


def times_of(times: Iterable[float], what: str = "times") -> tuple[float, ...]:
    """Convert times in seconds to a tuple of floats.

    Raises TypeError for values that are not numbers, and ValueError for times that are negative or out of order.
    """
    try:
        if isinstance(times, (str, bytes, dict)):
            raise TypeError
        found = tuple(float(t) for t in islice(times, MOST_TIMES + 1))
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"{what} hold {shown(times)}, numbers of seconds in order of time were expected; give a list of them"
        ) from None
    if len(found) > MOST_TIMES:
        raise ValueError(f"{what} are more than {MOST_TIMES}, fewer were expected; give those of a shorter sound")
    for time in found:
        if not (math.isfinite(time) and time >= 0):
            raise ValueError(f"{what} hold {time} s, 0 or more was expected; leave it out")
    for before, after in zip(found, found[1:], strict=False):
        if after <= before:
            raise ValueError(f"{what} are out of order: {after} s comes after {before} s; sort them, each once")
    return found
