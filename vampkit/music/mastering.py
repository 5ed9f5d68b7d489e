"""Mastering: the mix's octaves, its dynamics, its level and its end.

All of it is a filter and a gain, so that stems mastered alike add up to the mix.
"""

from __future__ import annotations

import numpy as np

from vampkit.audio import Clip
from vampkit.music.score import Mastering, Piece
from vampkit.music.streams import stream
from vampkit.music.waves import RATE, lowpassed

LOUDNESS = -16.0
"""LUFS around which finished pieces lie, within 1.5."""
CEILING = 0.97
"""The soft limit of the samples' size, before the noise floor."""
FADE = 0.02
"""Seconds of the fade at the end."""
OCTAVES = (62.5, 125.0, 250.0, 500.0, 1e3, 2e3, 4e3, 8e3, 16e3)
RECORDS = (-4.9, -6.6, -9.2, -10.9, -12.9, -16.0, -19.7, -23.8, -33.0)
"""Share in dB that each octave around OCTAVES (Hz) has of a recording's power, at the median of real music."""
BLOCK = 441
"""Samples over which the compressor takes a level: 10 ms."""


def draw(seed: int) -> Mastering:
    """A piece's own mastering: half of the pieces are compressed, one in six is dull, as old recordings are."""
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
    """A linear-phase filter, float32 [4097], that brings the octaves of a mix nearer to those of recordings.

    Synthetic parts keep all their overtones, so that an unfiltered mix is brighter than a recording. How near it comes
    is drawn for each piece. A low-pass of the piece is part of the filter: 24 dB an octave, a Butterworth of order 4.
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
    """The sound through the filter, without delay, float32 of the same shape."""
    from scipy.signal import oaconvolve

    return oaconvolve(sound, equalizer[None], mode="same", axes=1).astype(np.float32)


def compression(how: Mastering, mix: np.ndarray) -> np.ndarray | np.float32:
    """The compressor's gain of every sample, float32.

    Above the threshold, which counts from the mix's mean level, the level rises only 1 / ratio as fast. It is followed
    in blocks of 10 ms, quickly upwards (attack) and slowly downwards (release); between blocks the gain is linear.
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
    """Gain of every sample (compressor, level, soft limit, fade) and the noise floor, both float32."""
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
