"""Checks for the tasks of notebook 02, masks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit import masks, schedules
from vampkit.check.core import generator, judge


def agreed(yours: Callable) -> bool:
    """Check `yours(a, b, c)`: the mask of what at least two of three prompts keep.

    Notebook: 02

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the masks of three prompts, bool [codebooks, frames], True = hidden, and
        returns one.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        tuple(masks.random(k, t, 0.5, generator(10 * seed + i)) for i in range(3))
        for seed, (k, t) in enumerate([(1, 12), (3, 8), (4, 30)])
    ]
    traps = {
        "True is hidden: yours says what is kept": lambda a, b, c: ~_agreed(a, b, c),
        "That keeps what any of them keeps": lambda a, b, c: a & b & c,
        "That keeps what all of them keep": lambda a, b, c: a | b | c,
        "Two of three, whichever two": lambda a, b, c: a | b,
    }
    return judge("agreed", yours, cases, _agreed, traps)


def stairs(yours: Callable) -> bool:
    """Check `yours(codebooks, frames, period)`: pillars that start a frame later in each row.

    Notebook: 02

    Parameters
    ----------
    yours : Callable
        The reader's function. Row k keeps each frame t where t - k is a multiple of `period`. It returns bool
        [codebooks, frames], True = hidden.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(4, 12, 4), (3, 20, 7), (6, 9, 3), (2, 15, 5)]
    traps = {
        "True is hidden: yours says what is kept": lambda *case: ~_stairs(*case),
        "Each row starts a frame later than the one above": lambda k, t, period: masks.periodic(k, t, period),
        "Later, not earlier": lambda k, t, period: (torch.arange(t) + torch.arange(k)[:, None]) % period != 0,
        "Rows are codebooks, columns are frames": lambda k, t, period: _stairs(t, k, period),
    }
    holds = {"row 0 keeps frame 0": lambda found, *_: not found[0, 0]}
    return judge("stairs", yours, cases, _stairs, traps, holds=holds)


def half(yours: Callable) -> bool:
    """Check `yours(hidden, passes)`: in which pass half of the tokens are written.

    Notebook: 02

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the number of hidden tokens and of passes. It returns the number of the
        first pass, counted from 1, after which at most half of the tokens are hidden; `schedules.hidden_counts`
        may be used.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(160, 12), (1000, 8), (57, 36), (10, 1), (300, 5), (1000, 40), (5, 12), (20, 36)]
    traps = {
        "Passes are counted from 1": lambda hidden, passes: _half(hidden, passes) - 1,
        "Half of the passes write less than half of the tokens": lambda hidden, passes: -(-passes // 2),
        "At most half is hidden *after* it, so that pass counts": lambda hidden, passes: _half(hidden, passes) + 1,
        "With few tokens a pass writes more than the curve says, as it writes at least one": lambda hidden, passes: (
            -(-2 * passes // 3)
        ),
        "How many tokens are still hidden, or which pass is it?": lambda hidden, passes: schedules.hidden_counts(
            hidden, passes
        )[_half(hidden, passes) - 1],
    }
    return judge("half", yours, cases, _half, traps)


def _agreed(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return (a & b) | (a & c) | (b & c)


def _stairs(codebooks: int, frames: int, period: int) -> Tensor:
    return (torch.arange(frames) - torch.arange(codebooks)[:, None]) % period != 0


def _half(hidden: int, passes: int) -> int:
    counts = schedules.hidden_counts(hidden, passes)
    return next(i for i, left in enumerate(counts, 1) if 2 * left <= hidden)
