"""What all checks have in common.

Run the reader's function on cases, compare what comes back, say in one line what is wrong, and draw it.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vampkit.check.watch import TooLong, Watch

LONGEST = 110
"""Characters of an exception's own message that are shown."""


def judge(
    name: str,
    yours: Callable,
    cases: Iterable[tuple],
    answer: Callable,
    traps: Mapping[str, Callable],
    tolerance: float = 1e-4,
    *,
    holds: Mapping[str, Callable] | None = None,
    library: Iterable[Callable] = (),
    names: bool = False,
    hidden: bool = False,
    tensors: bool = False,
    after: Callable[[], str] = str,
    draw: Callable | None = None,
) -> bool:
    """Run `yours` on every case and compare it with `answer`; print one line, return whether all was right.

    In a notebook a wrong answer is also drawn beside the right one. A `yours` that raises NotImplementedError was not
    attempted yet; one that calls a function of `library` is refused, and one that takes too long is stopped.

    cases: tuples of arguments; each function gets copies of its own.
    traps: usual mistakes, by the sentence to say where `yours` makes one; see `_fallen`.
    tolerance: of floating point numbers, relative to 1 or to the number, whichever is larger; see `wrong_places`.
    holds: properties of every right result, by the sentence that states them; functions of a result and a case.
    names: the numbers are names of entries or groups, so none is too large or too small.
    hidden: the cases are not to be drawn, nor their arguments told.
    tensors: where the answer is a tensor with an axis or more, a list or an array is not enough.
    after: gives a sentence to be said of a wrong answer before all other hints, or nothing.
    draw: makes a picture or a player of two results, instead of the usual picture.
    """
    cases, watch = list(cases), Watch(library)
    for number, case in enumerate(cases, 1):
        where = f"in hidden case {number}" if hidden else f"in case {number}{_told(name, case)}"
        result, failure = attempt(yours, case, where, watch)
        if failure:
            hint = after() if failure.startswith(where) else ""
            return say(name, f"{failure}. {hint}" if hint else failure)
        right, found = answer(*_copies(case)), as_value(result)
        expected = as_value(right)
        wants_tensor = tensors and isinstance(right, Tensor) and right.ndim > 0
        if wants_tensor and result is not None and not isinstance(result, Tensor):
            return say(
                name, f"not yet; {where} your function returned a {type(result).__name__}, a tensor was expected"
            )
        if wrong := difference(found, expected, tolerance, names):
            hints = [
                *filter(None, [after()]),
                *_fallen(yours, cases, traps, tolerance),
                *_broken(found, expected, case, holds or {}),
            ]
            say(name, ". ".join([f"not yet; {where} {wrong}", *hints[:1]]))
            if not hidden and isinstance(found, np.ndarray):
                _show(name, found, expected, draw)
            return False
    return say(name, "right", True)


def attempt(yours: Callable, case: tuple, where: str, watch: Watch) -> tuple[Any, str]:
    """What `yours` returns for a case, and in words why that is nothing to be judged; empty where it is."""
    if not callable(yours):
        return None, f"a function was expected, {type(yours).__name__} was given"
    found, failure, given = None, "", _copies(case)
    try:
        found = watch.run(yours, given)
        changed = [place for place, (now, then) in enumerate(zip(given, case, strict=True)) if _changed(now, then)]
        if changed:
            failure = f"{where} it changes its argument {_argument(yours, changed[0])}; work on a copy"
    except NotImplementedError:
        return None, "not attempted yet"
    except TooLong as error:
        return None, f"{where} it was stopped after {error.seconds} s; does every loop end?"
    except (Exception, SystemExit) as error:
        failure = f"{where} {_stopped(yours, error)}"
    if watch.called:
        failure = f"{where} it calls the library's {watch.called}, which is to be written here"
    return found, failure


def _fallen(yours: Callable, cases: list[tuple], traps: Mapping[str, Callable], tolerance: float) -> list[str]:
    """The trap with which `yours` agrees most often: in half of the cases or more, not by giving the same in all.

    In a single case a constant agrees with some trap by chance, and would be told what it is not.
    """
    found = []
    for case in cases if traps else ():
        try:
            found.append(as_value(Watch(seconds=5).run(yours, _copies(case))))
        except (Exception, SystemExit, TooLong):
            found.append(None)

    def agreements(trap: Callable) -> int:
        pairs = zip(found, cases, strict=True)
        same = [value for value, case in pairs if not difference(value, as_value(trap(*_copies(case))), tolerance)]
        enough = 2 * len(same) >= len(cases) and any(difference(value, same[0], tolerance) for value in same)
        return len(same) if enough else 0

    counts = {sentence: agreements(trap) for sentence, trap in traps.items()}
    return [sentence for sentence, count in counts.items() if count and count == max(counts.values())][:1]


