"""Values from outside: what a user, a record or a file gives is checked here, before memory is taken for it.

Each function gives the value back as plain Python, so that NumPy numbers work and records stay plain JSON. Otherwise it
raises TypeError or ValueError with one sentence: what was given, what was expected, what to do.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from vampkit.errors import VampkitError

MOST_FRAMES = 2**20
"""Frames of a result: 5 hours. Prompts that add sound or stretch it refuse more."""
MOST_SECONDS = 18_000.0
"""Seconds that a prompt or a verb may be asked for: 5 hours."""
MOST_SAMPLES = 2**28
"""Samples of a sound in memory, all channels together: 1 GiB, 100 minutes of one channel."""
MOST_RATE = 768_000
"""Samples per second."""
MOST_CHANNELS = 64
MOST_PASSES = 1024
MOST_ROUNDS = 64
"""Rounds of feedback."""
MOST_TAKES = 256
"""Takes in one batch."""
MOST_SEED = 2**53
"""Seeds up to here are the same whole number in Python, JSON and JavaScript."""
MOST_WINDOW = 4096
"""Frames that a model sees at once; its attention needs memory for the square of them."""
MOST_TIMES = 2**20
"""Beats or onsets of one prompt."""
MOST_NESTED = 100
"""Prompts inside each other."""
MOST_TEXT = 2**26
"""Bytes of a record, a prompt or settings: 64 MiB."""


def shown(value: Any, most: int = 60) -> str:
    """Show a value inside a sentence: on one line, and cut if it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an object's own __repr__ may raise anything
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}..."


def named(path: str | os.PathLike) -> str:
    """Show the path of a file inside a sentence: as it is, if that can be printed on one line."""
    whole = os.fsdecode(path)
    printed = whole if whole.isprintable() else repr(whole)[1:-1]
    return printed if len(printed) <= 300 else f"{printed[:100]}..."


def path_of(given: Any, what: str = "file") -> Path:
    """The path that was given, as text or an object of pathlib. Raises TypeError for anything else."""
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(f"{shown(given)} was given, the path of a {what} was expected; give its name as text")
    return Path(os.fsdecode(given))


def plain(value: Any) -> Any:
    """Turn a number of NumPy or torch into Python's own; all else stays as it is."""
    single = getattr(value, "ndim", None) == 0 and hasattr(value, "item")
    return value.item() if single else value


def number(
    lead: str,
    value: Any,
    low: float | None = None,
    high: float | None = None,
    *,
    whole: bool = False,
    optional: bool = False,
    hint: str = "",
) -> Any:
    """Check a finite number from low to high.

    Parameters
    ----------
    lead : str
        The sentence up to the value, such as "passes is ".
    value : object
        What was given.
    low, high : float, optional
        The smallest and the largest value.
    whole : bool
        Whether it must be a whole number.
    optional : bool
        Whether None is a value too.
    hint : str
        What to do; if empty, to choose such a number.

    Returns
    -------
    int, float or None
        The number.

    Raises
    ------
    TypeError
        For what is not a number.
    ValueError
        For a number outside the range.
    """
    value = plain(value)
    if value is None and optional:
        return None
    a_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = a_number and (isinstance(value, int) or (math.isfinite(value) and not whole))
    if fits and (low is None or value >= low) and (high is None or value <= high):
        return value
    what = "a whole number" if whole else "a number"
    limits = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
    span = f" from {low} to {high}" if len(limits) == 2 else "".join(f" of {limit}" for limit in limits)
    error = ValueError if isinstance(value, int | float) else TypeError
    raise error(f"{lead}{shown(value)}, {what}{span} was expected; {hint or 'choose such a number'}")


def flag(lead: str, value: Any) -> bool:
    """Check True or False. Raises TypeError for anything else."""
    value = plain(value)
    if not isinstance(value, bool):
        raise TypeError(f"{lead}{shown(value)}, True or False was expected; choose one of them")
    return value


def word(lead: str, value: Any, options: Iterable[str]) -> str:
    """Check one of several words. Raises TypeError for no text, and ValueError for another word."""
    *others, last = (f'"{option}"' for option in options)
    if isinstance(value, str) and f'"{value}"' in (*others, last):
        return str(value)
    listed = f"{', '.join(others)} or {last}" if others else last
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"{lead}{shown(value)}, {listed} was expected; choose one of them")


def text(lead: str, value: Any, most: int = 10_000) -> str:
    """Check a text of at most so many characters. Raises TypeError or ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{lead}{shown(value)}, a text was expected; give one")
    if len(value) > most:
        raise ValueError(f"{lead}a text of {len(value)} characters, at most {most} was expected; shorten it")
    return value


def fields(what: str, data: Any, required: Sequence[str], allowed: Iterable[str] | None = None, hint: str = "") -> dict:
    """Check that JSON data are an object that has the fields it needs, and no others if `allowed` is given.

    Raises VampkitError otherwise.
    """
    hint = hint or "write it again with vampkit"
    if not isinstance(data, dict):
        raise VampkitError(f"{what} is {shown(data)}, an object with fields was expected; {hint}")
    if lacking := [name for name in required if name not in data]:
        raise VampkitError(f"{what} lacks {', '.join(map(repr, lacking))}, which was expected in it; {hint}")
    if allowed is not None and (strange := [name for name in data if name not in {*allowed, *required}]):
        raise VampkitError(f"{what} has the field {shown(strange[0])}, which is not known; {hint}")
    return data


def json_of(given: str | bytes, what: str, expected: str, hint: str, constants: bool = False) -> Any:
    """Read JSON text that is not too long and not nested too deeply. Raises VampkitError otherwise.

    constants: whether NaN and Infinity, which are no JSON, are read as Python writes them.
    """
    try:
        if len(given) > MOST_TEXT:
            raise ValueError(f"it holds {len(given)} bytes, more than {MOST_TEXT}")
        data = json.loads(given) if constants else json.loads(given, parse_constant=_no_constant)
        if _depth(data) > 4 * MOST_NESTED:
            raise ValueError("it is nested too deeply")
        return data
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise VampkitError(f"{what} is no JSON of this kind ({reason}), {expected} was expected; {hint}")


def _no_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no number")


def _depth(data: Any) -> int:
    """How deeply lists and objects lie inside each other, without recursion."""
    depth, level = 0, [data]
    while level := [inner for each in level if isinstance(each, dict | list) for inner in _inner(each)]:
        depth += 1
    return depth


def _inner(data: dict | list) -> Iterable[Any]:
    return data.values() if isinstance(data, dict) else data
