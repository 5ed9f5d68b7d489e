"""What all checks have in common.

Run the reader's function on cases, compare what comes back, and say in one line what is wrong.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

LONGEST = 110
"""Characters of an exception's own message that are shown."""


def judge(
    name: str,
    yours: Callable,
    cases: Iterable[tuple],
    answer: Callable,
    traps: Mapping[str, Callable],
    tolerance: float = 1e-4,
) -> bool:
    """Run `yours` on every case and compare it with `answer`; print one line, return whether all was right.

    A case is a tuple of arguments; each function gets copies of its own. A `yours` that raises NotImplementedError was
    not attempted yet. A trap is a usual mistake, by the sentence to say where `yours` agrees with it and not with the
    answer. The tolerance of floating point numbers is relative to 1 or to the number, whichever is larger.
    """
    if not callable(yours):
        return _say(name, f"a function was expected, {type(yours).__name__} was given")
    for number, case in enumerate(cases, 1):
        try:
            found = as_value(yours(*_copies(case)))
        except NotImplementedError:
            return _say(name, "not attempted yet")
        except Exception as error:
            return _say(name, f"in case {number} {_stopped(yours, error)}")
        wrong = difference(found, as_value(answer(*_copies(case))), tolerance)
        if wrong:
            line = f"not yet; in case {number} {wrong}"
            for sentence, trap in traps.items():
                if not difference(found, as_value(trap(*_copies(case))), tolerance):
                    return _say(name, f"{line}. {sentence}")
            return _say(name, line)
    return _say(name, "right", True)


def difference(found, expected, tolerance: float = 1e-4) -> str:
    """What is wrong with `found`, in words; empty where it is right. Both are what `as_value` made.

    Kind, shape, not-a-number and the first wrong place are named, with the value found there and whether it is too
    large or too small.
    """
    if found is None:
        return "your function returned nothing; does it end with return?"
    if not isinstance(found, np.ndarray):
        return f"your function returned {found}, {_kind(expected)} was expected"
    if found.shape != expected.shape:
        return f"yours has shape {found.shape}, {expected.shape} was expected"
    if (found.dtype == bool) != (expected.dtype == bool):
        return f"yours holds {_kind(found)}, {_kind(expected)} was expected"
    if expected.dtype == bool:
        wrong = found != expected
        return _first(found, wrong, lambda v: f"yours is {v}") + _balance(found, expected) if wrong.any() else ""
    a, b = found.astype(np.float64), expected.astype(np.float64)
    if np.isnan(a).any():
        return _first(a, np.isnan(a), lambda _: "yours is not a number (nan)")
    with np.errstate(invalid="ignore"):
        wrong = (a != b) & ~(np.abs(a - b) <= tolerance * np.maximum(1, np.abs(b)))
    if not wrong.any():
        return ""
    place = tuple(np.argwhere(wrong)[0])
    return _first(a, wrong, lambda v: f"yours is {v:.6g}, which is too {'large' if v > b[place] else 'small'}")


def as_value(value):
    """A result as a NumPy array, whatever it came as.

    None stays None; what is no array of numbers becomes the name of its type.
    """
    if value is None:
        return None
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    try:
        single = isinstance(value, np.ndarray | np.generic | str | bool | int | float)
        array = np.asarray(value if single else [as_value(v) if isinstance(v, Tensor) else v for v in value])
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
    return array if array.dtype.kind in "biuf" else f"a {type(value).__name__}"


def _copies(case: tuple) -> tuple:
    return tuple(v.clone() if isinstance(v, Tensor) else v for v in case)


def _say(name: str, what: str, right: bool = False) -> bool:
    print(f"{name}: {what}")
    return right


def _kind(value: np.ndarray) -> str:
    if value.dtype.kind == "b":
        return "True or False"
    name = "number" if value.dtype.kind == "f" else "whole number"
    return f"a {name}" if value.ndim == 0 else f"{name}s"


def _first(found: np.ndarray, wrong: np.ndarray, describe: Callable) -> str:
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    value = describe(found[place].item())
    if not place:
        return value
    where = place[0] if len(place) == 1 else list(place)
    return f"the first of {int(wrong.sum())} wrong places (of {wrong.size}) is {where}: {value}"


def _balance(found: np.ndarray, expected: np.ndarray) -> str:
    mine, right = int(found.sum()), int(expected.sum())
    verdict = "as it should" if mine == right else "too often" if mine > right else "too seldom"
    return f"; True occurs {mine} times in yours, {verdict}"


def _stopped(yours: Callable, error: Exception) -> str:
    """Kind of exception, its message in one line, and the line of the reader's function it came from."""
    message = " ".join(str(error).split())
    message = message if len(message) <= LONGEST else message[:LONGEST] + " ..."
    code = getattr(inspect.unwrap(yours), "__code__", None)
    lines = [
        f.lineno - code.co_firstlineno + 1
        for f in traceback.extract_tb(error.__traceback__)
        if code and (f.name, f.filename) == (code.co_name, code.co_filename)
    ]
    where = f", line {lines[-1]} of your function" if lines else ""
    return f"it stopped with {type(error).__name__}{where}" + (f": {message}" if message else "")


def generator(seed: int) -> torch.Generator:
    """A generator of a check's own: the reader's is left alone, and every run draws the same cases."""
    return torch.Generator().manual_seed(seed)