def _broken(found: Any, expected: np.ndarray, case: tuple, holds: Mapping[str, Callable]) -> list[str]:
    """The properties that a result of the right kind and shape does not have."""
    if not isinstance(found, np.ndarray) or found.shape != expected.shape:
        return []
    if (found.dtype == bool) != (expected.dtype == bool) or np.isnan(found).any():
        return []
    return [f"A right answer keeps to this: {words}" for words, kept in holds.items() if not kept(found, *case)]


def _show(name: str, found: np.ndarray, expected: np.ndarray, draw: Callable | None) -> None:
    """Draw both results in the notebook that is running, if one is."""
    import sys

    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.display import display

    if getattr(get_ipython(), "kernel", None) is None:
        return
    from vampkit.check.pictures import side_by_side

    if (picture := (draw or side_by_side)(name, found, expected)) is not None:
        display(picture)


def difference(found, expected, tolerance: float = 1e-4, names: bool = False) -> str:
    """What is wrong with `found`, in words; empty where it is right. Both are what `as_value` made.

    Kind, shape, not-a-number and the first wrong place are named, with the value found there and whether it is too
    large or too small. With `names` numbers only name things, and have no size.
    """
    if found is None:
        return "your function returned nothing; does it end with return?"
    if not isinstance(found, np.ndarray):
        return f"your function returned {found}, {_kind(expected)} was expected"
    if found.shape != expected.shape:
        mine = f"has shape {found.shape}" if found.ndim else "is a single value"
        right = f"shape {expected.shape}" if expected.ndim else "a single value"
        return f"yours {mine}, {right} was expected"
    if (found.dtype == bool) != (expected.dtype == bool):
        return f"yours holds {_kind(found)}, {_kind(expected)} was expected"
    if expected.dtype == bool:
        wrong = found != expected
        return _first(found, wrong, lambda v: f"yours is {v}") + _balance(found, expected) if wrong.any() else ""
    if names and found.dtype.kind == "f" and expected.dtype.kind != "f":
        return f"yours holds {_kind(found)}, {_kind(expected)} were expected: they name entries"
    a, b = found.astype(np.float64), expected.astype(np.float64)
    if np.isnan(a).any():
        return _first(a, np.isnan(a), lambda _: "yours is not a number (nan)")
    wrong = wrong_places(a, expected, tolerance)
    if not wrong.any():
        return ""
    place = tuple(np.argwhere(wrong)[0])
    if names:
        return _first(a, wrong, lambda v: f"yours is {v:.6g}, another one was expected")
    return _first(a, wrong, lambda v: f"yours is {_number(v)}, which is too {'large' if v > b[place] else 'small'}")


def wrong_places(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4) -> np.ndarray:
    """Where numbers differ by more than errors of rounding; an infinite one is met by itself alone.

    Where whole numbers are expected, the tolerance does not grow with them: a count is right or wrong.
    """
    size = 1 if expected.dtype.kind in "iu" else np.maximum(1, np.abs(expected))
    with np.errstate(invalid="ignore"):
        near = np.abs(found - expected) <= tolerance * size
    return (found != expected) & ~(near & np.isfinite(expected))


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
    """Each argument's copy: an answer that changes them spoils nothing, and all draw the same numbers."""
    return tuple(_copy(value) for value in case)


def _copy(value: Any) -> Any:
    if isinstance(value, torch.Generator):
        return torch.Generator().set_state(value.get_state())
    return value.clone() if isinstance(value, Tensor) else list(value) if isinstance(value, list) else value


def _changed(now: Any, then: Any) -> bool:
    """Whether an argument is no longer what it was. A generator that was drawn from is meant to be."""
    if isinstance(then, Tensor):
        return now.shape != then.shape or not torch.equal(now.nan_to_num(), then.nan_to_num())
    return isinstance(then, list) and now != then


def _argument(yours: Callable, place: int) -> str:
    try:
        return f"`{list(inspect.signature(yours).parameters)[place]}`"
    except (IndexError, TypeError, ValueError):
        return str(place + 1)


def _number(value: float) -> str:
    """All digits of a whole number, six of others."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _told(name: str, case: tuple) -> str:
    """The call of a case whose arguments are plain numbers, so that it can be made again by hand."""
    if not case or not all(type(value) in (int, float) for value in case):
        return ""
    return f" ({name}({', '.join(f'{value:.6g}' for value in case)}))"


def say(name: str, what: str, right: bool = False) -> bool:
    """Print the one line of a check; returns `right`."""
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


def _stopped(yours: Callable, error: BaseException) -> str:
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


def within(found: np.ndarray, low: Any, high: Any, tolerance: float = 1e-4) -> bool:
    """Whether no number of a result lies below `low` or above `high`, but for errors of rounding."""
    return bool(((found >= low - tolerance) & (found <= high + tolerance)).all())
