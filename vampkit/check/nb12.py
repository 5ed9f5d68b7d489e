"""Checks for the tasks of notebook 12, fine-tuning on one's own music."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit.check.core import generator, judge


def adapted(yours: Callable) -> bool:
    """Check `yours(weight, a, b, alpha)`: a weight with its adapter in it.

    Notebook: 12

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes weight [outputs, inputs], a [rank, inputs], b [outputs, rank] and alpha, a
        number. It returns [outputs, inputs].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [_layer(seed, *shape) for seed, shape in enumerate([(6, 6, 3, 5.0), (8, 3, 4, 1.0), (5, 9, 8, 16.0)])]
    traps = {
        "How does the scale depend on the rank?": lambda weight, a, b, alpha: weight + alpha * b @ a,
        "What is alpha for?": lambda weight, a, b, alpha: weight + b @ a,
        "The adapter is added to something": lambda weight, a, b, alpha: alpha / len(a) * b @ a,
        "The adapter counts twice": lambda weight, a, b, alpha: weight + 2 * alpha / len(a) * b @ a,
    }
    return judge("adapted", yours, cases, lambda weight, a, b, alpha: weight + alpha / len(a) * b @ a, traps)


def size(yours: Callable) -> bool:
    """Check `yours(layers, width, rank)`: how many numbers the adapters of a whole model hold.

    Queries, values, outputs and both feed-forward layers have one.

    Notebook: 12

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes three sizes, and returns a whole number.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(6, 192, 8), (20, 1280, 8), (1, 64, 1), (16, 1280, 32)]
    traps = {
        "Are the keys adapted?": lambda layers, width, rank: 16 * rank * width * layers,
        "The feed-forward layers have adapters, too": lambda layers, width, rank: 6 * rank * width * layers,
        "How wide is the feed-forward part, before its gate and after it?": lambda layers, width, rank: (
            10 * rank * width * layers
        ),
        "Every block has its own": lambda layers, width, rank: 14 * rank * width,
    }
    return judge("size", yours, cases, lambda layers, width, rank: 14 * rank * width * layers, traps)


def held_out(yours: Callable) -> bool:
    """Check `yours(minutes, share)`: which tracks are held out.

    Notebook: 12

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the minutes of each track [tracks] and the fraction of all minutes to hold out.
        It returns bool [tracks], True for the last tracks, as few as hold at least that much.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.tensor([3.0, 4.0, 2.0, 5.0, 1.0, 1.0, 1.0]), 0.2),
        (torch.tensor([1.0, 1.0, 6.0]), 0.5),
        (torch.tensor([2.0, 2.0, 2.0, 2.0]), 0.5),
    ]
    traps = {
        "Those are the first tracks": lambda minutes, share: _last(minutes.flip(0), share).flip(0),
        "Count minutes, not tracks": lambda minutes, share: (
            torch.arange(len(minutes)) >= len(minutes) - round(share * len(minutes))
        ),
        "The share must be reached, not only neared": lambda minutes, share: (
            minutes.flip(0).cumsum(0).flip(0) <= share * minutes.sum()
        ),
    }
    return judge("held_out", yours, cases, _last, traps)


def _layer(seed: int, outputs: int, inputs: int, rank: int, alpha: float) -> tuple[Tensor, Tensor, Tensor, float]:
    draws = generator(seed)
    shapes = ((outputs, inputs), (rank, inputs), (outputs, rank))
    return *(torch.randn(shape, generator=draws) for shape in shapes), alpha


def _last(minutes: Tensor, share: float) -> Tensor:
    after = minutes.sum() - minutes.cumsum(0)  # minutes of the tracks after each
    return after < share * minutes.sum()
