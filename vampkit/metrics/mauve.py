"""The distance of two sets of sounds by how often each of many small groups of similar windows occurs in both."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from vampkit.metrics.distances import Tracks
from vampkit.metrics.statistics import Estimate, jackknife

PER_CLUSTER = 20
"""Windows of both sets for each cluster."""
SCALE = 5.0
MIXTURES = np.linspace(0, 1, 27)[1:-1]


def mauve_divergence(x: Tracks, y: Tracks, *, paired: bool = False, seed: int = 0) -> Estimate:
    """Compute -log of MAUVE: 0 for sets that visit all clusters equally often, more for sets that do not.

    The windows of both sets are put into clusters by k-means. MAUVE is the area under the curve of exp(-5 KL(q | r))
    against exp(-5 KL(p | r)), where p and q say how often each cluster occurs, and r are mixtures of both. Source:
    Pillutla et al. 2021, arXiv 2102.01454; for music ("MAD") arXiv 2503.16669. There the embedding is a large network;
    here you choose it. Few windows make it too large, so only compare sets of equal size.

    Notebook: 11

    Parameters
    ----------
    x : sequence of ndarray
        The sounds to evaluate, one array [windows, dims] per track.
    y : sequence of ndarray
        The reference, one array [windows, dims] per track.
    paired : bool
        The reference holds the originals of the same tracks, in the same order; see `frechet_interval`.
    seed : int
        Seed of the clusters.

    Returns
    -------
    Estimate
        The divergence and its jackknife interval over tracks, with the clusters as they are.

    Raises
    ------
    ValueError
        For fewer than two tracks in a set, or paired sets of different length.
    """
    from scipy.cluster.vq import kmeans2

    if paired and len(x) != len(y):
        raise ValueError(f"{len(x)} and {len(y)} tracks were given, the originals of the same tracks were expected")
    tracks = [np.asarray(t, np.float64) for t in (*x, *y)]
    points = np.concatenate(tracks)
    points = (points - points.mean(0)) / np.maximum(points.std(0), 1e-9)
    clusters = max(2, len(points) // PER_CLUSTER)
    _, found = kmeans2(points, clusters, minit="++", seed=seed)
    ends = np.cumsum([len(t) for t in tracks])[:-1]
    counts = np.stack([np.bincount(part, minlength=clusters) for part in np.split(found, ends)])
    a, b = counts[: len(x)], counts[len(x) :]
    sizes = (len(x),) if paired else (len(x), len(y))
    return jackknife(lambda kept: _divergence(a[kept[0]].sum(0), b[kept[-1]].sum(0)), sizes)


def _divergence(p: Float[np.ndarray, " clusters"], q: Float[np.ndarray, " clusters"]) -> float:
    """-log of the area under the divergence curve of two histograms."""
    p, q = p / p.sum(), q / q.sum()
    ends = [(0.0, 1.0), (1.0, 0.0)]
    curve = [
        (np.exp(-SCALE * _kl(q, r)), np.exp(-SCALE * _kl(p, r)))
        for r in (share * p + (1 - share) * q for share in MIXTURES)
    ]
    across, up = np.array(sorted(curve + ends, key=lambda point: (point[0], -point[1]))).T
    return float(max(0.0, -np.log(np.trapezoid(up, across))))


def _kl(p: Float[np.ndarray, " clusters"], r: Float[np.ndarray, " clusters"]) -> float:
    there = p > 0
    return float((p[there] * np.log(p[there] / r[there])).sum())
