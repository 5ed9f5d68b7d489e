"""Intervals: a mean over a few clips is a guess about all the others, and these say how good a one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A figure, the ends of its interval, and the number of independent things (clips, tracks) behind it."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}], n = {self.n}"


def bootstrap(
    values: Sequence[float] | np.ndarray,
    groups: Sequence[Hashable] | None = None,
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Mean of values with its bootstrap interval (percentiles), drawn over tracks.

    values: one number a clip. groups: the track of each clip, for clips of one track are not independent; tracks are
    drawn with replacement, with all their clips (None: every clip is a track of its own). seed: of the draws.
    The interval of a single track is unknown: both of its ends are NaN.

    Raises ValueError for no values, values that are not finite, and groups of another length.
    Source: Efron and Tibshirani 1993, chapter 13. Notebook: 11.
    """
    data = np.asarray(values, np.float64)
    if data.ndim != 1 or data.size == 0 or not np.isfinite(data).all():
        raise ValueError(
            f"values of shape {data.shape} with {int((~np.isfinite(data)).sum())} not finite were given, a "
            "list of finite numbers was expected; leave out what could not be measured and say how many"
        )
    if groups is not None and len(groups) != len(data):
        raise ValueError(f"{len(groups)} groups were given for {len(data)} values, one for each was expected")
    names = list(range(len(data))) if groups is None else list(groups)
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    rows = np.array([index[name] for name in names])
    sums, sizes = np.bincount(rows, data), np.bincount(rows)
    n = len(index)
    if n == 1:
        return Estimate(float(data.mean()), float("nan"), float("nan"), 1)
    draws = np.random.default_rng(seed).integers(0, n, (resamples, n))
    means = sums[draws].sum(1) / sizes[draws].sum(1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(float(data.mean()), float(low), float(high), n)


def jackknife(
    statistic: Callable[[tuple[np.ndarray, ...]], float], sizes: Sequence[int], confidence: float = CONFIDENCE
) -> Estimate:
    """A figure made from whole sets of tracks, with the interval that leaving out one track at a time gives.

    statistic: takes one index array a set, the tracks to use, and returns the figure. sizes: tracks in each set.
    The variances of several independent sets add up. n is that of the smallest set.
    It serves where the bootstrap fails: a Frechet distance grows when the same track is drawn twice.

    Raises ValueError for sets of fewer than two tracks.
    Source: Efron and Tibshirani 1993, chapter 11. Notebook: 11.
    """
    from scipy.stats import t

    if not sizes or min(sizes) < 2:
        raise ValueError(f"sets of {list(sizes)} tracks were given, at least 2 in each were expected; add tracks")
    every = [np.arange(size) for size in sizes]
    whole, variance = statistic(tuple(every)), 0.0
    for which, size in enumerate(sizes):
        left = [
            statistic(tuple(np.delete(a, i) if k == which else a for k, a in enumerate(every))) for i in range(size)
        ]
        variance += (size - 1) / size * float(((np.array(left) - np.mean(left)) ** 2).sum())
    reach = float(t.ppf((1 + confidence) / 2, min(sizes) - 1)) * variance**0.5
    return Estimate(float(whole), float(whole - reach), float(whole + reach), min(sizes))
