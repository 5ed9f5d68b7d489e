"""Checks for the tasks of notebook 08, prefix and suffix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vampkit.check.core import generator, judge
from vampkit.pipeline import windows as planned
from vampkit.pipeline.restore import restored


def stands_out(yours: Callable) -> bool:
    """Check `yours(flux, border)`: whether a border stands out from the other frames.

    Notebook: 08

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes spectral flux [frames] and the frame of a border, and returns the fraction of
        the other frames whose flux is lower, 0 to 1.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.rand(frames, generator=generator(seed)), border)
        for seed, (frames, border) in enumerate([(7, 3), (40, 0), (300, 299)])
    ]
    traps = {
        "Is the border itself one of the other frames?": lambda flux, border: (flux < flux[border]).float().mean(),
        "That is the fraction of those that are higher": lambda flux, border: 1 - _lower(flux, border),
        "A fraction was asked for, not a count": lambda flux, border: (flux < flux[border]).sum(),
    }
    return judge("stands_out", yours, cases, _lower, traps)


def windows(yours: Callable) -> bool:
    """Check `yours(frames, size, context)`: the windows over a row of hidden frames.

    A window sees the `size` frames from `left` on and makes those from `first` to `last` - 1; the `context` frames
    before `first` are made already. The first one has none before it. The last one starts earlier instead of being
    shorter; a row shorter than `size` is one window.

    Notebook: 08

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes three numbers of frames, and returns (left, first, last) for each window, whole
        numbers [windows, 3].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(100, 40, 10), (575, 575, 172), (30, 40, 10), (1000, 300, 0), (997, 230, 115)]
    traps = {
        "Each window but the first sees frames that are made already": lambda frames, size, context: _plan(
            frames, size, 0
        ),
        "How many frames does the last window see?": lambda *case: _plan(*case, shift=False),
        "What makes the very first frames?": lambda frames, size, context: [
            (left, max(first, context), last) for left, first, last in _plan(frames, size, context)
        ],
    }
    return judge("windows", yours, cases, _windows, traps)


def put_back(yours: Callable) -> bool:
    """Check `yours(original, made, start, end, fade)`: the original outside a gap, what was made inside it.

    There is no step at the borders: to the k-th sample inside either border, k from 0 to fade - 1, add the difference
    original - made of the k-th sample outside it, times 1 - (k + 1) / (fade + 1).

    Notebook: 08

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes two sounds [samples], the gap from sample `start` to `end` - 1, and the length
        of the fade in samples. It returns a sound [samples].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    gaps = [(30, 10, 20, 3), (200, 50, 120, 20), (1000, 441, 800, 88)]
    cases = [_two_sounds(seed, *gap) for seed, gap in enumerate(gaps)]
    traps = {
        "There is still a step at the borders": _without_fade,
        "What was hidden of the original must not be heard: take the difference from outside the gap": _crossfade,
        "Original and made are swapped": lambda original, made, *gap: _put_back(made, original, *gap),
    }
    return judge("put_back", yours, cases, _put_back, traps)


def _lower(flux: Tensor, border: int) -> Tensor:
    return (flux < flux[border]).sum() / (len(flux) - 1)


def _windows(frames: int, size: int, context: int) -> list[tuple[int, int, int]]:
    return [(w.left, w.first, w.last) for w in planned.line(torch.ones(frames, dtype=torch.bool), size, context)]


def _plan(frames: int, size: int, context: int, shift: bool = True) -> list[tuple[int, int, int]]:
    found, first = [], 0
    while first < frames:
        left = max(0, first - context)
        last = min(left + size, frames)
        found.append((max(0, min(left, frames - size)) if shift else left, first, last))
        first = last
    return found


def _two_sounds(seed: int, samples: int, start: int, end: int, fade: int) -> tuple[Tensor, Tensor, int, int, int]:
    original, made = torch.randn(2, samples, generator=generator(seed))
    return original, made, start, end, fade


def _put_back(original: Tensor, made: Tensor, start: int, end: int, fade: int) -> Tensor:
    true, spans = original[None].numpy(), [(0, start), (end, len(original))]
    blocks = restored([made[None].numpy()], lambda first, last: true[:, first:last], spans, fade)
    return torch.from_numpy(np.concatenate(list(blocks), 1)[0])


def _without_fade(original: Tensor, made: Tensor, start: int, end: int, fade: int) -> Tensor:
    return torch.cat([original[:start], made[start:end], original[end:]])


def _crossfade(original: Tensor, made: Tensor, start: int, end: int, fade: int) -> Tensor:
    result, weight = _without_fade(original, made, start, end, fade), 1 - torch.arange(1, fade + 1) / (fade + 1)
    result[start : start + fade] += weight * (original - made)[start : start + fade]
    result[end - fade : end] += weight.flip(0) * (original - made)[end - fade : end]
    return result
