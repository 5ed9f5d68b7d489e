"""How far apart two sets of sounds lie, without fitting normal distributions.

The kernel distance, and whether it could be chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vampkit.metrics.distances import Tracks
from vampkit.metrics.statistics import RESAMPLES, Estimate, interval

SHUFFLES = 1000
SAMPLE = 2000
"""Windows of the reference that give the bandwidth: the median of two million pairs is exact enough."""


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance, whether it could be chance, and the kernel it was measured with.

    It prints as "1.23 [0.9, 1.6], n = 24, p = 0.001".

    Notebook: 11

    Parameters
    ----------
    estimate : Estimate
        The distance with its interval.
    p : float
        Probability of as large a distance between two sets of one kind, 0 to 1.
    bandwidth : float
        Width of the Gaussian kernel, in the points' unit.
    """

    estimate: Estimate
    p: float
    bandwidth: float

    def __str__(self) -> str:
        return f"{self.estimate}, p = {self.p:.3g}"


def bandwidth_of(reference: Tracks) -> float:
    """Median distance between windows of the reference set, used as the width of the Gaussian kernel.

    Notebook: 11

    Parameters
    ----------
    reference : sequence of ndarray
        One array [windows, dims] a track.

    Returns
    -------
    float
        Above 0, in the points' unit.

    Raises
    ------
    ValueError
        If all windows are equal.
    """
    points = np.concatenate([np.asarray(t, np.float64) for t in reference])
    points = points[np.linspace(0, len(points) - 1, min(SAMPLE, len(points))).astype(int)]
    distances = np.sqrt(_squared_distances(points, points)[np.triu_indices(len(points), 1)])
    width = float(np.median(distances)) if len(distances) else 0.0
    if not width > 0:
        raise ValueError(
            "all windows of the reference are equal, a set that varies was expected; give more or longer clips"
        )
    return width


def kernel_distance(
    x: Tracks, y: Tracks, bandwidth: float | None = None, *, shuffles: int = SHUFFLES, seed: int = 0
) -> KernelDistance:
    """Kernel distance of two sets of tracks, about 0 for sets of one kind.

    It is 100 (mean k(x, x') + mean k(y, y') - 2 mean k(x, y)) with k(a, b) = exp(-|a - b|^2 / (2 bandwidth^2)).
    Windows of one track resemble each other, so only pairs of different tracks are averaged. That leaves the distance
    without bias at any number of tracks, and sometimes negative. Source: the squared maximum mean discrepancy of
    Gretton et al. 2012; for music ("KAD") Chung et al. 2025, arXiv 2502.15602.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        The sounds to judge, one array [windows, dims] a track.
    y : sequence of ndarray
        The reference, one array [windows, dims] a track.
    bandwidth : float, optional
        That of an earlier report, to compare with it; None: `bandwidth_of(y)`.
    shuffles : int
        Number of random splits of all tracks into two sets that p is counted over.
    seed : int
        Of the bootstrap and the splits.

    Returns
    -------
    KernelDistance
        The distance with its bootstrap interval over tracks, and p, the fraction of splits with a distance at least as
        large.

    Raises
    ------
    ValueError
        For fewer than two tracks in a set, or sets of other dims.
    """
    tracks = [np.asarray(t, np.float64) for t in (*x, *y)]
    if min(len(x), len(y)) < 2 or len({t.shape[1] if t.ndim == 2 else -1 for t in tracks}) != 1:
        raise ValueError(
            f"sets of {len(x)} and {len(y)} tracks were given, at least 2 in each, all [windows, dims] with equal "
            "dims, were expected"
        )
    width = bandwidth_of(y) if bandwidth is None else float(bandwidth)
    distance = _distances(tracks, width)
    in_x = np.arange(len(tracks)) < len(x)
    ones = np.ones(len(tracks))
    rng = np.random.default_rng(seed)
    whole = float(distance(ones * in_x, ones * ~in_x))
    a, b = np.zeros((2, RESAMPLES, len(tracks)))
    a[:, : len(x)], b[:, len(x) :] = _draws(rng, len(x)), _draws(rng, len(y))
    estimate = Estimate(whole, *interval(distance(a, b)), min(len(x), len(y)))
    splits = np.stack([rng.permutation(in_x) for _ in range(shuffles)])
    # The same split adds up in another order, so equal ones may differ by rounding.
    above = int((distance(ones * splits, ones * ~splits) >= whole - 1e-9).sum())
    return KernelDistance(estimate, (above + 1) / (shuffles + 1), width)


