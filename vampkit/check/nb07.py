"""Checks for the tasks of notebook 07, periodic prompts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit import masks
from vampkit.check.core import judge


def pillars(yours: Callable) -> bool:
    """Check `yours(frames, period, width, offset)`: what a periodic prompt hides.

    Notebook: 07

    Parameters
    ----------
    yours : Callable
        The reader's function. It keeps `width` frames around every `period`-th one from frame `offset` on, cut at the
        borders, and returns bool [frames], True = hidden.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(18, 6, 2, 2), (12, 6, 3, 0), (30, 7, 4, 5), (25, 8, 1, 3), (17, 9, 5, 16)]
    traps = {
        "How many frames does an even width keep?": lambda *case: _pillars(*case, reference=True),
        "An even width keeps one frame more after than before": _one_more_before,
        "True is hidden: yours says what is kept": lambda *case: ~_pillars(*case),
        "Where does the first window lie?": lambda frames, period, width, offset: _pillars(frames, period, width, 0),
        "What of a window that begins before frame 0?": _uncut,
    }
    return judge("pillars", yours, cases, _pillars, traps)


def longest(yours: Callable) -> bool:
    """Check `yours(hidden)`: how many frames the longest stretch of hidden ones has.

    Notebook: 07

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes bool [frames], True = hidden, and returns a whole number of frames.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    rows = ["110001111", "0110", "1111", "000", "1011101"]
    cases = [(torch.tensor([c == "1" for c in row]),) for row in rows]
    cases.append((masks.periodic(1, 50, 13, 2, 4)[0],))
    traps = {
        "That is how many are hidden in all; which of them stand side by side?": lambda hidden: int(hidden.sum()),
        "True is hidden: yours is the longest kept stretch": lambda hidden: _longest(~hidden),
        "Does a stretch count that lasts to the end?": lambda hidden: max(_runs(hidden)[:-1], default=0),
    }
    return judge("longest", yours, cases, _longest, traps)


def stretched(yours: Callable) -> bool:
    """Check `yours(codes, factor)`: codes spread apart in time, with hidden frames between them.

    Notebook: 07

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes codes [codebooks, frames], and returns [codebooks, factor * frames]: each frame,
        then factor - 1 hidden ones, written -1.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.arange(1, 7).view(2, 3), 2),
        (torch.arange(20).view(4, 5), 3),
        (torch.arange(3).view(3, 1), 4),
        (torch.arange(8).view(2, 4), 1),
    ]
    traps = {
        "Only the first of each group is kept, the others are hidden": lambda codes, factor: codes.repeat_interleave(
            factor, 1
        ),
        "The kept frame comes first, then its hidden ones": lambda codes, factor: _apart(codes, factor, factor - 1),
        "The hidden frames lie between the kept ones, not after them all": _hidden_at_the_end,
    }
    return judge("stretched", yours, cases, _apart, traps)


def _pillars(frames: int, period: int, width: int, offset: int, reference: bool = False) -> Tensor:
    return masks.periodic(1, frames, period, width, offset, reference=reference)[0]


def _one_more_before(frames: int, period: int, width: int, offset: int) -> Tensor:
    at = range(offset % period, frames, period)
    return masks.windows(1, frames, at, width // 2, width - width // 2)[0]


def _uncut(frames: int, period: int, width: int, offset: int) -> Tensor:
    """As the reference code, which loses a window that begins before frame 0."""
    at, before = range(offset % period, frames, period), (width - 1) // 2
    return masks.windows(1, frames, at, before, width - before, reference=True)[0]


def _runs(hidden: Tensor) -> list[int]:
    return [len(run) for run in "".join("1" if h else "0" for h in hidden).split("0")]


def _longest(hidden: Tensor) -> int:
    return max(_runs(hidden))


def _apart(codes: Tensor, factor: int, first: int = 0) -> Tensor:
    found = codes.new_full((codes.shape[0], factor * codes.shape[1]), -1)
    found[:, first::factor] = codes
    return found


def _hidden_at_the_end(codes: Tensor, factor: int) -> Tensor:
    return torch.cat([codes, codes.new_full((codes.shape[0], (factor - 1) * codes.shape[1]), -1)], 1)
