"""Checks for the tasks of notebook 14, following."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit.check.core import generator, judge


def rise(yours: Callable) -> bool:
    """Check `yours(level)`: how much each band rises from frame to frame.

    Notebook: 14

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the level of each band, [bands, frames], and returns [bands, frames]: by how
        much a frame lies above the one before, 0 where it falls, and 0 in the first frame.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.randn(shape, generator=generator(i)),) for i, shape in enumerate([(3, 12), (1, 5), (8, 30), (2, 1)])
    ]
    traps = {
        "A fall counts as nothing, not as less": lambda level: _difference(level),
        "A fall is no rise": lambda level: _difference(level).abs(),
        "Before the first frame there is nothing to rise from": lambda level: torch.cat(
            [level[:, :1], _difference(level)[:, 1:]], 1
        ).clamp(min=0),
        "That is the rise to the next frame": lambda level: _rise(level).roll(-1, 1),
    }
    return judge("rise", yours, cases, _rise, traps)


def strokes(yours: Callable) -> bool:
    """Check `yours(curve, least)`: the frames in which a curve has a peak.

    Notebook: 14

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a curve [frames] and the smallest height of a peak. It returns bool [frames],
        True where the curve is at least that high, above the next frame, and not below the one before. Outside the
        curve there is 0.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    rows = [[0, 1, 3, 2, 0, 2, 2, 1], [4, 1, 1, 0, 5], [1, 1, 1], [0.5, 0.2, 0.9, 0.1]]
    cases = [
        (torch.tensor(row, dtype=torch.float32), least) for row, least in zip(rows, (1.0, 2.0, 1.0, 0.8), strict=True)
    ]
    traps = {
        "Every loud frame is not a stroke": lambda curve, least: curve >= least,
        "How high must a peak be?": lambda curve, least: _strokes(curve, -1.0),
        "A peak may lie at either end": lambda curve, least: (
            _strokes(curve, least) & (torch.arange(len(curve)) % (len(curve) - 1) > 0)
        ),
        "Of two equal neighbours one is the peak": lambda curve, least: _strokes(curve, least, strict=True),
    }
    return judge("strokes", yours, cases, _strokes, traps)


def quantized(yours: Callable) -> bool:
    """Check `yours(taps, beats, division)`: taps moved to the nearest place of a grid.

    Notebook: 14

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes taps and beats in seconds, and into how many parts the grid divides a beat. It
        returns the time of the nearest grid place for each tap, [taps].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.tensor([0.1, 0.62, 1.3]), torch.tensor([0.0, 0.5, 1.0, 1.5]), 1),
        (torch.tensor([0.1, 0.36, 0.9, 1.6]), torch.tensor([0.0, 0.5, 1.0, 1.5]), 2),
        (torch.tensor([0.3, 0.8, 1.7]), torch.tensor([0.2, 0.7, 1.3, 2.0]), 4),
    ]
    traps = {
        "Where are the places between two beats?": lambda taps, beats, division: _quantized(taps, beats, 1),
        "The next place, or the nearest?": _next_place,
        "Beats need not be equally far apart": _even,
    }
    return judge("quantized", yours, cases, _quantized, traps)


def _difference(level: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(level[:, :1]), level[:, 1:] - level[:, :-1]], 1)


def _rise(level: Tensor) -> Tensor:
    return _difference(level).clamp(min=0)


def _strokes(curve: Tensor, least: float, strict: bool = False) -> Tensor:
    zero = torch.zeros(1)
    before, after = torch.cat([zero, curve[:-1]]), torch.cat([curve[1:], zero])
    return (curve >= least) & (curve > after) & ((curve > before) if strict else (curve >= before))


def _grid(beats: Tensor, division: int) -> Tensor:
    parts = torch.arange(division) / division
    between = beats[:-1, None] + parts * (beats[1:] - beats[:-1])[:, None]
    return torch.cat([between.flatten(), beats[-1:]])


def _quantized(taps: Tensor, beats: Tensor, division: int) -> Tensor:
    grid = _grid(beats, division)
    return grid[(taps[:, None] - grid).abs().argmin(1)]


def _next_place(taps: Tensor, beats: Tensor, division: int) -> Tensor:
    grid = _grid(beats, division)
    return grid[torch.searchsorted(grid, taps).clamp(max=len(grid) - 1)]


def _even(taps: Tensor, beats: Tensor, division: int) -> Tensor:
    step = (beats[1] - beats[0]) / division
    return beats[0] + ((taps - beats[0]) / step).round() * step
