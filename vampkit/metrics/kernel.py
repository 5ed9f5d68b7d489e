"""The distance of two sets of sounds without fitting normal distributions: the kernel distance, with a p-value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vampkit.metrics.distances import Tracks
from vampkit.metrics.statistics import RESAMPLES, Estimate, interval

SHUFFLES = 1000
SAMPLE = 2000
"""Number of reference windows from which the bandwidth is computed. Their two million pairs are enough."""


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance with its p-value and the bandwidth of the kernel.

    It prints as "1.23 [0.9, 1.6], n = 24, p = 0.001".

    Notebook: 11

    Parameters
    ----------
    estimate : Estimate
        The distance with its interval.
    p : float
        Probability of a distance at least as large if both sets had the same distribution, 0 to 1.
    bandwidth : float
        Width of the Gaussian kernel, in the unit of the points.
    """

    estimate: Estimate
    p: float
    bandwidth: float

    def __str__(self) -> str:
        return f"{self.estimate}, p = {self.p:.3g}"


def bandwidth_of(reference: Tracks) -> float:
    """Compute the width of the Gaussian kernel: the median distance between windows of the reference set.

    Notebook: 11

    Parameters
    ----------
    reference : sequence of ndarray
        One array [windows, dims] per track.

    Returns
    -------
    float
        The width, above 0, in the unit of the points.

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
    """Compute the kernel distance of two sets of tracks. It is about 0 for sets with the same distribution.

    It is 100 (mean k(x, x') + mean k(y, y') - 2 mean k(x, y)) with k(a, b) = exp(-|a - b|^2 / (2 bandwidth^2)).
    Windows of the same track resemble each other, so the means are over pairs of different tracks. Therefore the
    distance is unbiased for any number of tracks, and it can be negative. Source: the squared maximum mean discrepancy
    of Gretton et al. 2012; for music ("KAD") Chung et al. 2025, arXiv 2502.15602.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        The sounds to evaluate, one array [windows, dims] per track.
    y : sequence of ndarray
        The reference, one array [windows, dims] per track.
    bandwidth : float, optional
        Width of the kernel. To compare with an earlier result, give its bandwidth. None: `bandwidth_of(y)`.
    shuffles : int
        Number of random splits of all tracks into two sets, from which p is computed.
    seed : int
        Seed of the bootstrap and the splits.

    Returns
    -------
    KernelDistance
        The distance with its bootstrap interval over tracks, and p, the fraction of splits with a distance at least as
        large.

    Raises
    ------
    ValueError
        For fewer than two tracks in a set, or arrays with different dims.
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
    # 1e-9, since the sums of the same split in another order may differ by rounding.
    above = int((distance(ones * splits, ones * ~splits) >= whole - 1e-9).sum())
    return KernelDistance(estimate, (above + 1) / (shuffles + 1), width)


def kernel_difference(x: Tracks, z: Tracks, y: Tracks, bandwidth: float | None = None, *, seed: int = 0) -> Estimate:
    """Compute the kernel distance of x and y minus that of z and y, with a bootstrap interval.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        One array [windows, dims] per track.
    z : sequence of ndarray
        The same tracks in the same order, processed in another way, [windows, dims] per track. The bootstrap draws a
        track from x and z together.
    y : sequence of ndarray
        The reference, one array [windows, dims] per track.
    bandwidth : float, optional
        Width of the kernel. To compare with an earlier result, give its bandwidth. None: `bandwidth_of(y)`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Estimate
        The difference and its interval; below 0 if x is nearer.

    Raises
    ------
    ValueError
        If x and z have different lengths, or if a set has fewer than two tracks.
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
    """Bootstrap draws of tracks: how often each track is drawn in each resample, [RESAMPLES, tracks]."""
    drawn = rng.integers(0, tracks, (RESAMPLES, tracks))
    while (single := (drawn == drawn[:, :1]).all(1)).any():  # a resample of only one track has no pairs
        drawn[single] = rng.integers(0, tracks, (single.sum(), tracks))
    places = drawn + tracks * np.arange(RESAMPLES)[:, None]
    return np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)


def _distances(tracks: list[np.ndarray], width: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Make a function that computes the distance of two sets, given as weights of the tracks, [.., tracks] each."""
    sums = _pair_sums(tracks, width)
    sizes = np.array([len(t) for t in tracks], np.float64)
    counts = np.outer(sizes, sizes)
    np.fill_diagonal(sums, 0)
    np.fill_diagonal(counts, 0)

    def mean(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u @ sums * v).sum(-1) / (u @ counts * v).sum(-1)

    return lambda a, b: 100 * (mean(a, a) + mean(b, b) - 2 * mean(a, b))


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # Rounding can make the smallest distances negative.
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
