"""Building blocks of notes: damped sines, wavetables, filters and envelopes."""

from __future__ import annotations

import numpy as np

RATE = 44_100
WAVETABLE = 2048
"""Number of samples of one period in a wavetable."""


def partials(freqs, amps, decays, samples: int, phases=0.0) -> np.ndarray:
    """A sum of damped sines, float32 [samples], computed as one matrix product.

    freqs: Hz. amps: peaks. decays: 1/s. phases: radians. All have the same length H.

    With z = exp((-decay + 2 pi i f) / rate), sample kB + j is sum_h a_h z_h^(kB) z_h^j. This is a product of matrices
    [K, H] and [H, B], which takes a few multiplications per sample instead of a sine.
    """
    freqs, amps = np.asarray(freqs, float), np.asarray(amps, float)
    heard = freqs < 0.45 * RATE
    log = ((-np.broadcast_to(decays, freqs.shape) + 2j * np.pi * freqs) / RATE)[heard]
    start = (amps * np.exp(1j * np.broadcast_to(phases, freqs.shape)))[heard]
    block = int(np.sqrt(samples)) + 1
    rows = np.exp(np.arange(-(-samples // block))[:, None] * block * log) * start
    columns = np.exp(log[:, None] * np.arange(block))
    left = np.concatenate([rows.real, rows.imag], 1).astype(np.float32)
    right = np.concatenate([columns.imag, columns.real]).astype(np.float32)
    return (left @ right).ravel()[:samples]


def rise(samples: int, seconds: float) -> np.ndarray:
    """An attack envelope: half a period of a cosine from 0 to 1 over `seconds`, then 1."""
    ramp = np.ones(samples, np.float32)
    n = min(samples, max(1, int(seconds * RATE)))
    ramp[:n] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    return ramp


def lowpassed(noise: np.ndarray, cutoff: float) -> np.ndarray:
    """Apply a one-pole low-pass at `cutoff` Hz."""
    from scipy.signal import lfilter

    pole = np.exp(-2 * np.pi * cutoff / RATE)
    return lfilter([1 - pole], [1, -pole], noise).astype(np.float32)


def without_offset(wave: np.ndarray) -> np.ndarray:
    """Remove frequencies below about 20 Hz, which nobody hears and which take headroom."""
    from scipy.signal import lfilter

    pole = np.exp(-2 * np.pi * 20 / RATE)
    return lfilter([(1 + pole) / 2, -(1 + pole) / 2], [1, -pole], wave).astype(np.float32)


def wavetable(amps: np.ndarray) -> np.ndarray:
    """Make a wavetable: one period of harmonics with these amplitudes. The first sample is repeated at the end."""
    turn = np.arange(WAVETABLE + 1) / WAVETABLE
    return np.sin(2 * np.pi * turn[:, None] * np.arange(1, len(amps) + 1)) @ amps


def read(table: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Read a wavetable at phases (1 is a full period), with linear interpolation."""
    place = (turns % 1) * WAVETABLE
    at = place.astype(np.int32)
    part = (place - at).astype(np.float32)
    return (1 - part) * table[at] + part * table[at + 1]


def tremolo(depth: float, rate: float, t: np.ndarray) -> np.ndarray:
    """A tremolo: a gain that oscillates between 1 and 1 - depth, `rate` times per second. t: seconds, float32."""
    return 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * np.float32(rate) * t))
