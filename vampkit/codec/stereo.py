"""Stereo: which rows of samples are encoded for the channels of a sound, and the channels that come of them.

Two channels are encoded as mid and side, their mean and half their difference. Each has its own gain, so a soft side is
heard by the codec as well as the mid, and the take is as wide as the sound was. The mid is the sound that a mono take
is made of. Channels that are equal have no side, so they stay equal to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from vampkit.audio import LEVEL
from vampkit.codec.tokens import Tokens

MOST_WIDER = 6.0
"""Decibels by which the side is made louder or softer at most, see `Codec.as_wide`."""


def layout(stereo: str, channels: int) -> str:
    """What is encoded of a sound with so many channels: "mix", "items" or "mid-side"."""
    if stereo == "mix" or channels == 1:
        return "mix"
    return stereo if channels == 2 else "items"


def arranged(samples: np.ndarray, how: str) -> np.ndarray:
    """The rows that are encoded, from samples [channels, samples]: their mean, mid and side, or the channels."""
    if how == "items":
        return samples
    mean = samples.mean(0, keepdims=True)
    return mean if how == "mix" else np.concatenate([mean, (samples[:1] - samples[1:]) / 2])


def measured(how: str) -> int:
    """How many loudnesses are measured: one for all rows, or one each for mid and side."""
    return 2 if how == "mid-side" else 1


def levels(rows: np.ndarray, how: str) -> list[np.ndarray]:
    """The rows of each measurement. Channels are measured together, so that they keep their balance."""
    if how == "mid-side":
        return [row[None] for row in rows]
    return [rows if len(rows) <= 2 else rows.mean(0, keepdims=True)]


def gains_of(loudness: Iterable[float], how: str, channels: int) -> tuple[float, ...]:
    """The gain in dB of each row. A side that is silent has none, and is not encoded."""
    found = list(loudness)
    if how == "mid-side" and not math.isfinite(found[1]):
        found = found[:1]
    gains = tuple(LEVEL - level if math.isfinite(level) else 0.0 for level in found)
    return gains * channels if how == "items" else gains


def channels_of(rows: np.ndarray, tokens: Tokens) -> np.ndarray:
    """The channels of a sound, from the rows that its tokens give."""
    if tokens.stereo != "mid-side" or tokens.codes.ndim == 2:
        return rows
    mid, side = (rows[:1], rows[1:]) if len(rows) == 2 else (rows, 0)
    return np.concatenate([mid + side, mid - side])


def squares(rows: np.ndarray) -> np.ndarray:
    """Sums of squares of each row."""
    return np.square(rows, dtype=np.float64).sum(1)
