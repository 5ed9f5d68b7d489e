"""Checks for the tasks of notebook 06, compression prompts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vampkit import masks
from vampkit.check.core import generator, judge


def bits(yours: Callable) -> bool:
    """Check `yours(mask, entries, frame_rate)`: how many bits a second a mask keeps.

    Notebook: 06

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a mask, bool [codebooks, frames], True = hidden, the number of entries of a
        codebook, and frames a second. It returns bits a second.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    shapes = [(4, 20, 1024, 50.0), (14, 100, 1024, 57.42), (3, 31, 256, 12.5)]
    cases = [
        (masks.random(codebooks, frames, 0.7, generator(seed)), entries, rate)
        for seed, (codebooks, frames, entries, rate) in enumerate(shapes)
    ]
    traps = {
        "That is the rate of what is hidden": lambda mask, entries, rate: _bits(~mask, entries, rate),
        "How many bits does it take to name one of the entries?": lambda mask, entries, rate: _bits(mask, 2, rate),
        "Those are the bits of the whole clip; how long does it last?": lambda mask, entries, rate: _bits(
            mask, entries, mask.shape[1]
        ),
        "Count the kept tokens of all rows": lambda mask, entries, rate: _bits(mask, entries, rate) / len(mask),
    }
    return judge("bits", yours, cases, _bits, traps)


def compress(yours: Callable) -> bool:
    """Check `yours(codebooks, frames, keep, downsampling)`: the mask of a compression prompt.

    Notebook: 06

    Parameters
    ----------
    yours : Callable
        The reader's function. It keeps the first `keep` rows of every `downsampling`-th frame, and returns bool
        [codebooks, frames], True = hidden.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(4, 12, 2, 3), (14, 57, 4, 8), (3, 10, 0, 2), (2, 5, 2, 1)]
    traps = {
        "A kept token must pass both tests, yours pass either": lambda codebooks, frames, keep, downsampling: (
            masks.codebooks(codebooks, frames, keep) & masks.periodic(codebooks, frames, downsampling)
        ),
        "True is hidden: yours says what is kept": lambda *case: ~_compress(*case),
        "Which rows are the coarse ones, the first or the last?": lambda *case: _compress(*case).flip(0),
        "Is frame 0 kept?": lambda *case: _compress(*case, offset=case[-1] - 1),
    }
    return judge("compress", yours, cases, _compress, traps)


def pyramid(yours: Callable) -> bool:
    """Check `yours(frames, periods)`: a mask with a period of its own for every row.

    Notebook: 06

    Parameters
    ----------
    yours : Callable
        The reader's function. Row k keeps every periods[k]-th frame, none where the period is 0. It returns bool
        [len(periods), frames], True = hidden.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(12, [1, 2, 4, 0]), (40, [1, 1, 3, 9, 0, 0]), (7, [5])]
    traps = {
        "Which row is codebook 1?": lambda frames, periods: _pyramid(frames, periods[::-1]),
        "True is hidden: yours says what is kept": lambda frames, periods: ~_pyramid(frames, periods),
        "What does a row of period 0 keep?": lambda frames, periods: _pyramid(frames, [p or 1 for p in periods]),
        "Every row has a period of its own": lambda frames, periods: _pyramid(frames, periods[:1] * len(periods)),
    }
    return judge("pyramid", yours, cases, _pyramid, traps)


def _bits(mask: Tensor, entries: int, rate: float) -> float:
    return math.log2(entries) * int((~mask).sum()) * rate / mask.shape[1]


def _compress(codebooks: int, frames: int, keep: int, downsampling: int, offset: int = 0) -> Tensor:
    return masks.codebooks(codebooks, frames, keep) | masks.periodic(codebooks, frames, downsampling, offset=offset)


def _pyramid(frames: int, periods: Sequence[int]) -> Tensor:
    return torch.cat([masks.periodic(1, frames, period) for period in periods])
