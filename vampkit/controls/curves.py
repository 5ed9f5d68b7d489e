"""Curves of a sound, one value a frame of the tokens: where something begins, which pitches sound, how loud it is.

Each function takes sound at -24 LUFS and gives float32 [channels, frames]. Notebook: 14.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from vampkit.audio import LEVEL, Clip, opens_with_attack

RATE, HOP = 44_100, 768
"""Of the codec's tokens: 57.42 frames a second."""
BANDS = (8, 20, 20)
"""Mel bands of each rhythm channel, from low to high: about 30 to 500 Hz, to 3 kHz, to 12 kHz."""
FLOOR = 1e-3
"""Added to magnitudes before the logarithm, so that a rise out of noise counts little."""


def prepared(clip: Clip) -> np.ndarray:
    """Samples of a clip [samples], as the codec hears it: mono, 44.1 kHz, -24 LUFS."""
    return clip.mono().resample(RATE).at_loudness(LEVEL).samples[0]


def frames_of(samples: int) -> int:
    """Number of frames of so many samples at 44.1 kHz."""
    return -(-samples // HOP)


def rhythm(samples: np.ndarray) -> Float[np.ndarray, "3 frames"]:
    """How strongly something begins, in three bands: the mean rise of the log-mel spectrum, over its deviation.

    For the deviation, a rise above three deviations counts as three, so that one loud stroke does not make soft ones
    vanish. Away from the strokes the curve is halved, so that they stand out of a dense sound. The first frame counts
    as a rise out of silence if the sound opens with an attack, else as none.
    """
    from scipy import ndimage

    level = np.log(FLOOR + _mel_filters() @ _magnitudes(samples, 2048))
    before = np.full_like(level[:, :1], np.log(FLOOR)) if opens_with_attack(samples, RATE) else level[:, :1]
    rise = np.maximum(0, np.diff(level, prepend=before))
    rise[:, (len(samples) - (2048 + HOP) // 2) // HOP + 1 :] = 0  # these windows hear the sound end: no stroke
    edges = np.cumsum((0, *BANDS))
    curve = np.stack([rise[a:b].mean(0) for a, b in zip(edges, edges[1:], strict=False)])
    low = np.minimum(curve, 3 * curve.std(1, keepdims=True))
    curve = curve / np.maximum(low.std(1, keepdims=True), 1e-6)
    near = ndimage.binary_dilation(strokes(curve))  # a stroke, and the frames beside it
    return (curve * np.where(near, 1, 0.5)).astype(np.float32)


def strokes(curve: Float[np.ndarray, "3 frames"], least: float = 0.8) -> Bool[np.ndarray, " frames"]:
    """The frames where the mean over the bands has a peak that is at least so high."""
    mean = np.pad(curve.mean(0), 1)
    return (mean[1:-1] >= mean[:-2]) & (mean[1:-1] > mean[2:]) & (mean[1:-1] >= least)


def harmony(samples: np.ndarray) -> Float[np.ndarray, "12 frames"]:
    """The pitch classes that sound, C first, each frame of length 1; 0 in silence.

    Only what stands out of the spectrum around it counts, and its root, so that a loud timbre says little more than a
    soft one. Pitches up to 1 kHz: above, overtones would be taken for notes.
    """
    size = 8192
    magnitudes = _magnitudes(samples, size)
    peaks = np.sqrt(np.maximum(magnitudes - 1.5 * _smoothed(magnitudes), 0))
    classes = _pitch_classes(size) @ peaks
    length = np.linalg.norm(classes, axis=0)
    loud = magnitudes.max(0) > FLOOR
    return (classes / np.maximum(length, 1e-6) * loud).astype(np.float32)


def loudness(samples: np.ndarray) -> Float[np.ndarray, "1 frames"]:
    """The level of each frame against the whole sound, in units of 10 dB, from -4 to 2."""
    power = (_magnitudes(samples, 2048) ** 2).mean(0)
    decibels = 10 * np.log10(power + 1e-8) - 10 * np.log10(power.mean() + 1e-8)
    return np.clip(decibels / 10, -4, 2)[None].astype(np.float32)


def _magnitudes(samples: np.ndarray, size: int) -> np.ndarray:
    """Magnitudes [size / 2 + 1, frames] of windows centred on the frames; a full-scale sine is near 1."""
    frames = frames_of(len(samples))
    # Frame t covers the samples from 768 t on; its window is centred on the middle of these.
    left = (size - HOP) // 2
    padded = torch.nn.functional.pad(torch.from_numpy(np.ascontiguousarray(samples)), (left, size + HOP))
    window = torch.hann_window(size)
    spectrum = torch.stft(padded, size, HOP, window=window, center=False, return_complex=True)
    return (spectrum.abs() * (2 / window.sum()))[:, :frames].numpy()


@lru_cache(maxsize=1)
def _mel_filters() -> np.ndarray:
    import librosa

    return librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=sum(BANDS), fmin=30, fmax=12_000, norm=None)


def _smoothed(magnitudes: np.ndarray) -> np.ndarray:
    """Each frequency's mean over a third of an octave around it."""
    rows = len(magnitudes)
    sums = np.concatenate([np.zeros_like(magnitudes[:1]), np.cumsum(magnitudes, 0, dtype=np.float64)])
    at = np.arange(rows)
    low = np.floor(at / 2 ** (1 / 6)).astype(int)
    high = np.minimum(np.ceil(at * 2 ** (1 / 6)).astype(int) + 1, rows)
    return ((sums[high] - sums[low]) / (high - low)[:, None]).astype(np.float32)


@lru_cache(maxsize=1)
def _pitch_classes(size: int, low: float = 60, high: float = 1000) -> np.ndarray:
    """Weights [12, size / 2 + 1] from frequencies to pitch classes: a narrow bell around each semitone."""
    hertz = np.arange(size // 2 + 1) * RATE / size
    inside = (hertz >= low) & (hertz <= high)
    pitch = 12 * np.log2(np.where(inside, hertz, 440) / 440) + 9  # C is 0
    away = (pitch[None] - np.arange(12)[:, None] + 6) % 12 - 6
    return (np.exp(-0.5 * (away / 0.35) ** 2) * inside).astype(np.float32)


def pulses(times, frames: int, strength=1.0) -> Float[np.ndarray, " frames"]:
    """A curve with a peak at each time (seconds), shaped as a sharp attack's rise: half of it in the frames beside."""
    curve = np.zeros(frames, np.float32)
    for time, height in zip(times, np.broadcast_to(strength, (len(times),)), strict=True):
        place = int(time * RATE / HOP)
        for at, part in ((place - 1, 0.3), (place, 1.0), (place + 1, 0.5)):
            if 0 <= at < frames:
                curve[at] = max(curve[at], part * height)
    return curve


def as_tensor(curve: np.ndarray) -> Tensor:
    """A curve as a float32 tensor."""
    return torch.from_numpy(np.ascontiguousarray(curve, np.float32))
