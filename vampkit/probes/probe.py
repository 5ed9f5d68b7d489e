"""Probes: small readers that are trained on hidden states. What they can read there, the states hold.

The rules of honest probing stand here: parts that share no piece and no sound; a choice made on one part and judged
on another; the error beside that of a constant answer. Notebook: 13.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from vampkit.metrics.statistics import RESAMPLES, Estimate, interval
from vampkit.probes.questions import Question

PENALTIES = (1.0, 30.0, 1e3, 3e4)
"""Of linear probes, to choose from: how much large weights cost."""
EPOCHS = 60
"""Of probes with a hidden layer: more would learn the training pieces by heart."""


def linked(*groups: Sequence[Hashable]) -> Int[np.ndarray, " items"]:
    """Find what must stay together: items that share a piece or a sound, also by way of others.

    Notebook: 13

    Parameters
    ----------
    *groups : sequence
        One label per item: its piece, its sound, and whatever else must not lie in two parts.

    Returns
    -------
    ndarray
        int64 [items], one number for each set of items that hang together.

    Raises
    ------
    ValueError
        If there are no labels, or not equally many of each kind.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    lengths = {len(labels) for labels in groups}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"labels of lengths {sorted(lengths)} were given, one for each item of each kind was expected")
    count = lengths.pop()
    rows, columns, first = [], [], count
    for labels in groups:
        number = {label: first + i for i, label in enumerate(dict.fromkeys(labels))}
        rows += range(count)
        columns += [number[label] for label in labels]
        first += len(number)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(first, first))
    found = connected_components(graph, directed=False)[1][:count]
    return np.unique(found, return_inverse=True)[1]


def split(
    *groups: Sequence[Hashable], shares: Sequence[float] = (0.6, 0.2, 0.2), seed: int = 0
) -> list[Int[np.ndarray, " part"]]:
    """Divide items into parts that share no piece and no sound.

    Notebook: 13

    Parameters
    ----------
    *groups : sequence
        One label per item: its piece, its sound, and so on.
    shares : sequence of float
        How large each part should be: to train on, to choose by, to judge by.
    seed : int
        Seed of the division.

    Returns
    -------
    list of ndarray
        The items of each part, int64, in ascending order.

    Raises
    ------
    ValueError
        If fewer sets of items hang together than there are parts.
    """
    number = linked(*groups)
    sets = np.random.default_rng(seed).permutation(number.max() + 1)
    if len(sets) < len(shares):
        raise ValueError(
            f"the items hang together in {len(sets)} sets, at least {len(shares)} were expected; add pieces and sounds"
        )
    edges = np.cumsum(shares)[:-1] / np.sum(shares)
    least, most = np.arange(1, len(shares)), len(sets) - np.arange(len(shares) - 1, 0, -1)
    cuts = np.clip(np.round(edges * len(sets)).astype(int), least, most)
    return [np.flatnonzero(np.isin(number, part)) for part in np.split(sets, cuts)]


def check_split(parts: Sequence[np.ndarray], *groups: Sequence[Hashable]) -> None:
    """Raise an error if a piece or a sound lies in two parts.

    Notebook: 13

    Parameters
    ----------
    parts : sequence of ndarray
        The items of each part, int64 [items].
    *groups : sequence
        One label per item: its piece, its sound, and so on.

    Raises
    ------
    ValueError
        If a label is met in two parts: what a probe learned there it may only recognize.
    """
    for labels in groups:
        seen: dict[Hashable, int] = {}
        for number, part in enumerate(parts):
            for label in dict.fromkeys(labels[i] for i in part):
                if seen.setdefault(label, number) != number:
                    raise ValueError(
                        f"{label} lies in part {seen[label]} and in part {number}, each piece and each sound was "
                        "expected in one part; divide with `split`"
                    )


