"""What notes are made of: damped sines, tables of one period, filters and envelopes."""

from __future__ import annotations

import numpy as np

RATE = 44_100
WAVETABLE = 2048
"""Samples of one period in a table."""


def partials(freqs, amps, decays, samples: int, phases=0.0) -> np.ndarray:
    """A sum of damped sines, float32 [samples], as one product of matrices.

    freqs: Hz. amps: peaks. decays: 1/s. phases: radians; all of one length H.

    With z = exp((-decay + 2 pi i f) / rate), sample kB + j is sum_h a_h z_h^(kB) z_h^j: a product of [K, H] and [H, B],
    which costs a few multiplications a sample instead of a sine each.
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
    """An attack: half a period of a cosine from 0 to 1 over `seconds`, then 1."""
    ramp = np.ones(samples, np.float32)
    n = min(samples, max(1, int(seconds * RATE)))
    ramp[:n] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    return ramp


def lowpassed(noise: np.ndarray, cutoff: float) -> np.ndarray:
    """Through a low-pass of one pole at `cutoff` Hz."""
    from scipy.signal import lfilter

    pole = np.exp(-2 * np.pi * cutoff / RATE)
    return lfilter([1 - pole], [1, -pole], noise).astype(np.float32)


def without_offset(wave: np.ndarray) -> np.ndarray:
    """Without what lies below about 20 Hz: nobody hears it, and it takes headroom."""
    from scipy.signal import lfilter

    pole = np.exp(-2 * np.pi * 20 / RATE)
    return lfilter([(1 + pole) / 2, -(1 + pole) / 2], [1, -pole], wave).astype(np.float32)


def wavetable(amps: np.ndarray) -> np.ndarray:
    """One period of sines with these amplitudes, from the fundamental on; its first sample is repeated at the end."""
    turn = np.arange(WAVETABLE + 1) / WAVETABLE
    return np.sin(2 * np.pi * turn[:, None] * np.arange(1, len(amps) + 1)) @ amps


def read(table: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """A wavetable at a phase in turns, with straight lines between its samples."""
    place = (turns % 1) * WAVETABLE
    at = place.astype(np.int32)
    part = (place - at).astype(np.float32)
    return (1 - part) * table[at] + part * table[at + 1]


def tremolo(depth: float, rate: float, t: np.ndarray) -> np.ndarray:
    """A gain that wavers between 1 and 1 - depth, `rate` times a second; t: seconds, float32."""
    return 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * np.float32(rate) * t))
