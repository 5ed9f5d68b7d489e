"""Checks for the tasks of notebook 00, hear it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit import masks
from vampkit.check.core import generator, judge


def share(yours: Callable) -> bool:
    """Check `yours(mask)`: how much a mask hides, in percent.

    Notebook: 00

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes bool [codebooks, frames], True = hidden, and returns 0 to 100.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (masks.random(4, 25, 0.3, generator(0)),),
        (masks.periodic(2, 10, 5),),
        (masks.full(3, 7),),
        (masks.codebooks(14, 9, 4),),
    ]
    traps = {
        "True is hidden: that is how much is kept": lambda mask: 100 - _share(mask),
        "Percent, not a fraction": lambda mask: _share(mask) / 100,
        "Of all tokens, not only of the frames": lambda mask: 100 * mask.any(0).double().mean(),
        "That is how many, not how much of all": lambda mask: mask.sum(),
    }
    return judge("share", yours, cases, _share, traps)


def per_pass(yours: Callable) -> bool:
    """Check `yours(hidden, left)`: how many tokens each pass writes.

    Notebook: 00

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes how many tokens are hidden at the start and how many are still hidden
        after each pass. It returns a list of as many whole numbers as there are passes.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(32, [29, 22, 12, 0]), (10, [0]), (100, [99, 95, 80, 50, 1, 0]), (7, [5, 3, 0])]
    traps = {
        "The first pass writes some, too": lambda hidden, left: _per_pass(left[0], left[1:]),
        "Before minus after, not after minus before": lambda hidden, left: [-n for n in _per_pass(hidden, left)],
        "Each pass for itself, not all passes so far": lambda hidden, left: [hidden - n for n in left],
    }
    holds = {"together they write all that was hidden": lambda found, hidden, left: int(found.sum()) == hidden}
    return judge("per_pass", yours, cases, _per_pass, traps, holds=holds)


def away(yours: Callable) -> bool:
    """Check `yours(frames, period)`: how far each frame is from the nearest pillar.

    Notebook: 00

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the number of frames and a period: frames 0, period, 2 * period and so
        on are kept, as far as they are there. It returns the number of frames to the nearest of them, int64
        [frames].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(14, 5), (20, 7), (9, 2), (16, 9), (8, 9)]
    traps = {
        "The next pillar may be nearer than the one before": lambda frames, period: torch.arange(frames) % period,
        "After the last pillar there is none to the right": _around,
        "That is the way to the next pillar": lambda frames, period: -torch.arange(frames) % period,
    }
    holds = {"a pillar is 0 frames away from itself": lambda found, frames, period: not found[::period].any()}
    return judge("away", yours, cases, _away, traps, holds=holds)


def _share(mask: Tensor) -> float:
    return 100 * float(mask.double().mean())


def _per_pass(hidden: int, left: list[int]) -> list[int]:
    return [before - after for before, after in zip([hidden, *left], left, strict=False)]


def _away(frames: int, period: int) -> Tensor:
    pillars = torch.arange(0, frames, period)
    return (torch.arange(frames)[:, None] - pillars).abs().amin(1)


def _around(frames: int, period: int) -> Tensor:
    phase = torch.arange(frames) % period
    return torch.minimum(phase, period - phase)