@dataclass(frozen=True)
class Probe:
    """A trained reader. Call it on hidden states.

    Notebook: 13

    Parameters
    ----------
    model : object
        An estimator of scikit-learn.
    mean, scale : ndarray
        Mean and standard deviation of the states that it was trained on, [dims].
    penalty : float
        The penalty that was chosen.
    """

    model: Any
    mean: np.ndarray
    scale: np.ndarray
    penalty: float

    def __call__(self, states: Float[np.ndarray, "items dims"]) -> Float[np.ndarray, "items outputs"]:
        """Read the answers, as the `target` of a question writes them."""
        made = self.model.predict((np.asarray(states, np.float32) - self.mean) / self.scale)
        return made.reshape(len(states), -1)

    def direction(self, output: int) -> Float[np.ndarray, " dims"]:
        """Give the direction in which an output of a linear probe grows fastest, of length 1.

        Parameters
        ----------
        output : int
            Number of the output.

        Returns
        -------
        ndarray
            float64 [dims].
        """
        weights = np.atleast_2d(self.model.coef_)[output] / self.scale
        return weights / np.linalg.norm(weights)


def train_probe(
    question: Question,
    states: Float[np.ndarray, "items dims"],
    truth: np.ndarray,
    train: np.ndarray,
    valid: np.ndarray,
    hidden: int = 0,
) -> Probe:
    """Train probes of different penalties on one part, and keep the best one on another.

    Notebook: 13

    Parameters
    ----------
    question : Question
        What is asked.
    states : ndarray
        Hidden states, or other features, float [items, dims].
    truth : ndarray
        The answers, [items] or [items, numbers].
    train, valid : ndarray
        The items to learn from and to choose by, int64 [items].
    hidden : int
        Units of a hidden layer; 0: the probe is linear (ridge regression).

    Returns
    -------
    Probe
        The one that is least often wrong about `valid`.
    """
    states = np.asarray(states, np.float32)
    mean, scale = states[train].mean(0), np.maximum(states[train].std(0), 1e-6)
    x, y = (states[train] - mean) / scale, question.target(truth[train]).astype(np.float32)
    penalties = PENALTIES[:2] if hidden else PENALTIES
    y = y[:, 0] if y.shape[1] == 1 else y
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")  # it ends after EPOCHS, as told
        probes = [Probe(_estimator(p, hidden).fit(x, y), mean, scale, p) for p in penalties]
    errors = [question.loss(probe(states[valid]), truth[valid]).mean() for probe in probes]
    return probes[int(np.argmin(errors))]


def _estimator(penalty: float, hidden: int):
    if not hidden:
        from sklearn.linear_model import Ridge

        return Ridge(alpha=penalty)
    from sklearn.neural_network import MLPRegressor

    settings = dict(max_iter=EPOCHS, learning_rate_init=3e-3, random_state=0)
    return MLPRegressor(hidden_layer_sizes=(hidden,), alpha=penalty / 30, **settings)


def skill(
    losses: Float[np.ndarray, " items"],
    constant: Float[np.ndarray, " items"],
    pieces: Sequence[Hashable],
    seed: int = 0,
) -> Estimate:
    """Compute the share of the errors of a constant answer that a probe avoids, with an interval over pieces.

    Notebook: 13

    Parameters
    ----------
    losses : ndarray
        How wrong the probe is, [items].
    constant : ndarray
        How wrong the best constant answer is, [items].
    pieces : sequence
        The piece of each item. Whole pieces are drawn, since the frames of a piece resemble each other.
    seed : int
        Seed of the draws.

    Returns
    -------
    Estimate
        1: never wrong. 0: as one who hears nothing. Below 0: worse. n is the number of pieces.

    Raises
    ------
    ValueError
        If the constant answer is never wrong, so that there is nothing to read.
    """
    if constant.sum() == 0:
        raise ValueError("the constant answer is always right, different answers were expected; ask about more pieces")
    number = np.unique(np.asarray(pieces), return_inverse=True)[1]
    sums = np.stack([np.bincount(number, losses), np.bincount(number, constant)])
    draws = np.random.default_rng(seed).integers(0, sums.shape[1], (RESAMPLES, sums.shape[1]))
    drawn = sums[:, draws].sum(-1)
    low, high = interval(1 - drawn[0] / np.maximum(drawn[1], 1e-12))
    return Estimate(float(1 - losses.sum() / constant.sum()), low, high, sums.shape[1])
