"""Checks for the tasks of notebook 09, beats."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vampkit import masks
from vampkit.check.core import generator, judge


def hidden(yours: Callable) -> bool:
    """Check `yours(times, before, after, frames, rate)`: what a beat prompt hides.

    A time falls to the frame that starts at or after it; windows are rounded up to whole frames.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the times of the beats and how much is kept before and after each, in seconds,
        the number of frames, and frames a second. It returns bool [frames], True = hidden.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        ((0.113, 0.421), 0.0, 0.075, 40, 57.42),
        ((0.013, 0.5, 0.641), 0.05, 0.03, 50, 57.42),
        ((0.31, 1.07, 1.49), 0.11, 0.21, 60, 40.0),
        ((0.5,), 0.01, 0.0, 80, 86.13),
    ]
    traps = {
        "True is hidden: yours says what is kept": lambda *case: ~_hidden(*case),
        "A time falls to the next frame, not to the one it lies in": lambda *case: _hidden(*case, place=math.floor),
        "Windows are rounded up": lambda *case: _hidden(*case, size=math.floor),
        "A window that starts before the sound is cut; Python counts negative places from the end": _around_the_end,
    }
    return judge("hidden", yours, cases, _hidden, traps)


def snap(yours: Callable) -> bool:
    """Check `yours(taps, onsets, reach)`: taps moved to the nearest onset.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes times in seconds, and moves a tap if an onset is at most `reach` seconds away.
        It returns times in order, each once.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        ((0.52, 1.03, 1.49, 2.2), (0.5, 1.0, 1.5, 1.75), 0.05),
        ((0.48, 0.53, 1.0), (0.5, 1.3), 0.06),
        ((0.95, 1.0), (1.04,), 0.095),
        ((0.3, 0.9), (0.31, 0.33, 0.95), 0.1),
    ]
    traps = {
        "What becomes of a tap without an onset in reach?": lambda taps, onsets, reach: _snap(taps, onsets, 1e9),
        "A tap without an onset in reach stays where it is": lambda taps, onsets, reach: [
            t for t in _snap(taps, onsets, reach) if t in onsets
        ],
        "Two taps may land on one onset, or overtake each other": lambda taps, onsets, reach: [
            _nearest(t, onsets, reach) for t in taps
        ],
    }
    return judge("snap", yours, cases, _snap, traps)


def track(yours: Callable) -> bool:
    """Check `yours(strength, period, tightness)`: frames of the beats, the chain with the highest score.

    A chain scores the strength of all its beats, less tightness * ln(distance / period) ** 2 for each distance in
    frames from beat to beat. It may begin and end anywhere.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes onset strength [frames], the period in frames, and a weight. It returns frames
        in order of time.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    sizes = [(60, 10, 20.0), (200, 23, 50.0), (150, 31, 5.0), (80, 10, 1000.0)]
    cases = [_pulse(seed, *size) for seed, size in enumerate(sizes)]
    traps = {
        "Which beat comes first?": lambda *case: _track(*case)[::-1],
        "The best chain need not end in the last frame": lambda strength, period, tightness: _track(
            strength, period, tightness, end=len(strength) - 1
        ),
        "The distances may give way a little": lambda strength, period, tightness: list(
            range(int(strength.argmax()) % period, len(strength), period)
        ),
        "What does an uneven distance cost?": lambda strength, period, tightness: _track(strength, period, 0.0),
    }
    return judge("track", yours, cases, _track, traps)


def _frames(seconds: float, rate: float, rounded: Callable = math.ceil) -> int:
    return max(0, rounded(seconds * rate - 1e-9))


def _hidden(
    times: Sequence[float],
    before: float,
    after: float,
    frames: int,
    rate: float,
    place: Callable = math.ceil,
    size: Callable = math.ceil,
) -> Tensor:
    at = [_frames(t, rate, place) for t in times]
    return masks.windows(1, frames, at, _frames(before, rate, size), _frames(after, rate, size))[0]


def _around_the_end(times: Sequence[float], before: float, after: float, frames: int, rate: float) -> Tensor:
    mask = torch.ones(frames, dtype=torch.bool)
    for t in times:
        at = _frames(t, rate)
        window = range(at - _frames(before, rate), at + _frames(after, rate))
        mask[[place for place in window if place < frames]] = False
    return mask


def _nearest(tap: float, onsets: Sequence[float], reach: float) -> float:
    near = min(onsets, key=lambda t: abs(t - tap))
    return near if abs(near - tap) <= reach else tap


def _snap(taps: Sequence[float], onsets: Sequence[float], reach: float) -> list[float]:
    return sorted({_nearest(t, onsets, reach) for t in taps})


def _pulse(seed: int, frames: int, period: int, tightness: float) -> tuple[Tensor, int, float]:
    """Strengths with a loose pulse in them; the last frames are weak, so that the best chain ends before them."""
    draws = generator(seed)
    strength = torch.randn(frames, generator=draws)
    at = torch.arange(period // 2, frames, period)
    strength[(at + torch.randint(-1, 2, at.shape, generator=draws)).clamp(0, frames - 1)] += 4
    strength[-period // 3 :] = -5 - torch.rand(len(strength[-period // 3 :]), generator=draws)
    return strength, period, tightness


def _track(strength: Tensor, period: int, tightness: float, end: int | None = None) -> list[int]:
    values = strength.double()
    score, before = values.clone(), [-1] * len(values)
    for t in range(1, len(values)):
        chains = score[:t] - tightness * torch.log((t - torch.arange(t).double()) / period) ** 2
        best = int(chains.argmax())
        if chains[best] > 0:
            score[t], before[t] = values[t] + chains[best], best
    at, beats = int(score.argmax()) if end is None else end, []
    while at >= 0:
        beats.append(at)
        at = before[at]
    return beats[::-1]
