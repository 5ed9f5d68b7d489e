"""The distance of two sets of sounds: the Frechet distance between normal distributions fitted to their embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from vampkit.metrics.statistics import Estimate, jackknife

Tracks = Sequence[np.ndarray]
"""One array [windows, dims] per track."""


def frechet_distance(x: Float[np.ndarray, "n dims"], y: Float[np.ndarray, "m dims"]) -> float:
    """Compute |mean difference|^2 + tr(A + B - 2 (A B)^1/2) of two sets of points with covariances A and B.

    It is biased upwards, and more so for few points with many dims. So only compare results with the same n and m.
    Source: Dowson and Landau 1982; for music ("FAD") Kilgour et al. 2019, arXiv 1812.08466. The paper reports it in
    section 4.

    Notebook: 11

    Parameters
    ----------
    x : ndarray
        Points [n, dims], for example from `logmel_statistics`.
    y : ndarray
        Points [m, dims].

    Returns
    -------
    float
        The distance, in the squared unit of the points; 0 for equal sets.

    Raises
    ------
    ValueError
        For sets of other shapes, or fewer than two points.
    """
    x, y = (np.asarray(a, np.float64) for a in (x, y))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(
            f"sets of shape {x.shape} and {y.shape} were given, [points, dims] with equal dims and at least "
            "two points each were expected"
        )
    return _frechet(_moments(x), _moments(y))


def frechet_interval(x: Tracks, y: Tracks, *, paired: bool = False) -> Estimate:
    """Compute the Frechet distance of two sets of tracks, with a jackknife interval over the tracks of both sets.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        One array [windows, dims] per track.
    y : sequence of ndarray
        The other set, one array [windows, dims] per track.
    paired : bool
        The other set holds the originals of the same tracks, in the same order, as in the paper's evaluation (section
        4). The jackknife then leaves a track out of both sets at the same time.

    Returns
    -------
    Estimate
        The distance and its 95 % interval.

    Raises
    ------
    ValueError
        For fewer than two tracks in a set.
    """
    sizes = _sizes(x, y, paired)
    a, b = _TrackSums(x), _TrackSums(y)
    return jackknife(lambda tracks: _frechet(a.moments(tracks[0]), b.moments(tracks[-1])), sizes)


def frechet_ratio(x: Tracks, z: Tracks, y: Tracks, *, paired: bool = False) -> Estimate:
    """Compute the Frechet distance of x and y divided by that of z and y, with a jackknife interval of its logarithm.

    So a ratio and its inverse have the same interval, and none goes below 0.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        One array [windows, dims] per track.
    z : sequence of ndarray
        The same tracks in the same order, processed in another way, [windows, dims] per track. The jackknife leaves a
        track out of x and z at the same time.
    y : sequence of ndarray
        The reference set, one array [windows, dims] per track.
    paired : bool
        The reference set holds the originals of the same tracks, see `frechet_interval`.

    Returns
    -------
    Estimate
        The ratio and its 95 % interval; below 1 if x is nearer.

    Raises
    ------
    ValueError
        If x and z have different lengths, or if a set has fewer than two tracks.
    """
    if len(x) != len(z):
        raise ValueError(f"{len(x)} and {len(z)} tracks were given, two treatments of the same tracks were expected")
    sizes = _sizes(x, y, paired)
    a, c, b = _TrackSums(x), _TrackSums(z), _TrackSums(y)

    def log_ratio(tracks: tuple[np.ndarray, ...]) -> float:
        reference = b.moments(tracks[-1])
        near, far = (_frechet(sums.moments(tracks[0]), reference) for sums in (a, c))
        return float(np.log(max(near, 1e-12) / max(far, 1e-12)))

    found = jackknife(log_ratio, sizes)
    return Estimate(*np.exp(found[:3]).tolist(), found.n)


def _sizes(x: Tracks, y: Tracks, paired: bool) -> tuple[int, ...]:
    """Sizes of the sets that are resampled on their own: one if y are the originals of x, otherwise two."""
    if not paired:
        return len(x), len(y)
    if len(x) != len(y):
        raise ValueError(f"{len(x)} and {len(y)} tracks were given, the originals of the same tracks were expected")
    return (len(x),)


Moments = tuple[np.ndarray, np.ndarray]
"""Mean [dims] and covariance [dims, dims]."""


def _moments(x: np.ndarray) -> Moments:
    return x.mean(0), np.cov(x, rowvar=False).reshape(x.shape[1], x.shape[1])


def _frechet(x: Moments, y: Moments) -> float:
    (mean_x, cov_x), (mean_y, cov_y) = x, y
    values, vectors = np.linalg.eigh(cov_x)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    # (A B)^1/2 and (A^1/2 B A^1/2)^1/2 have the same trace. The second is symmetric, so no complex numbers appear.
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov_y @ root), 0, None)).sum()
    distance = ((mean_x - mean_y) ** 2).sum() + np.trace(cov_x) + np.trace(cov_y) - 2 * cross
    return max(0.0, float(distance))


class _TrackSums:
    """Sums over the windows of each track. From these, mean and covariance of any set of tracks are computed fast."""

    def __init__(self, tracks: Tracks):
        tracks = [np.asarray(t, np.float64) for t in tracks]
        # Centred first, since sums of squares of points far from 0 are inaccurate.
        self.center = np.concatenate(tracks).mean(0)
        tracks = [t - self.center for t in tracks]
        self.counts = np.array([len(t) for t in tracks])
        self.sums = np.stack([t.sum(0) for t in tracks])
        self.products = np.stack([t.T @ t for t in tracks])

    def moments(self, tracks: np.ndarray) -> Moments:
        """Mean and covariance of the windows of these tracks (indices)."""
        n = self.counts[tracks].sum()
        mean = self.sums[tracks].sum(0) / n
        return mean + self.center, (self.products[tracks].sum(0) - n * np.outer(mean, mean)) / (n - 1)
