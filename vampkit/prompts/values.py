"""Fields of prompts: what a field accepts, how it is read from the command line, and how the panel sets it.

A prompt type declares each field once, with one of the functions below:

    period: int = whole("period in frames", default=7, low=0, slider=Slider(1, 64))
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, field
from typing import Any, ClassVar


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
    """A finite number from low to high."""

    label: str = ""
    low: float | None = None
    high: float | None = None
    slider: Slider | None = None
    whole: bool = False
    optional: bool = False

    def checked(self, owner: str, name: str, value):
        value = value.item() if hasattr(value, "item") else value  # NumPy numbers become plain Python numbers
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
) -> Any:
    """Declare a field that is a number from low to high. It may also be None if None is its default.

    label: its label in the panel. slider: its slider in the panel; without one the panel does not show the field.
    repr: False leaves the field out of the printed prompt if it has its default.
    """
    value = Number(label, low, high, slider, whole, optional=default is None)
    return field(default=default, repr=repr, metadata={"value": value})


def whole(
    label: str = "",
    *,
    default: Any = MISSING,
    low: int | None = None,
    high: int | None = None,
    slider: Slider | None = None,
    repr: bool = True,
) -> Any:
    """Declare a field that is a whole number; see `number`."""
    return number(label, default=default, low=low, high=high, slider=slider, whole=True, repr=repr)


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
    """Return the value if it is one of the options, else raise ValueError."""
    if value not in options:
        *others, last = (f'"{option}"' for option in options)
        raise ValueError(f"{name} is {value!r}, {', '.join(others)} or {last} was expected")
    return value


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
