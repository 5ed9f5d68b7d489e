"""What pictures are made of: a small log-mel spectrogram, the outline of a waveform, masks and codes as arrays."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

HOP = 768  # the paper's codec; used where a mask comes without its tokens
RATE = 44100
COARSE = 4  # codebooks of the coarse model; the rest are fine
RANGE = 80  # decibels shown below the loudest cell: what is softer is not heard beside it
WINDOW, STEP = 2048, 512  # samples of a transform, and between the starts of two


@dataclass(frozen=True)
class Spectrum:
    """A log-mel spectrogram made for looking at.

    Parameters
    ----------
    db : ndarray
        int16 [bands, columns], low bands first: dB of the mean power of a band's bins (0: a full-scale sine in each).
    seconds : float
        Length of the time axis.
    hz : ndarray
        float [bands], the middle of each band in Hz.
    """

    db: np.ndarray
    seconds: float
    hz: np.ndarray


@lru_cache(maxsize=8)
def _filters(rate: int, size: int, bands: int) -> tuple[np.ndarray, np.ndarray]:
    import librosa

    weights = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, norm=None)
    # A mean over bins, so that a band is not brighter for being wide.
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return weights, librosa.mel_frequencies(n_mels=bands + 2, fmax=rate / 2)[1:-1]


def spectrum(clip, bands: int = 80, columns: int = 480) -> Spectrum:
    """Log-mel spectrogram of a clip (channels averaged), at most `columns` wide, each the mean power of its windows.

    Raises ValueError for a clip without samples.
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
    """First place of each of so many columns of about equal width, and the end, [columns + 1]."""
    return np.linspace(0, length, columns + 1).round().astype(int)


def column_means(cells: np.ndarray, columns: int) -> np.ndarray:
    """Means of cells [rows, frames] over so many columns of about equal width, [rows, columns]."""
    edges = _edges(cells.shape[1], columns)
    return np.add.reduceat(cells, edges[:-1], axis=1) / np.diff(edges)


def shared_range(*spectra: Spectrum) -> tuple[int, int]:
    """Lowest and highest decibel shown; one range for all, so that colours compare."""
    top = max(int(s.db.max()) for s in spectra)
    return top - RANGE, top


def outline(clip, columns: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest sample of each of at most `columns` stretches of a clip: two float arrays [columns]."""
    samples = _mono(clip)
    starts = _edges(samples.size, min(columns, samples.size))[:-1]
    return np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def mask_array(mask) -> np.ndarray:
    """A mask as a boolean numpy array [K, T]; True is hidden.

    Raises TypeError where it is not boolean, ValueError where it is not [K, T] (a batch of one is accepted).
    """
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        raise TypeError(
            f"a mask of type {array.dtype} was given, booleans were expected (True = hidden); use mask.bool()"
        )
    return _grid(array, "a mask")


def code_array(tokens_or_codes) -> np.ndarray:
    """Codes as an integer numpy array [K, T], from Tokens or from codes. Raises TypeError, ValueError."""
    array = np.asarray(getattr(tokens_or_codes, "codes", tokens_or_codes))
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(
            f"codes of type {array.dtype} were given, whole numbers were expected; give Tokens or their codes"
        )
    return _grid(array, "codes")


def _grid(array: np.ndarray, what: str) -> np.ndarray:
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{what} of shape {array.shape} was given, [codebooks, frames] was expected; choose one item of a batch"
        )
    return array


def frame_seconds(tokens=None) -> float:
    """Seconds a frame lasts: of these tokens, or of the paper's codec (768 samples at 44.1 kHz)."""
    return tokens.hop / tokens.rate if hasattr(tokens, "hop") else HOP / RATE


def codebook_names(codebooks: int) -> list[str]:
    """What codebooks are called in every picture: "coarse 1" to "coarse 4", "fine 5" on."""
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


def runs(row: np.ndarray) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of each run of True in a boolean row [T]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