def kernel_difference(x: Tracks, z: Tracks, y: Tracks, bandwidth: float | None = None, *, seed: int = 0) -> Estimate:
    """Kernel distance of x to y less that of z to y, with its bootstrap interval.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        One array [windows, dims] a track.
    z : sequence of ndarray
        The same tracks in the same order, treated in another way, [windows, dims] a track: both are drawn together.
    y : sequence of ndarray
        The reference, one array [windows, dims] a track.
    bandwidth : float, optional
        That of an earlier report, to compare with it; None: `bandwidth_of(y)`.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Estimate
        Below 0 where x lies nearer.

    Raises
    ------
    ValueError
        If x and z are not of equal length, or for fewer than two tracks in a set.
    """
    if len(x) != len(z) or min(len(x), len(y)) < 2:
        raise ValueError(
            f"sets of {len(x)}, {len(z)} and {len(y)} tracks were given, two treatments of the same tracks, and at "
            "least 2 in each, were expected"
        )
    width = bandwidth_of(y) if bandwidth is None else float(bandwidth)
    distance = _distances([np.asarray(t, np.float64) for t in (*x, *z, *y)], width)
    n = len(x)

    def difference(own: np.ndarray, reference: np.ndarray) -> np.ndarray:
        none, nowhere = np.zeros_like(own), np.zeros_like(reference)
        to = np.concatenate([none, none, reference], -1)
        from_x, from_z = np.concatenate([own, none, nowhere], -1), np.concatenate([none, own, nowhere], -1)
        return distance(from_x, to) - distance(from_z, to)

    rng = np.random.default_rng(seed)
    low, high = interval(difference(_draws(rng, n), _draws(rng, len(y))))
    return Estimate(float(difference(np.ones(n), np.ones(len(y)))), low, high, min(n, len(y)))


def _draws(rng: np.random.Generator, tracks: int) -> np.ndarray:
    """How often each of so many tracks is drawn, RESAMPLES times, [RESAMPLES, tracks]."""
    drawn = rng.integers(0, tracks, (RESAMPLES, tracks))
    while (single := (drawn == drawn[:, :1]).all(1)).any():  # one track drawn every time makes no pair
        drawn[single] = rng.integers(0, tracks, (single.sum(), tracks))
    places = drawn + tracks * np.arange(RESAMPLES)[:, None]
    return np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)


def _distances(tracks: list[np.ndarray], width: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The distance between two weightings of the tracks [.., tracks], over pairs of different tracks."""
    sums = _pair_sums(tracks, width)
    sizes = np.array([len(t) for t in tracks], np.float64)
    counts = np.outer(sizes, sizes)
    np.fill_diagonal(sums, 0)
    np.fill_diagonal(counts, 0)

    def mean(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u @ sums * v).sum(-1) / (u @ counts * v).sum(-1)

    return lambda a, b: 100 * (mean(a, a) + mean(b, b) - 2 * mean(a, b))


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # Rounding may leave the smallest ones below zero.
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)


def _pair_sums(tracks: list[np.ndarray], width: float) -> np.ndarray:
    """Kernel values summed over the windows of each pair of tracks, [tracks, tracks]."""
    points = np.concatenate(tracks)
    points = points - points.mean(0)
    starts = np.cumsum([0] + [len(t) for t in tracks[:-1]])
    rows = []
    for start, track in zip(starts, tracks, strict=True):
        values = np.exp(-_squared_distances(points[start : start + len(track)], points) / (2 * width**2)).sum(0)
        rows.append(np.add.reduceat(values, starts))
    return np.stack(rows)
