"""Confidence intervals: a mean over a few clips is an estimate; its interval says how precise it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
"""Number of draws of a bootstrap."""
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A number with its interval.

    It prints as "0.812 [0.79, 0.83], n = 24".

    Notebook: 04

    Parameters
    ----------
    mean : float
        The number itself: a mean, or another statistic.
    low : float
        Lower end of its interval.
    high : float
        Upper end of its interval.
    n : int
        Number of independent clips or tracks from which it was computed.
    """

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
    """Compute the mean of values, with a bootstrap interval (percentiles) over tracks.

    Source: Efron and Tibshirani 1993, chapter 13.

    Notebook: 04, 11

    Parameters
    ----------
    values : sequence of float
        One number per clip, [clips].
    groups : sequence, optional
        The track of each clip. Clips of the same track are not independent, so whole tracks are drawn, with
        replacement. None: each clip is a track of its own.
    resamples : int
        Number of draws.
    confidence : float
        Probability with which the interval should contain the true mean, 0 to 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    Estimate
        The mean, in the unit of the values; n is the number of tracks. For a single track the ends of the interval are
        NaN (unknown).

    Raises
    ------
    ValueError
        If there are no values, if values are not finite, if groups have another length, or for a confidence that is not
        between 0 and 1.
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
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    track_of = np.array([number[name] for name in names])
    sums, sizes = np.bincount(track_of, data), np.bincount(track_of)
    n = len(number)
    if n == 1:
        return Estimate(float(data.mean()), float("nan"), float("nan"), 1)
    draws = np.random.default_rng(seed).integers(0, n, (resamples, n))
    means = sums[draws].sum(1) / sizes[draws].sum(1)
    return Estimate(float(data.mean()), *interval(means, confidence), n)


def interval(draws: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Ends of the central interval that contains a fraction `confidence` of the draws."""
    if not 0 < confidence < 1:
        raise ValueError(f"the confidence is {confidence}, between 0 and 1 was expected, such as 0.95")
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def jackknife(
    statistic: Callable[[tuple[np.ndarray, ...]], float], sizes: Sequence[int], confidence: float = CONFIDENCE
) -> Estimate:
    """Compute a statistic of sets of tracks, with the jackknife interval: each track is left out once.

    Use it if the bootstrap is wrong: a Frechet distance, for example, gets larger if a track is drawn twice. The
    variances of several independent sets are added. Source: Efron and Tibshirani 1993, chapter 11.

    Notebook: 11

    Parameters
    ----------
    statistic : callable
        A function of one integer array per set, the indices of the tracks to use. It returns a number.
    sizes : sequence of int
        Number of tracks in each set.
    confidence : float
        Probability with which the interval should contain the true number, 0 to 1.

    Returns
    -------
    Estimate
        The statistic of all tracks, with its interval; n is the size of the smallest set.

    Raises
    ------
    ValueError
        For sets of fewer than two tracks.
    """
    from scipy.stats import t

    if not sizes or min(sizes) < 2:
        raise ValueError(f"sets of {list(sizes)} tracks were given, at least 2 in each were expected; add tracks")
    everything = [np.arange(size) for size in sizes]
    whole, variance = statistic(tuple(everything)), 0.0
    for k, size in enumerate(sizes):
        before, tracks, after = everything[:k], everything[k], everything[k + 1 :]
        without_one = np.array([statistic((*before, np.delete(tracks, i), *after)) for i in range(size)])
        variance += (size - 1) / size * float(((without_one - without_one.mean()) ** 2).sum())
    half_width = float(t.ppf((1 + confidence) / 2, min(sizes) - 1)) * variance**0.5
    return Estimate(float(whole), float(whole - half_width), float(whole + half_width), min(sizes))
