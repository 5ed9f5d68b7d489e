"""A peak limiter: sound above full scale is made softer where it is, and says so; all other sound stays as it is."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

CEILING = 0.999
"""The loudest sample that is let through; full scale is 1."""
REACH = 0.005
"""Seconds before and after a peak over which the gain falls and rises."""


def limited(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Make peaks above full scale softer. Where there are none within 10 ms, no sample changes.

    The gain of a sample is the mean, over 5 ms to both sides, of the least gain that any sample within 5 ms needs. So
    it moves slowly, and is never larger than what the sample itself needs.

    Parameters
    ----------
    blocks : iterable of ndarray
        Blocks [channels, samples].
    rate : int
        Samples per second.

    Yields
    ------
    ndarray
        Blocks [channels, samples]. Joined, they are as long as what was given.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    reach = max(1, round(REACH * rate))
    held, left = None, 0  # the samples from `left` on were not given out yet; those before are context
    for block in chain(blocks, [None]):
        if block is not None:
            held = block if held is None else np.concatenate([held, block], 1)
        if held is None:
            return
        upto = held.shape[1] if block is None else held.shape[1] - 2 * reach
        if upto <= left:
            continue
        made = held[:, left:upto]
        peak = np.abs(held).max(0)
        if (peak > CEILING).any():
            needed = np.minimum(1.0, CEILING / np.maximum(peak, CEILING))
            least = minimum_filter1d(needed, 2 * reach + 1, mode="nearest")
            gain = uniform_filter1d(least, 2 * reach + 1, mode="nearest")[left:upto]
            made = np.where(gain < 1 - 1e-7, made * gain, made).astype(np.float32)
        yield made
        drop = max(0, upto - 2 * reach)
        held, left = held[:, drop:], upto - drop


def watched(blocks: Iterable[np.ndarray], path: Path, softened: bool) -> Iterator[np.ndarray]:
    """Pass blocks on, and warn at the end if they went above full scale. softened: whether `limited` comes next."""
    top = 0.0
    for block in blocks:
        top = max(top, float(np.abs(block).max(initial=0.0)))
        yield block
    if top > 1.0:
        what = "was made softer there" if softened else "keeps them, but players may clip"
        warnings.warn(
            f"{path.name} has peaks {20 * math.log10(top):.1f} dB above full scale and {what}; for another level "
            "make the sound softer first",
            stacklevel=2,
        )
