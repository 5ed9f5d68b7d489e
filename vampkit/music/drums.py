"""Drum kits and hand percussion, made of decaying sines and noise. Tuning and timbre differ from piece to piece."""

from __future__ import annotations

import numpy as np

from vampkit.music import general_midi as gm
from vampkit.music.waves import RATE, lowpassed, partials, rise

LEVELS = {
    gm.KICK: 1.0, gm.SNARE: 0.75, gm.CLOSED_HAT: 0.28, gm.OPEN_HAT: 0.3, gm.CLAP: 0.6, gm.LOW_TOM: 0.75,
    gm.MID_TOM: 0.7, gm.HIGH_TOM: 0.65, gm.RIDE: 0.22, gm.RIM: 0.45, gm.TAMBOURINE: 0.25, gm.COWBELL: 0.3,
    gm.MUTE_CONGA: 0.5, gm.CONGA: 0.6, gm.LOW_CONGA: 0.65, gm.SHAKER: 0.22, gm.CLAVES: 0.4,
}  # fmt: skip
"""Loudness of each drum in the kit. The random settings of the drums are drawn in this order."""
KITS = ("acoustic", "electronic", "brushes", "machine", "latin")
"""The kits.

acoustic: played with sticks. electronic: a longer kick, shorter noise. brushes: soft, played with wire brushes.
machine: a kick that rings for a second, dry hats. latin: hand percussion and a light acoustic kit.
"""


def kit(rng: np.random.Generator, name: str) -> dict[int, np.ndarray]:
    """Make the wave of each drum, float32 [samples] with a peak of 1. name: one of KITS."""
    electronic = name in ("electronic", "machine")
    tune = rng.uniform(0.9, 1.12)
    waves = {
        gm.KICK: _kick(rng, tune, electronic),
        gm.SNARE: _snare(rng, tune, electronic),
        gm.CLAP: _clap(rng),
        gm.RIM: _rim(rng, tune),
        gm.RIDE: _metal(rng, 1.6, rng.uniform(0.35, 0.8), 0.45),
        gm.CLOSED_HAT: _metal(rng, 0.25, rng.uniform(0.02, 0.05), 0.0),
        gm.OPEN_HAT: _metal(rng, 0.8, rng.uniform(0.15, 0.35), 0.0),
    }
    for drum, pitch in ((gm.LOW_TOM, 90), (gm.MID_TOM, 125), (gm.HIGH_TOM, 170)):
        waves[drum] = _tom(rng, pitch * tune)
    # The hand drums have their own random stream, so that they do not change the drums above.
    hands = np.random.default_rng(rng.bit_generator.seed_seq.spawn(1)[0])
    if name == "machine":
        waves[gm.KICK], waves[gm.SNARE] = _boom(hands), _snare(hands, 1.15 * tune, True)
    if name == "brushes":
        waves[gm.SNARE], waves[gm.KICK] = _brush(hands), lowpassed(waves[gm.KICK], 700)
    for drum, pitch in ((gm.MUTE_CONGA, 330), (gm.CONGA, 250), (gm.LOW_CONGA, 185)):
        waves[drum] = _conga(hands, pitch * tune, drum == gm.MUTE_CONGA)
    waves |= {gm.SHAKER: _shaker(hands), gm.TAMBOURINE: _metal(hands, 0.35, hands.uniform(0.05, 0.12), 0.0)}
    waves |= {gm.CLAVES: _block(2_400 * tune, 1.0, 45), gm.COWBELL: _block(560 * tune, 1.48, 14)}
    return {drum: (wave / np.abs(wave).max()).astype(np.float32) for drum, wave in waves.items()}


def _time(seconds: float) -> np.ndarray:
    """The time of each sample in seconds, float32."""
    return np.arange(int(seconds * RATE), dtype=np.float32) / RATE


def _sweep(low: float, high: float, fall: float, t: np.ndarray) -> np.ndarray:
    """A sine whose frequency falls from low + high to low Hz in about `fall` seconds."""
    return np.sin(2 * np.pi * np.cumsum(low + high * np.exp(-t / fall)) / RATE)


def _kick(rng, tune: float, electronic: bool) -> np.ndarray:
    t = _time(0.6)
    body = _sweep(rng.uniform(43, 56) * tune, rng.uniform(120, 280), rng.uniform(0.018, 0.04), t)
    body *= np.exp(-t / (rng.uniform(0.16, 0.26) if electronic else rng.uniform(0.09, 0.18)))
    click = lowpassed(rng.standard_normal(len(t)), rng.uniform(2_000, 6_000)) * np.exp(-t / 0.004)
    return np.tanh(rng.uniform(1.2, 2.5) * body) + rng.uniform(0.3, 1.0) * click


def _snare(rng, tune: float, electronic: bool) -> np.ndarray:
    t = _time(0.5)
    base = rng.uniform(160, 210) * tune
    body = partials([base, 1.83 * base, 2.4 * base], [1, 0.55, 0.25], [11, 14, 20], len(t))
    noise = rng.standard_normal(len(t)).astype(np.float32)
    noise = lowpassed(noise - lowpassed(noise, rng.uniform(900, 2_200)), rng.uniform(7_000, 14_000))
    fall = rng.uniform(0.05, 0.09) if electronic else rng.uniform(0.08, 0.15)
    return (0.6 * body + rng.uniform(1.0, 2.0) * noise * np.exp(-t / fall)) * rise(len(t), 0.0005)


