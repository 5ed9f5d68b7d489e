"""Checks for the tasks of notebook 01, tokens."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.check.core import generator, judge


def places(yours: Callable) -> bool:
    """Check `yours(stages, entries)`: how many places residual tables tell apart, and their bits.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the number of stages and of entries in the table of each. It returns
        (places, bits of a point).

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(5, 4), (1, 1024), (14, 2), (3, 8), (2, 10)]
    traps = {
        "Stages multiply, they do not add up": lambda stages, entries: (stages * entries, math.log2(stages * entries)),
        "Which is the base and which the exponent?": lambda stages, entries: (
            stages**entries,
            entries * math.log2(stages),
        ),
        "Bits count yes-or-no questions: a logarithm to base 2": lambda stages, entries: (
            entries**stages,
            stages * math.log(entries),
        ),
    }
    return judge("places", yours, cases, lambda stages, entries: (entries**stages, stages * math.log2(entries)), traps)


def chosen(yours: Callable) -> bool:
    """Check `yours(point, table)`: the entry that is nearest by angle.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a point [dims] and a table [entries, dims], and returns the number of an
        entry.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = []
    for seed, (entries, dims) in enumerate([(6, 2), (9, 3), (30, 8), (5, 4), (12, 2)], 584):  # all traps differ there
        table = torch.randn(entries, dims, generator=generator(seed)) * torch.linspace(0.2, 4, entries)[:, None]
        cases.append((torch.randn(dims, generator=generator(seed + 50)), table))
    traps = {
        "That is the nearest by distance": lambda point, table: (table - point).norm(dim=1).argmin(),
        "A long entry has large products with everything": lambda point, table: (table @ point).argmax(),
        "That entry points away": lambda point, table: (F.normalize(table) @ point).argmin(),
    }
    return judge("chosen", yours, cases, _chosen, traps, names=True)


def decoded(yours: Callable) -> bool:
    """Check `yours(codes, tables)`: what the chosen entries add up to.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the code of each stage [stages] and the tables [stages, entries, dims],
        and returns [dims].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = []
    for seed, (stages, entries, dims) in enumerate([(2, 4, 3), (5, 4, 2), (14, 16, 8), (1, 3, 4)]):
        draws = generator(seed)
        codes = torch.randint(entries, (stages,), generator=draws)
        cases.append((codes, torch.randn(stages, entries, dims, generator=draws)))
    traps = {
        "A sum, not a mean": lambda codes, tables: _decoded(codes, tables) / len(codes),
        "Each stage has a table of its own": lambda codes, tables: tables[0][codes].sum(0),
        "That is the last stage alone": lambda codes, tables: tables[-1][codes[-1]],
    }
    return judge("decoded", yours, cases, _decoded, traps)


def _chosen(point: Tensor, table: Tensor) -> Tensor:
    return (F.normalize(table) @ point).argmax()


def _decoded(codes: Tensor, tables: Tensor) -> Tensor:
    return tables[torch.arange(len(codes)), codes].sum(0)
