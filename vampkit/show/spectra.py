"""Data for pictures: a small log-mel spectrogram, the outline of a waveform, masks and codes as arrays."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vampkit import masks

HOP = 768  # hop of the paper's codec, used for masks without tokens
RATE = 44100
COARSE = 4  # codebooks of the coarse model; the others are fine
RANGE = 80  # decibels shown below the loudest cell; softer sound is masked by it
WINDOW, STEP = 2048, 512  # window and hop of the Fourier transform, in samples


@dataclass(frozen=True)
class Spectrum:
    """A log-mel spectrogram for pictures.

    Parameters
    ----------
    db : ndarray
        int16 [bands, columns], low bands first: dB of the mean power in the bins of a band (0: full-scale sines).
    seconds : float
        Length of the time axis.
    hz : ndarray
        float [bands], the centre of each band in Hz.
    """

    db: np.ndarray
    seconds: float
    hz: np.ndarray


@lru_cache(maxsize=8)
def _filters(rate: int, size: int, bands: int) -> tuple[np.ndarray, np.ndarray]:
    import librosa

    weights = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, norm=None)
    # The mean over bins, not the sum; otherwise wide bands would be brighter.
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return weights, librosa.mel_frequencies(n_mels=bands + 2, fmax=rate / 2)[1:-1]


def spectrum(clip, bands: int = 80, columns: int = 480) -> Spectrum:
    """Compute the log-mel spectrogram of a clip (channels averaged) with at most `columns` columns.

    Each column is the mean power of its windows. Raises ValueError for a clip without samples.
    """
    import torch

    signal = torch.from_numpy(np.ascontiguousarray(_mono(clip)))[None]
    padded = torch.nn.functional.pad(signal, (WINDOW // 2, WINDOW // 2))
    window = torch.hann_window(WINDOW)
    frames = torch.stft(padded, WINDOW, STEP, window=window, center=False, return_complex=True)[0]
    power = frames.abs().square().numpy()
    power /= float(window.sum() / 2) ** 2  # a sine of amplitude 1 has power 1 in its bin
    weights, hz = _filters(clip.rate, WINDOW, bands)
    mel = weights @ power
    mel = column_means(mel, min(columns, mel.shape[1]))
    db = np.round(10 * np.log10(np.maximum(mel, 1e-14))).astype(np.int16)
    return Spectrum(db, clip.seconds, hz)


def _mono(clip) -> np.ndarray:
    samples = clip.samples.mean(0)
    if samples.size == 0:
        raise ValueError("the clip holds no samples, some sound was expected; nothing can be drawn")
    return samples


def _edges(length: int, columns: int) -> np.ndarray:
    """Borders of `columns` columns of about equal width, [columns + 1]."""
    return np.linspace(0, length, columns + 1).round().astype(int)


def column_means(cells: np.ndarray, columns: int) -> np.ndarray:
    """Average cells [rows, frames] in `columns` columns of about equal width, [rows, columns]."""
    edges = _edges(cells.shape[1], columns)
    return np.add.reduceat(cells, edges[:-1], axis=1) / np.diff(edges)


def shared_range(*spectra: Spectrum) -> tuple[int, int]:
    """Lowest and highest dB shown. All spectra get the same range, so that their colours can be compared."""
    top = max(int(s.db.max()) for s in spectra)
    return top - RANGE, top


def outline(clip, columns: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest sample in each of at most `columns` stretches of a clip: two float arrays [columns]."""
    samples = _mono(clip)
    starts = _edges(samples.size, min(columns, samples.size))[:-1]
    return np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def mask_array(mask) -> np.ndarray:
    """Convert a mask to a boolean NumPy array [K, T], True = hidden.

    Raises TypeError if it is not boolean, and ValueError if it is not [K, T] (a batch of one is accepted).
    """
    return masks.as_mask(mask).numpy()


def code_array(tokens_or_codes) -> np.ndarray:
    """Convert Tokens or codes to an integer NumPy array [K, T]. Raises TypeError or ValueError if they do not fit."""
    array = np.asarray(getattr(tokens_or_codes, "codes", tokens_or_codes))
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(
            f"codes of type {array.dtype} were given, whole numbers were expected; give Tokens or their codes"
        )
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"codes of shape {array.shape} was given, [codebooks, frames] was expected; choose one item of a batch"
        )
    return array


def frame_seconds(tokens=None) -> float:
    """Length of a frame in seconds, of the given tokens or of the paper's codec (768 samples at 44.1 kHz)."""
    return tokens.hop / tokens.rate if hasattr(tokens, "hop") else HOP / RATE


def codebook_names(codebooks: int) -> list[str]:
    """Names of the codebooks in all pictures: "coarse 1" to "coarse 4", then "fine 5" and so on."""
    return [f"{'coarse' if k < COARSE else 'fine'} {k + 1}" for k in range(codebooks)]


@lru_cache(maxsize=1)
def entry_colours() -> np.ndarray:
    """Colours for names, uint8 [64, 3]; neighbours differ in hue and lightness, so none looks like more or less."""
    places = np.arange(64)
    hues, lights = places * 0.618034 % 1, np.array([0.40, 0.56, 0.72, 0.48])[places % 4]
    colours = [colorsys.hls_to_rgb(hue, light, 0.5) for hue, light in zip(hues, lights, strict=True)]
    return (np.array(colours) * 255).round().astype(np.uint8)


def table_size(codes: np.ndarray) -> int:
    """How many entries a codebook has at least, by its codes: the paper's 1024, or the next power of two."""
    return max(1024, 1 << int(codes.max()).bit_length())


def entry_colour_index(codes: np.ndarray) -> np.ndarray:
    """Place of each code's colour among `entry_colours`, uint8 [K, T]."""
    return (codes * len(entry_colours()) // table_size(codes)).astype(np.uint8)
