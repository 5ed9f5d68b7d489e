"""Checks for homework 6, your own music. `hidden` is the seed of the grader's own cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vampkit import metrics
from vampkit.audio import Clip
from vampkit.check.cases import Draw, pose
from vampkit.check.core import within
from vampkit.check.pictures import as_sound
from vampkit.controls import curves
from vampkit.metrics import statistics

FRAME = 768 / 44_100
"""Seconds of a frame."""


def softer(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(samples, decibels)`: a sound made louder or softer.

    Notebook: 12

    Parameters
    ----------
    yours : Callable
        The student's function. It takes samples and a change of level in decibels, and returns samples.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Samples are amplitudes: 20 decibels are a factor of 10": lambda x, db: x * 10 ** (db / 10),
        "Decibels are a factor, not something to add": lambda x, db: x + db / 20,
        "Louder or softer?": lambda x, db: x * 10 ** (-db / 20),
    }
    return pose(
        "softer", yours, _quiet, _softer, hidden, traps=traps, library=[Clip.gain], draw=as_sound(8000), tolerance=1e-5
    )


def pulses(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(times, heights, frames)`: a rhythm as a curve.

    Notebook: 14

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the times of strokes in seconds, their heights, and the number of
        frames of 768 / 44100 s. It returns [frames].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "In which frame does a time lie? Round down": lambda times, heights, frames: _pulses(
            [t + FRAME / 2 for t in times], heights, frames
        ),
        "Where strokes meet, the higher one counts; they are not added up": lambda *case: _pulses(*case, add=True),
        "The frame before gets 0.3, the frame after 0.5 of the height": lambda *case: _pulses(
            *case, before=0.5, after=0.3
        ),
        "Each stroke has a height of its own": lambda times, heights, frames: _pulses(
            times, [1.0] * len(times), frames
        ),
    }
    holds = {
        "it is nowhere higher than the highest stroke": lambda found, times, heights, _: within(
            found, -np.inf, max(heights)
        )
    }
    library = [curves.pulses]
    return pose("pulses", yours, _strokes, _pulses, hidden, traps=traps, holds=holds, library=library)


def surprise(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codes, counts)`: the cross entropy of tokens under counts of other music.

    Notebook: 04

    Parameters
    ----------
    yours : Callable
        The student's function. It takes codes [batch, codebooks, frames] and how often each entry occurred
        elsewhere, [codebooks, entries]. 1 is added to each count. It returns nats [codebooks].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "An entry that never occurred has a chance, too: add 1": lambda codes, counts: _surprise(codes, counts - 0.999),
        "Each codebook has a cross entropy of its own": lambda codes, counts: (
            _surprise(codes, counts).mean().expand(len(counts))
        ),
        "A surprise is not below 0": lambda codes, counts: -_surprise(codes, counts),
        "The counts are those of the other music, not of these codes": lambda codes, counts: _surprise(
            codes, metrics.entry_counts(codes, counts.shape[1])
        ),
    }
    holds = {"a surprise is above 0": lambda found, *_: (found > 0).all()}
    library = [metrics.unigram_cross_entropy]
    return pose("surprise", yours, _corpus, _surprise, hidden, traps=traps, holds=holds, library=library)


def interval(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(values, tracks, seed)`: a mean with its bootstrap interval over tracks.

    Notebook: 11

    Parameters
    ----------
    yours : Callable
        The student's function. It takes a number for each excerpt, the track of each, and a seed. It returns
        (mean, low, high).
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Excerpts of one track are not independent: draw whole tracks": lambda values, tracks, seed: _interval(
            values, range(len(values)), seed
        ),
        "A 95 % interval leaves 2.5 % at either end": lambda *case: _interval(*case, outside=0.05),
        "Every excerpt of the drawn tracks counts the same": lambda *case: _interval(*case, weighted=False),
        "The interval of the mean is narrower than the spread of the values": lambda values, tracks, seed: (
            float(np.mean(values)),
            *np.quantile(values, [0.025, 0.975]),
        ),
    }
    holds = {
        "the mean is that of all values": lambda found, values, *_: abs(found[0] - np.mean(values)) < 1e-4,
        "the mean lies inside": lambda found, *_: found[1] <= found[0] <= found[2],
    }
    library = [metrics.bootstrap, statistics.interval]
    return pose("interval", yours, _excerpts, _interval, hidden, traps=traps, holds=holds, library=library)


def harmony(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(a, b)`: how alike two sounds are in harmony: the mean cosine of their chromas.

    Notebook: 07

    Parameters
    ----------
    yours : Callable
        The student's function. It takes chromas [12, frames] of two sounds, cuts the longer one, leaves out
        frames that are silent (zero) in both, and returns the mean over frames of the cosine, 0 where only one
        is silent; 1 if nothing sounds at all.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Frames that are silent in both do not count": lambda *case: _harmony(*case, silent=True),
        "A cosine does not depend on loudness": lambda a, b: torch.mul(*_cut(a, b)).sum(0).mean(),
        "Frame by frame, then the mean": lambda a, b: torch.cosine_similarity(*(x.flatten() for x in _cut(a, b)), 0),
    }
    holds = {"it lies between 0 and 1": lambda found, *_: within(found, 0, 1)}
    library = [metrics.chroma_similarity]
    return pose("harmony", yours, _chromas, _harmony, hidden, traps=traps, holds=holds, library=library)


def _quiet(draw: Draw) -> tuple:
    t = torch.arange(draw.whole(4000, 8000)) / 8000
    sound = 0.2 * torch.sin(2 * np.pi * draw.number(200, 600) * t) * torch.exp(-3 * t) + 0.005 * draw.normal(len(t))
    return sound, draw.number(3, 9) * (1 if draw.number(0, 1) < 0.5 else -1)


def _softer(samples: Tensor, decibels: float) -> Tensor:
    return samples * 10 ** (decibels / 20)


def _strokes(draw: Draw) -> tuple:
    frames, count = draw.whole(40, 90), draw.whole(4, 9)
    times = [0.3 * FRAME, *draw.times(count - 1, (frames - 1) * FRAME, 1.3 * FRAME), (frames - 0.4) * FRAME]
    return times, [draw.number(0.3, 1.5) for _ in times], frames


def _pulses(
    times: list[float], heights: list[float], frames: int, before: float = 0.3, after: float = 0.5, add: bool = False
) -> Tensor:
    curve = torch.zeros(frames, dtype=torch.float64)
    for t, height in zip(times, heights, strict=True):
        for step, part in ((-1, before), (0, 1.0), (1, after)):
            at = int(t / FRAME) + step
            if 0 <= at < frames:
                curve[at] = curve[at] + part * height if add else max(float(curve[at]), part * height)
    return curve


def _corpus(draw: Draw) -> tuple:
    codebooks, entries = draw.whole(2, 5), draw.whole(10, 30)
    counts = draw.codes(draw.whole(20, 60), codebooks, entries)
    counts[:, : entries // 4] = 0
    return draw.codes(entries, draw.whole(6, 8), codebooks, draw.whole(9, 20)), counts


def _surprise(codes: Tensor, counts: Tensor) -> Tensor:
    logs = ((counts + 1) / (counts + 1).sum(1, keepdim=True)).double().log()
    return -torch.stack([logs[k][codes[:, k]].mean() for k in range(codes.shape[1])])


def _excerpts(draw: Draw) -> tuple:
    count = draw.whole(12, 40)
    tracks = [f"track {draw.whole(1, 7)}" for _ in range(count)]
    own = dict(zip(sorted(set(tracks)), draw.normal(7).tolist(), strict=False))
    values = [own[track] + 0.3 * value for track, value in zip(tracks, draw.normal(count).tolist(), strict=True)]
    return values, tracks, draw.whole(0, 10_000)


def _interval(values, tracks, seed: int, outside: float = 0.025, weighted: bool = True) -> tuple[float, float, float]:
    names = list(dict.fromkeys(tracks))
    which = np.array([names.index(track) for track in tracks])
    sums, sizes = np.bincount(which, np.asarray(values)), np.bincount(which)
    drawn = np.random.default_rng(seed).integers(0, len(names), (2000, len(names)))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1) if weighted else (sums / sizes)[drawn].mean(1)
    return float(np.mean(values)), *(float(x) for x in np.quantile(means, [outside, 1 - outside]))


def _chromas(draw: Draw) -> tuple:
    frames = draw.whole(13, 30)
    a, b = draw.uniform(12, frames), draw.uniform(12, frames + draw.whole(0, 6))
    b[:, :frames] = 0.6 * a + 0.4 * b[:, :frames]
    a[:, :2], b[:, 1:3] = 0, 0
    return a * (0.2 + draw.uniform(1, frames)), b


def _cut(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    count = min(a.shape[1], b.shape[1])
    return a[:, :count], b[:, :count]


def _harmony(a: Tensor, b: Tensor, silent: bool = False) -> float:
    a, b = _cut(a, b)
    lengths = a.norm(dim=0), b.norm(dim=0)
    cosines = (a * b).sum(0) / (lengths[0] * lengths[1]).clamp(min=1e-12)
    counted = torch.ones(a.shape[1], dtype=torch.bool) if silent else (lengths[0] > 0) | (lengths[1] > 0)
    return float(cosines[counted].mean()) if counted.any() else 1.0
