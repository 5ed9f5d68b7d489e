"""Checks for the tasks of notebook 13, what the model knows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit.check.core import generator, judge


def avoided(yours: Callable) -> bool:
    """Check `yours(wrong, constant)`: the share of the errors of a constant answer that a probe avoids.

    Notebook: 13

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes how wrong the probe is about each item, and how wrong the constant answer is,
        both [items]. It returns one number: 1 for a probe that is never wrong, 0 for one as wrong as the constant.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    rows = [
        ([0, 1, 0, 0], [1, 1, 0, 1]),
        ([1, 1, 1], [1, 0, 0]),
        ([0.2, 0.1, 0.4, 0.0, 0.3], [2.0, 0.1, 0.5, 0.2, 0.7]),
        ([0, 0], [1, 0]),
    ]
    cases = [tuple(torch.tensor(row, dtype=torch.float32) for row in pair) for pair in rows]
    traps = {
        "The share of right answers: compared with what?": lambda wrong, constant: 1 - wrong.mean(),
        "The errors that are left, or those avoided?": lambda wrong, constant: wrong.sum() / constant.sum(),
        "In shares of what the constant answer gets wrong": lambda wrong, constant: (constant - wrong).mean(),
    }
    return judge("avoided", yours, cases, lambda wrong, constant: 1 - wrong.sum() / constant.sum(), traps)


def together(yours: Callable) -> bool:
    """Check `yours(pieces, sounds)`: which items must lie in one part of a split.

    Notebook: 13

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the number of the piece and the number of the sound of each item, both
        [items]. It returns one number for each item, [items]: items that share a piece or a sound, also by way of
        others, get the same number. The first item has number 0, the next new number is 1, and so on.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    rows = [
        ([0, 0, 1, 1, 2], [5, 6, 6, 7, 8]),
        ([3, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 1, 2, 3, 4, 5], [0, 1, 0, 2, 1, 2]),
        ([0, 1, 2, 3, 4], [1, 2, 3, 4, 1]),
        ([0, 1, 2, 0, 3], [4, 5, 6, 5, 6]),
    ]
    cases = [tuple(torch.tensor(row) for row in pair) for pair in rows]
    traps = {
        "A shared sound binds, too": lambda pieces, sounds: _numbered(pieces.tolist()),
        "A shared piece binds, too": lambda pieces, sounds: _numbered(sounds.tolist()),
        "One of the two is enough": lambda pieces, sounds: _numbered(
            list(zip(pieces.tolist(), sounds.tolist(), strict=True))
        ),
        "What hangs on a friend of a friend?": _one_step,
    }
    return judge("together", yours, cases, _together, traps)


def erased(yours: Callable) -> bool:
    """Check `yours(states, way)`: states without what they say along a direction.

    Notebook: 13

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes states [items, dims] and a direction [dims] of any length. It returns states
        [items, dims] from which the part along the direction is taken away; all that is at a right angle stays.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.randn(items, dims, generator=generator(i)), length * torch.randn(dims, generator=generator(50 + i)))
        for i, (items, dims, length) in enumerate([(4, 3, 1.0), (1, 6, 3.0), (7, 2, 0.2), (5, 8, 1.0)])
    ]
    traps = {
        "By how much: how far does each state reach along it?": lambda states, way: states - way,
        "The direction may have any length": lambda states, way: states - (states @ way)[:, None] * way,
        "That is the part along the direction": lambda states, way: states - _erased(states, way),
        "One copy is enough": lambda states, way: 2 * _erased(states, way) - states,
    }
    return judge("erased", yours, cases, _erased, traps)


def _numbered(labels: list) -> Tensor:
    order = list(dict.fromkeys(labels))
    return torch.tensor([order.index(label) for label in labels])


def _together(pieces: Tensor, sounds: Tensor) -> Tensor:
    """Let the smallest number spread over shared pieces and sounds until nothing changes."""
    bound = (pieces[:, None] == pieces) | (sounds[:, None] == sounds)
    number = torch.arange(len(pieces))
    while True:
        spread = torch.where(bound, number, len(pieces)).amin(1)
        if torch.equal(spread, number):
            return _numbered(number.tolist())
        number = spread


def _one_step(pieces: Tensor, sounds: Tensor) -> Tensor:
    bound = (pieces[:, None] == pieces) | (sounds[:, None] == sounds)
    return _numbered(torch.where(bound, torch.arange(len(pieces)), len(pieces)).amin(1).tolist())


def _erased(states: Tensor, way: Tensor) -> Tensor:
    return states - ((states @ way) / (way @ way))[:, None] * way
