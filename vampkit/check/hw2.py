"""Checks for homework 2, masks and schedules. `hidden` is the seed of the grader's own cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vampkit import masks, schedules
from vampkit.check.cases import Draw, pose
from vampkit.check.core import within


def beside(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codebooks, frames, at, before, after)`: a mask that keeps a window around each of some frames.

    Notebook: 02

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the sizes of the mask, a list of frames, and how many frames are kept
        before each and from it on. It returns bool [codebooks, frames], True = hidden.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "True is hidden: yours says what is kept": lambda *case: ~_beside(*case),
        "The frame itself is the first of those after it": lambda k, t, at, before, after: _beside(
            k, t, at, before, after + 1
        ),
        "A window that begins before frame 0 is cut; Python counts negative places from the end": lambda *case: _beside(
            *case, cut=False
        ),
        "Before and after are swapped": lambda k, t, at, before, after: _beside(k, t, at, after, before),
    }
    holds = {"all rows are alike": lambda mask, *_: (mask == mask[:1]).all()}
    return pose("beside", yours, _places, _beside, hidden, traps=traps, holds=holds, library=[masks.windows])


def only(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(mask, rows)`: a mask's rows for some codebooks, and all other rows hidden.

    Notebook: 06

    Parameters
    ----------
    yours : Callable
        The student's function. It takes bool [codebooks, frames] and a list of rows, from 0. It returns a new
        mask of the same shape, and leaves the first as it was.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "The other rows are hidden, not kept": lambda mask, rows: _only(mask, rows) & mask,
        "Those are the other rows": lambda mask, rows: _only(mask, [k for k in range(len(mask)) if k not in rows]),
        "Rows are counted from 0": lambda mask, rows: _only(mask, [(k - 1) % len(mask) for k in rows]),
        "Codebooks are the first axis": lambda mask, rows: _only(mask.T, rows).T,
    }
    holds = {"what is hidden stays hidden": lambda found, mask, rows: (found | ~mask.numpy()).all()}
    return pose("only", yours, _rows, _only, hidden, traps=traps, holds=holds, library=[masks.only])


def runs(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(row)`: the stretches of hidden frames in a row.

    Notebook: 10

    Parameters
    ----------
    yours : Callable
        The student's function. It takes bool [frames] and returns (first, end) for each stretch, in order;
        `end` is the first frame after it.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "`end` is the first frame after the stretch, not its last": lambda row: _runs(row) - np.array([0, 1]),
        "A stretch may begin at frame 0, and one may last to the end": lambda row: np.array(
            [(a, b) for a, b in _runs(row) if a > 0 and b < len(row)]
        ).reshape(-1, 2),
        "First and end, not first and length": lambda row: _runs(row) - _runs(row)[:, :1] * [0, 1],
        "Those are the stretches that are kept": lambda row: _runs(~row),
    }
    return pose("runs", yours, _row, _runs, hidden, traps=traps, library=[masks.runs])


def left(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(hidden, passes)`: how many tokens are still hidden after each pass, by the cosine.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the number of hidden tokens and of passes, and returns `passes` whole
        numbers.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "That is how many become final in each pass": lambda n, passes: -np.diff([n, *_left(n, passes)]),
        "Each pass writes at least one token": lambda *case: _left(*case, least=False),
        "The first number is that after the first pass": lambda n, passes: [n, *_left(n, passes)[:-1]],
        "Rounded down": lambda *case: _left(*case, rounded=math.ceil),
    }
    holds = {
        "after the last pass nothing is hidden": lambda found, n, passes: int(found[-1]) == 0,
        "it falls with every pass": lambda found, n, passes: (np.diff(found, prepend=n) < 0).all(),
    }
    library = [schedules.hidden_counts, schedules.remaining, schedules.cosine]
    return pose("left", yours, _counts, _left, hidden, traps=traps, holds=holds, library=library)


def ratios(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(uniform, order)`: mask ratios of a batch, spread evenly by strata.

    Notebook: 02

    Parameters
    ----------
    yours : Callable
        The student's function. It takes random numbers in [0, 1), [batch], and the order of the strata,
        [batch]. It returns the mask ratio of each example, [batch].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Each example has a stratum of its own": lambda uniform, order: torch.cos(math.pi / 2 * uniform),
        "That is r; the mask ratio is the cosine of a quarter turn": lambda uniform, order: (
            (order + uniform) / len(order)
        ),
        "A quarter turn, not half of one": lambda uniform, order: torch.cos(math.pi * (order + uniform) / len(order)),
        "In which order do the examples stand?": lambda uniform, order: _ratios(
            uniform[order.argsort()], torch.arange(len(order))
        ),
    }
    holds = {
        "a ratio lies between 0 and 1": lambda found, *_: within(found, 0, 1),
        "no stratum is left out or used twice": _strata,
    }
    library = [schedules.training_ratios, schedules.cosine]
    return pose("ratios", yours, _batch, _ratios, hidden, traps=traps, holds=holds, library=library, tolerance=1e-5)


def dropped(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(mask, share, generator)`: a mask that hides some of the kept frames as well.

    Notebook: 07

    Parameters
    ----------
    yours : Callable
        The student's function. It takes bool [codebooks, frames], the share of the frames with anything kept
        that are to be hidden in all rows, and a torch.Generator. It returns a new mask.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "The share is one of the frames in which something is kept": lambda *case: _dropped(*case, of_all=True),
        "A frame is hidden in all codebooks": lambda mask, share, generator: (
            mask | (_dropped(mask, share, generator) & (torch.arange(len(mask)) == 0)[:, None])
        ),
        "Those frames are kept, not hidden": lambda *case: _dropped(*case, value=False),
    }
    holds = {
        "what was hidden stays hidden": lambda found, mask, *_: (found | ~mask.numpy()).all(),
        "as many frames are hidden as was asked for": lambda found, mask, share, _: (
            int((~mask.numpy()).any(0).sum() - (~found).any(0).sum()) == round(share * int((~mask).any(0).sum()))
        ),
    }
    return pose("dropped", yours, _pillars, _dropped, hidden, traps=traps, holds=holds, library=[masks.dropout])


def _places(draw: Draw) -> tuple:
    frames = draw.whole(15, 60)
    at = sorted({draw.whole(0, frames - 1) for _ in range(draw.whole(1, 4))} | {draw.whole(0, 1)})
    return draw.whole(2, 5), frames, at, draw.whole(2, 4), draw.whole(1, 5)


def _beside(codebooks: int, frames: int, at: list[int], before: int, after: int, cut: bool = True) -> Tensor:
    mask = torch.ones(codebooks, frames, dtype=torch.bool)
    for place in at:
        first = max(0, place - before) if cut else place - before
        mask[:, list(range(first, min(frames, place + after)))] = False
    return mask


def _rows(draw: Draw) -> tuple:
    codebooks = draw.whole(3, 7)
    chosen = draw.order(codebooks)[: draw.whole(1, codebooks - 1)].tolist()
    return draw.mask(0.5, codebooks, draw.whole(codebooks + 1, 20)), chosen


def _only(mask: Tensor, rows: list[int]) -> Tensor:
    found = torch.ones_like(mask)
    found[rows] = mask[rows]
    return found


def _row(draw: Draw) -> tuple:
    row = draw.uniform(draw.whole(10, 60)) < 0.6
    row[0], row[-1] = draw.number(0, 1) < 0.6, draw.number(0, 1) < 0.6
    row[4], row[5], row[7] = False, True, False
    return (row,)


def _runs(row: Tensor) -> np.ndarray:
    return np.flatnonzero(np.diff(row.int().numpy(), prepend=0, append=0)).reshape(-1, 2)


def _counts(draw: Draw) -> tuple:
    """Only what single and double precision agree on; where a cosine makes a whole number they may not."""
    while True:
        passes = draw.whole(5, 19)
        count = draw.whole(passes, 40) if draw.number(0, 1) < 0.3 else draw.whole(60, 900)
        if _left(count, passes) == schedules.hidden_counts(count, passes):
            return count, passes


def _left(hidden: int, passes: int, least: bool = True, rounded: Callable = math.floor) -> list[int]:
    counts, now = [], hidden
    for i in range(1, passes + 1):
        wanted = rounded(hidden * math.cos(math.pi / 2 * i / passes))
        now = 0 if i == passes else max(1, min(now - 1, wanted)) if least else wanted
        counts.append(now)
    return counts


def _batch(draw: Draw) -> tuple:
    count = draw.whole(5, 16)
    return draw.uniform(count), draw.order(count)


def _ratios(uniform: Tensor, order: Tensor) -> Tensor:
    return torch.cos(math.pi / 2 * (order + uniform) / len(order))


def _strata(found: np.ndarray, uniform: Tensor, order: Tensor) -> bool:
    r = np.arccos(np.clip(found, 0, 1)) * 2 / math.pi * len(order)
    return sorted(np.floor(r + 1e-4).astype(int).tolist()) == list(range(len(order)))


def _pillars(draw: Draw) -> tuple:
    frames = draw.whole(24, 60)
    mask = _beside(draw.whole(2, 5), frames, list(range(0, frames, draw.whole(3, 6))), 0, draw.whole(1, 2))
    mask[1:, draw.whole(0, 2) :: 6] = True
    return mask, draw.number(0.25, 0.75), draw.generator


def _dropped(
    mask: Tensor, share: float, generator: torch.Generator, value: bool = True, of_all: bool = False
) -> Tensor:
    frames, mask = torch.nonzero(~mask.all(0) | of_all)[:, 0], mask.clone()
    mask[:, frames[torch.randperm(len(frames), generator=generator)[: round(share * len(frames))]]] = value
    return mask
