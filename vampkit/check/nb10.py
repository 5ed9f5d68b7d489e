"""Checks for the tasks of notebook 10, the mask studio."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from vampkit.check.core import judge


def states(yours: Callable) -> bool:
    """Check `yours(moves)`: the number of the state that is shown after each move.

    State 0 is there at first and the n-th drawing makes state n. Undo and redo do nothing where there is nothing to
    take back or to do again; after an undo, a drawing ends what could be redone.

    Notebook: 10

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a string of "d" (draw), "u" (undo) and "r" (redo), and returns a list of whole
        numbers.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [("ddd",), ("ddu",), ("dur",), ("uddurr",), ("dduudrr",), ("ddduduurrrud",), ("rudruddddduuuuuurrrrrrr",)]
    traps = {
        "Whoever draws after an undo cannot redo any more": partial(_states, forget=False),
        "The n-th drawing makes state n, also after an undo: it is another mask than the one taken back": partial(
            _states, fresh=False
        ),
        "A number after every move, not only at the end": lambda moves: _states(moves)[-1:],
        "Undo does nothing where there is nothing to take back": _below,
    }
    return judge("states", yours, cases, _states, traps)


def chance(yours: Callable) -> bool:
    """Check `yours(right, trials)`: how likely a guess between two answers is right at least so often.

    Notebook: 10

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes how many answers were right, and of how many, and returns a probability, 0 to 1.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(1, 1), (0, 7), (8, 10), (9, 10), (5, 10), (12, 16), (61, 100)]
    traps = {
        "At least so many, not exactly so many": lambda right, trials: math.comb(trials, right) / 2**trials,
        "At least so many: that number itself counts too": lambda right, trials: _chance(right + 1, trials),
        "That is the chance of fewer": lambda right, trials: 1 - _chance(right, trials),
        "The wrong answers may fall on any of the trials": lambda right, trials: 2**-right,
    }
    return judge("chance", yours, cases, _chance, traps)


def until_bar(yours: Callable) -> bool:
    """Check `yours(now, bars, start, end)`: seconds until the next bar line, in a sound that plays as a loop.

    A bar line at `now` itself has passed. Where the loop begins anew counts as a bar line, too.

    Notebook: 10

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the place that is heard, start <= now < end, the bar lines in order (some
        perhaps outside the loop), and the loop, all in seconds. It returns seconds.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (0.5, (0.0, 2.0, 4.0), 0.0, 4.0),
        (2.0, (0.0, 2.0, 4.0), 0.0, 6.0),
        (3.1, (0.1, 2.1, 4.1), 0.1, 4.1),
        (3.5, (0.0, 2.0, 4.0, 6.0), 2.0, 3.75),
        (5.0, (0.25, 2.25, 4.25, 6.25), 2.25, 6.0),
        (1.0, (), 0.5, 3.0),
        (1.5, (0.0, 0.5, 1.0), 1.0, 2.5),
    ]
    traps = {
        "The loop may begin anew before the next bar line": lambda now, bars, start, end: min(
            (bar - now for bar in bars if bar > now), default=end - now
        ),
        "Seconds from now on, not the time of the bar line": lambda now, bars, start, end: min(
            (bar for bar in bars if now < bar < end), default=end
        ),
        "A bar line at `now` itself has passed": lambda now, bars, start, end: min(
            bar - now for bar in (*bars, end) if now <= bar <= end
        ),
        "There may be bar lines before the loop begins anew": lambda now, bars, start, end: end - now,
    }
    return judge("until_bar", yours, cases, _until_bar, traps)


def _states(moves: str, forget: bool = True, fresh: bool = True) -> list[int]:
    line, place, drawn, shown = [0], 0, 0, []
    for move in moves:
        if move == "d":
            drawn = drawn + 1 if fresh else line[place] + 1
            line[place + 1 :] = [drawn, *([] if forget else line[place + 1 :])]
            place += 1
        else:
            place = max(0, place - 1) if move == "u" else min(len(line) - 1, place + 1)
        shown.append(line[place])
    return shown


def _below(moves: str) -> list[int]:
    """A count that goes up and down, and below 0."""
    shown, now = [], 0
    for move in moves:
        now += -1 if move == "u" else 1
        shown.append(now)
    return shown


def _chance(right: int, trials: int) -> float:
    return sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials


def _until_bar(now: float, bars: Sequence[float], start: float, end: float) -> float:
    return min(bar - now for bar in (*bars, end) if now < bar <= end)
