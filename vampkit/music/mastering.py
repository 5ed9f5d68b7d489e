"""Mastering: an equalizer, a compressor, the final level, and a fade at the end.

It is only a filter and a gain, so the sum of the mastered stems is the mastered mix.
"""

from __future__ import annotations

import numpy as np

from vampkit.audio import Clip
from vampkit.music.score import Mastering, Piece
from vampkit.music.streams import stream
from vampkit.music.waves import RATE, lowpassed

LOUDNESS = -16.0
"""Loudness of finished pieces in LUFS, within +-1.5."""
CEILING = 0.97
"""Limit of the absolute sample values (a soft limiter), before the noise floor is added."""
FADE = 0.02
"""Seconds of the fade at the end."""
OCTAVES = (62.5, 125.0, 250.0, 500.0, 1e3, 2e3, 4e3, 8e3, 16e3)
RECORDS = (-4.9, -6.6, -9.2, -10.9, -12.9, -16.0, -19.7, -23.8, -33.0)
"""Power of each octave around OCTAVES (Hz) relative to the total power, in dB. The median of real recordings."""
BLOCK = 441
"""Samples in a block of which the compressor measures the level: 10 ms."""


def draw(seed: int) -> Mastering:
    """Draw the mastering of a piece. Half of the pieces are compressed; one in six is dull, like old recordings."""
    rng = stream(seed, "mastering")
    compressed, dull = rng.random() < 0.5, rng.random() < 1 / 6
    ratio = rng.uniform(1.5, 4)
    threshold_db = rng.uniform(-6, 3)
    attack_s = rng.uniform(0.005, 0.03)
    release_s = rng.uniform(0.08, 0.3)
    low_pass_hz = float(np.exp(rng.uniform(np.log(4_000), np.log(15_000))))
    return Mastering(
        ratio=round(ratio, 3) if compressed else 1.0,
        threshold_db=round(threshold_db, 3),
        attack_s=round(attack_s, 4),
        release_s=round(release_s, 4),
        low_pass_hz=round(low_pass_hz, 1) if dull else None,
    )


def equalizer(piece: Piece, mix: np.ndarray) -> np.ndarray:
    """Make a linear-phase filter, float32 [4097], that brings the octaves of a mix closer to those of recordings.

    Without it a synthetic mix is brighter than a recording, since it has all overtones. How close it gets is drawn for
    each piece. The filter includes the low-pass of the piece (Butterworth of order 4, 24 dB per octave).
    """
    from scipy.signal import firwin2

    power = np.square(np.abs(np.fft.rfft(mix.mean(0))))
    frequency = np.fft.rfftfreq(mix.shape[1], 1 / RATE)
    share = [power[(frequency >= f / 2**0.5) & (frequency < f * 2**0.5)].sum() for f in OCTAVES]
    own = 10 * np.log10(np.array(share) / (power.sum() + 1e-12) + 1e-7)
    gain_db = stream(piece.seed, "master").uniform(0.4, 0.9) * np.clip(np.array(RECORDS) - own, -16, 4)
    grid = np.fft.rfftfreq(4096, 1 / RATE)
    gains = 10 ** (np.interp(np.log2(np.maximum(grid, 1)), np.log2(OCTAVES), gain_db) / 20)
    if piece.mastering.low_pass_hz is not None:
        gains /= np.sqrt(1 + (grid / piece.mastering.low_pass_hz) ** 8)
    return firwin2(4097, grid / grid[-1], gains).astype(np.float32)


def filtered(sound: np.ndarray, equalizer: np.ndarray) -> np.ndarray:
    """Apply the filter without delay. The result is float32 of the same shape."""
    from scipy.signal import oaconvolve

    return oaconvolve(sound, equalizer[None], mode="same", axes=1).astype(np.float32)


def compression(how: Mastering, mix: np.ndarray) -> np.ndarray | np.float32:
    """Compute the compressor's gain for each sample, float32.

    Above the threshold (relative to the mean level of the mix) the output level rises by only 1 / ratio dB per dB. The
    level is measured in blocks of 10 ms and smoothed, with a fast rise (attack) and a slow fall (release). Between
    blocks the gain is interpolated linearly.
    """
    if how.ratio == 1 or mix.shape[1] < 2 * BLOCK:
        return np.float32(1)
    power = np.square(mix[:, : mix.shape[1] // BLOCK * BLOCK]).mean(0).reshape(-1, BLOCK).mean(1) + 1e-12
    rise, fall = (1 - np.exp(-BLOCK / RATE / time) for time in (how.attack_s, how.release_s))
    level, levels = power[0], []
    for now in power.tolist():
        level += (rise if now > level else fall) * (now - level)
        levels.append(level)
    over = np.maximum(10 * np.log10(np.array(levels) / power.mean()) - how.threshold_db, 0)
    at = (np.arange(len(over)) + 0.5) * BLOCK
    return (10 ** (np.interp(np.arange(mix.shape[1]), at, over) * (1 / how.ratio - 1) / 20)).astype(np.float32)


def finish(piece: Piece, mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the gain of each sample (compressor, level, soft limiter, fade) and the noise floor, both float32."""
    rng = stream(piece.seed, "finish")
    compressor = compression(piece.mastering, mix)
    mix = mix * compressor
    target = LOUDNESS + rng.uniform(-1.5, 1.5)
    loudness = Clip(mix, RATE).loudness()
    level = 10 ** ((target - loudness) / 20) if np.isfinite(loudness) else 1.0
    loud = np.abs(mix).max(0) * np.float32(level)
    knee = 0.75
    over = np.maximum(loud - knee, 0)
    limited = np.where(loud > knee, knee + (CEILING - knee) * np.tanh(over / (CEILING - knee)), loud)
    gain = np.where(loud > knee, limited / np.maximum(loud, knee), 1.0) * level
    floor = 10 ** (rng.uniform(-78, -60) / 20) * lowpassed(rng.standard_normal(mix.shape[1]), 6_000) * 2
    fade = np.ones(mix.shape[1], np.float32)
    n = min(len(fade), round(FADE * RATE))
    fade[len(fade) - n :] = np.linspace(1, 0, n)
    return (gain * compressor * fade).astype(np.float32), (np.tile(floor, (len(mix), 1)) * fade).astype(np.float32)
