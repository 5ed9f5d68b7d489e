"""Checks for the tasks of notebook 15, Muse."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.check.core import generator, judge


def guided(yours: Callable) -> bool:
    """Check `yours(said, other, guidance)`: probabilities that are pushed towards a caption.

    Notebook: 15

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the logits with the caption and those with the other one, both [tokens,
        entries], and the guidance. It returns probabilities [tokens, entries].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.randn(rows, 9, generator=generator(rows)), torch.randn(rows, 9, generator=generator(rows + 50)), amount)
        for rows, amount in ((1, 2.5), (4, 1.0), (7, 0.0))
    ]
    traps = {
        "These are logits; their softmax was asked for": lambda said, other, g: (1 + g) * said - g * other,
        "Without guidance the caption alone should count": lambda said, other, g: (g * said + (1 - g) * other).softmax(
            -1
        ),
        "Towards the caption, or away from it?": lambda said, other, g: ((1 + g) * other - g * said).softmax(-1),
        "Push the logits, not the probabilities": lambda said, other, g: (
            (1 + g) * said.softmax(-1) - g * other.softmax(-1)
        ),
    }
    return judge("guided", yours, cases, _guided, traps)


def nearest(yours: Callable) -> bool:
    """Check `yours(patches, table)`: the number of the entry that is nearest to each patch.

    Notebook: 15

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes patches [patches, numbers] and a table [entries, numbers], and returns the
        number of the entry with the smallest distance to each patch, [patches].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = []
    for seed, (patches, entries, size) in enumerate([(6, 4, 3), (50, 16, 12), (1, 9, 48)]):
        table = torch.randn(entries, size, generator=generator(seed)) * torch.linspace(0.2, 3, entries)[:, None]
        cases.append((torch.randn(patches, size, generator=generator(seed + 50)), table))
    traps = {
        "That is the farthest entry": lambda patches, table: torch.cdist(patches, table).argmax(-1),
        "A long entry has large products with everything": lambda patches, table: (patches @ table.T).argmax(-1),
        "An angle is not a distance: how long are the vectors?": lambda patches, table: (
            patches @ F.normalize(table, dim=-1).T
        ).argmax(-1),
        "For each patch an entry, not for each entry a patch": lambda patches, table: torch.cdist(
            table, patches
        ).argmin(-1),
    }
    return judge("nearest", yours, cases, _nearest, traps)


def grown(yours: Callable) -> bool:
    """Check `yours(hidden)`: a hidden region that is one token wider on every side.

    Notebook: 15

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes bool [rows, columns], True = hidden, and returns the same shape: True also for
        the eight neighbours of each hidden token, as far as they lie in the picture.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = []
    for rows, columns, places in ((8, 8, [(3, 3)]), (5, 7, [(0, 2), (4, 6)]), (8, 8, [(2, 7), (6, 0), (6, 1)])):
        hidden = torch.zeros(rows, columns, dtype=torch.bool)
        for place in places:
            hidden[place] = True
        cases.append((hidden,))
    traps = {
        "The diagonal neighbours belong to it too": lambda hidden: hidden | _moved(hidden, ((0, 1), (1, 0))),
        "What was hidden stays hidden": lambda hidden: _grown(hidden) & ~hidden,
        "A picture has edges: what leaves it on the right does not come back on the left": lambda hidden: _around(
            hidden
        ),
        "True is hidden: yours says what is kept": lambda hidden: ~_grown(hidden),
    }
    return judge("grown", yours, cases, _grown, traps)


def _guided(said: Tensor, other: Tensor, guidance: float) -> Tensor:
    return ((1 + guidance) * said - guidance * other).softmax(-1)


def _nearest(patches: Tensor, table: Tensor) -> Tensor:
    return torch.cdist(patches, table).argmin(-1)


def _grown(hidden: Tensor) -> Tensor:
    return F.max_pool2d(hidden[None].float(), 3, stride=1, padding=1)[0].bool()


def _moved(hidden: Tensor, steps: tuple[tuple[int, int], ...]) -> Tensor:
    """True where a step, there or back, leads to a hidden token."""
    wide, found = F.pad(hidden, (1, 1, 1, 1)), torch.zeros_like(hidden)
    for down, right in steps:
        for way in (1, -1):
            found |= wide.roll((way * down, way * right), (0, 1))[1:-1, 1:-1]
    return found


def _around(hidden: Tensor) -> Tensor:
    wide = hidden | hidden.roll(1, 0) | hidden.roll(-1, 0)
    return wide | wide.roll(1, 1) | wide.roll(-1, 1)