def _clap(rng) -> np.ndarray:
    """Three short bursts of noise and a longer one, a hundredth of a second apart."""
    from scipy.signal import lfilter

    t = _time(0.4)
    angle = 2 * np.pi * rng.uniform(1_000, 1_600) / RATE
    noise = lfilter([1, 0, -1], [1, -2 * 0.94 * np.cos(angle), 0.94**2], rng.standard_normal(len(t)))
    starts = np.cumsum([0, *rng.uniform(0.008, 0.013, 3)])
    shape = sum(np.where(t >= s, np.exp(-np.maximum(t - s, 0) / 0.006), 0) for s in starts[:3])
    tail = np.where(t >= starts[3], np.exp(-np.maximum(t - starts[3], 0) / rng.uniform(0.05, 0.1)), 0)
    return noise * (shape + 0.8 * tail)


def _rim(rng, tune: float) -> np.ndarray:
    base = rng.uniform(380, 520) * tune
    n = int(0.12 * RATE)
    click = lowpassed(rng.standard_normal(n), 5_000) * np.exp(-np.arange(n) / (0.002 * RATE))
    return partials([base, 2.71 * base, 4.3 * base], [1, 0.9, 0.4], [60, 80, 120], n) + click


def _metal(rng, seconds: float, fall: float, bell: float) -> np.ndarray:
    """Cymbals: many modes without a common pitch, and high noise; `bell` adds a clear stroke."""
    t = _time(seconds)
    modes = np.sort(rng.uniform(2_800, 15_000, 40))
    amps = rng.uniform(0.3, 1, 40) * (modes / 7_000) ** 0.5
    decays = rng.uniform(0.7, 1.6, 40) / fall
    ring = partials(modes, amps, decays, len(t), rng.uniform(0, 6.28, 40))
    noise = rng.standard_normal(len(t)).astype(np.float32)
    noise = noise - lowpassed(noise, rng.uniform(5_000, 8_000))
    noise = noise - lowpassed(noise, 6_000)
    wave = 0.12 * ring + (1 - 0.6 * bell) * noise * np.exp(-t / fall)
    if bell:
        freqs = rng.uniform(520, 760) * np.array([1, 2.63, 4.07, 5.4, 7.7])
        wave += bell * partials(freqs, [0.3, 0.5, 0.6, 0.5, 0.5], 1.5 / fall + np.arange(5) * 3.0, len(t))
        wave += 0.8 * bell * noise * np.exp(-t / 0.01)
    return wave * rise(len(t), 0.0003) * np.minimum(1, (seconds - t) / 0.02)


def _tom(rng, pitch: float) -> np.ndarray:
    t = _time(0.7)
    body = _sweep(pitch, 0.5 * pitch, 0.05, t) * np.exp(-t / rng.uniform(0.12, 0.22))
    return body + 0.15 * lowpassed(rng.standard_normal(len(t)), 3_000) * np.exp(-t / 0.02)


def _boom(rng) -> np.ndarray:
    """The long kick of a drum machine."""
    t = _time(1.4)
    sweep = _sweep(rng.uniform(42, 52), rng.uniform(60, 140), 0.03, t)
    return np.tanh(2.0 * sweep * np.exp(-t / rng.uniform(0.3, 0.55)))


def _brush(rng) -> np.ndarray:
    """Wire brushes on a drum: noise that swells and fades, and a soft stroke."""
    t = _time(0.45)
    noise = rng.standard_normal(len(t)).astype(np.float32)
    noise = lowpassed(noise - lowpassed(noise, 1_200), rng.uniform(5_000, 9_000))
    swept = noise * (0.5 * np.exp(-t / 0.02) + (t / 0.06) * np.exp(1 - t / 0.06))
    return swept + 0.2 * partials([190.0, 330.0], [1, 0.5], [18, 24], len(t))


def _conga(rng, pitch: float, muted: bool) -> np.ndarray:
    t = _time(0.5)
    ring = rng.uniform(0.03, 0.05) if muted else rng.uniform(0.12, 0.22)
    body = _sweep(pitch, 0.08 * pitch, 0.02, t) * np.exp(-t / ring)
    body = body + 0.3 * np.sin(2 * np.pi * 1.59 * pitch * t) * np.exp(-t / (0.5 * ring))
    return body + (0.5 if muted else 0.25) * lowpassed(rng.standard_normal(len(t)), 2_500) * np.exp(-t / 0.006)


def _shaker(rng) -> np.ndarray:
    t = _time(0.15)
    noise = rng.standard_normal(len(t)).astype(np.float32)
    return (noise - lowpassed(noise, 5_000)) * (t / 0.02) * np.exp(1 - t / rng.uniform(0.015, 0.03))


def _block(pitch: float, second: float, decay: float) -> np.ndarray:
    """A short tone of wood (claves, one frequency) or metal (cowbell, two frequencies)."""
    n = RATE // 2
    freqs, decays = [pitch, second * pitch * 1.01, 3.1 * pitch], [decay, 1.2 * decay, 3 * decay]
    return partials(freqs, [1, 0.7, 0.15], decays, n) * rise(n, 0.0005)
