"""How far apart two sets of sounds lie, without fitting normal distributions.

The kernel distance, and whether it could be chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vampkit.metrics.statistics import CONFIDENCE, RESAMPLES, Estimate

SHUFFLES = 1000
SAMPLE = 2000
"""Windows of the reference whose distances give the bandwidth: the median of two million pairs moves no more."""


class KernelDistance(NamedTuple):
    """A kernel distance with its interval, the chance of as large a one between sets of one kind, and the kernel's
    bandwidth."""

    estimate: Estimate
    p: float
    bandwidth: float

    def __str__(self) -> str:
        return f"{self.estimate}, p = {self.p:.3g}"


def bandwidth_of(reference: Sequence[np.ndarray]) -> float:
    """Median distance between windows of the reference set, the width of the Gaussian kernel.

    reference: one array [windows, dims] a track. Raises ValueError where all windows are equal. Notebook: 11.
    """
    points = np.concatenate([np.asarray(t, np.float64) for t in reference])
    points = points[np.linspace(0, len(points) - 1, min(SAMPLE, len(points))).astype(int)]
    far = np.sqrt(_squares(points, points)[np.triu_indices(len(points), 1)])
    width = float(np.median(far)) if len(far) else 0.0
    if not width > 0:
        raise ValueError(
            "all windows of the reference are equal, a set that varies was expected; give more or longer clips"
        )
    return width


def kernel_distance(
    x: Sequence[np.ndarray],
    y: Sequence[np.ndarray],
    bandwidth: float | None = None,
    *,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> KernelDistance:
    """100 (mean k(x, x') + mean k(y, y') - 2 mean k(x, y)) with k(a, b) = exp(-|a - b|^2 / (2 bandwidth^2)).

    About 0 for sets of one kind.

    x, y: the sounds and the reference, one array [windows, dims] a track. bandwidth: of an earlier report, to compare
    with it (None: `bandwidth_of(y)`). Windows of one track resemble each other, so only pairs of different tracks are
    averaged. That leaves the distance without bias at any number of tracks, and negative at times. Its interval is a
    bootstrap over tracks. p: share of `shuffles` random splits of all tracks with a distance at least as large.

    Raises ValueError for fewer than two tracks in a set or sets of other dims. Source: the squared maximum mean
    discrepancy of Gretton et al. 2012; for music Chung et al. 2025, arXiv 2502.15602 (KAD). Notebook: 11.
    """
    tracks = [np.asarray(t, np.float64) for t in (*x, *y)]
    if min(len(x), len(y)) < 2 or len({t.shape[1] if t.ndim == 2 else -1 for t in tracks}) != 1:
        raise ValueError(
            f"sets of {len(x)} and {len(y)} tracks were given, at least 2 in each, all [windows, dims] with equal dims, were expected"
        )
    width = bandwidth_of(y) if bandwidth is None else float(bandwidth)
    distance = _distances(tracks, width)
    first = np.arange(len(tracks)) < len(x)
    ones = np.ones(len(tracks))
    rng = np.random.default_rng(seed)
    whole = float(distance(ones * first, ones * ~first))
    a, b = np.zeros((2, RESAMPLES, len(tracks)))
    a[:, : len(x)], b[:, len(x) :] = _draws(rng, len(x)), _draws(rng, len(y))
    low, high = np.quantile(distance(a, b), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    splits = np.stack([rng.permutation(first) for _ in range(shuffles)])
    above = int(
        (distance(ones * splits, ones * ~splits) >= whole - 1e-9).sum()
    )  # equal splits are summed in another order
    return KernelDistance(
        Estimate(whole, float(low), float(high), min(len(x), len(y))), (above + 1) / (shuffles + 1), width
    )


def kernel_difference(
    x: Sequence[np.ndarray],
    z: Sequence[np.ndarray],
    y: Sequence[np.ndarray],
    bandwidth: float | None = None,
    *,
    seed: int = 0,
) -> Estimate:
    """Kernel distance of x to y less that of z to y, with its bootstrap interval; below 0 where x lies nearer.

    x, z: two treatments of the same tracks, in the same order, which are drawn together; y: the reference. bandwidth:
    as in `kernel_distance`. Raises ValueError where x and z are not of equal length, or for fewer than two tracks in a
    set. Notebook: 11.
    """
    if len(x) != len(z) or min(len(x), len(y)) < 2:
        raise ValueError(
            f"sets of {len(x)}, {len(z)} and {len(y)} tracks were given, two treatments of the same tracks, and at least 2 in each, were expected"
        )
    distance = _distances(
        [np.asarray(t, np.float64) for t in (*x, *z, *y)], bandwidth_of(y) if bandwidth is None else float(bandwidth)
    )
    n = len(x)

    def difference(own: np.ndarray, reference: np.ndarray) -> np.ndarray:
        none, nowhere = np.zeros_like(own), np.zeros_like(reference)
        far = np.concatenate([none, none, reference], -1)
        return distance(np.concatenate([own, none, nowhere], -1), far) - distance(
            np.concatenate([none, own, nowhere], -1), far
        )

    rng = np.random.default_rng(seed)
    low, high = np.quantile(
        difference(_draws(rng, n), _draws(rng, len(y))), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    )
    return Estimate(float(difference(np.ones(n), np.ones(len(y)))), float(low), float(high), min(n, len(y)))


def _draws(rng: np.random.Generator, tracks: int) -> np.ndarray:
    """How often each of so many tracks is drawn, RESAMPLES times, [RESAMPLES, tracks]."""
    drawn = rng.integers(0, tracks, (RESAMPLES, tracks))
    while (single := (drawn == drawn[:, :1]).all(1)).any():  # one track drawn again and again has no pairs
        drawn[single] = rng.integers(0, tracks, (single.sum(), tracks))
    places = drawn + tracks * np.arange(RESAMPLES)[:, None]
    return np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)


def _distances(tracks: list[np.ndarray], width: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The distance between two weightings of the tracks [.., tracks], over pairs of different tracks."""
    sums = _pair_sums(tracks, width)
    counts = np.outer(sizes := np.array([len(t) for t in tracks], np.float64), sizes)
    np.fill_diagonal(sums, 0)
    np.fill_diagonal(counts, 0)

    def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        def mean(u, v):
            return (u @ sums * v).sum(-1) / (u @ counts * v).sum(-1)

        return 100 * (mean(a, a) + mean(b, b) - 2 * mean(a, b))

    return distance


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # Rounding may leave the smallest ones below zero.
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)


def _pair_sums(tracks: list[np.ndarray], width: float) -> np.ndarray:
    """Kernel values summed over the windows of each pair of tracks, [tracks, tracks]."""
    points = np.concatenate(tracks)
    points = points - points.mean(0)
    starts = np.cumsum([0] + [len(t) for t in tracks[:-1]])
    rows = []
    for start, track in zip(starts, tracks, strict=True):
        values = np.exp(-_squares(points[start : start + len(track)], points) / (2 * width**2)).sum(0)
        rows.append(np.add.reduceat(values, starts))
    return np.stack(rows)
