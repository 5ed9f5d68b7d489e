"""Making the curves of training rough, so that taps, sketches and single controls work as exact curves do.

They are smoothed, cut to a few levels, reduced to their peaks, moved a little, and left out. Notebook: 14.
"""

from __future__ import annotations

import numpy as np

from vampkit.controls import curves
from vampkit.controls.control import STEP
from vampkit.controls.kinds import by_control

GIVEN = {"rhythm": 0.8, "harmony": 0.8, "loudness": 0.4}
"""In which fraction of the examples each control is given. In the others the model learns to do without it."""


def rough(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make exact curves [16, frames] rough, and leave some out: what the adapters read, float32 [19, frames]."""
    given = rng.random(len(GIVEN)) < list(GIVEN.values())
    if not given.any():
        given[rng.integers(len(given))] = True
    rows = []
    for on, (kind, curve) in zip(given, by_control(values), strict=True):
        changed = WAYS[kind.word](curve, rng)
        rows.append(on * np.round(np.clip(changed, kind.low, kind.high) / STEP) * STEP)
    flags = np.repeat(given[:, None], values.shape[1], 1)
    return np.concatenate([*rows, flags]).astype(np.float32)


def _rough_rhythm(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    way = rng.choice(["exact", "smooth", "levels", "peaks", "even peaks"], p=[0.35, 0.15, 0.15, 0.15, 0.2])
    if way == "smooth":
        curve = 1.5 * _smooth(curve, int(rng.integers(2, 8)))
    elif way == "levels":
        levels, top = int(rng.integers(1, 4)), rng.uniform(2, 5)
        curve = np.round(np.clip(curve / top, 0, 1) * levels) / levels * 3
    elif way != "exact":
        curve = _peaks(curve, even=way == "even peaks")
    if way == "even peaks" or rng.random() < 0.15:  # a tap does not say which band it means
        curve = np.repeat(curve.mean(0, keepdims=True), len(curve), 0)
    if rng.random() < 0.3:  # nor is a hand exact
        curve = np.roll(curve, int(rng.integers(-2, 3)), 1)
    return curve


def _rough_harmony(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.4:
        curve = _smooth(curve, int(rng.integers(5, 60)))
        curve = curve / np.maximum(np.linalg.norm(curve, axis=0), 1e-6)
    return curve


def _rough_loudness(curve: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _smooth(curve, int(rng.integers(5, 40))) if rng.random() < 0.5 else curve


def _smooth(curve: np.ndarray, size: int) -> np.ndarray:
    size = min(size, curve.shape[1])
    return np.stack([np.convolve(row, np.full(size, 1 / size), "same") for row in curve])


def _peaks(curve: np.ndarray, even: bool) -> np.ndarray:
    """Only the strokes, shaped as `curves.pulses` shapes taps; even: all alike."""
    strokes = np.nonzero(curves.strokes(curve))[0]
    times = (strokes + 0.5) * curves.HOP / curves.RATE
    rows = [curves.pulses(times, curve.shape[1], 3.0 if even else row[strokes]) for row in curve]
    return np.stack(rows)


WAYS = {"rhythm": _rough_rhythm, "harmony": _rough_harmony, "loudness": _rough_loudness}
"""How the curve of each control is made rough."""
