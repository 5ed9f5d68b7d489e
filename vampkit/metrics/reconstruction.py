"""How close a decoded sound is to the original: mel distance and SI-SDR."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
import torch
from torch import Tensor

from vampkit.audio import Clip

SCALES = ((5, 32), (10, 64), (20, 128), (40, 256), (80, 512), (160, 1024), (320, 2048))
"""(number of mel bands, window in samples) of the loss with which descript-audio-codec was trained."""
FLOOR = 1e-5
"""Magnitudes are clamped at this value, since the logarithm of 0 is not finite."""
SHORTEST = SCALES[-1][1] // 2 + 1
"""Number of samples that the longest window needs for reflection at an edge."""
TINY = 1e-8
"""Keeps SI-SDR finite: for a perfect copy it is about 120 dB instead of infinity."""

Sound = Clip | np.ndarray | Tensor


def mel_distance(
    x: Sound, y: Sound, rate: int = 44_100, *, where: np.ndarray | Tensor | None = None, hop: int = 768
) -> float:
    """Compute the distance of the log-mel spectra of two sounds, summed over seven resolutions.

    It depends on the level: scale both sounds to the same loudness first, or report that you did not. Source: the mel
    loss of descript-audio-codec (arXiv 2306.06546; windows of 32 to 2048 samples, hops of a quarter of the window,
    log10 of magnitudes clamped at 1e-5). The mel error of the paper (section 4) uses other windows, so its numbers
    cannot be compared with these.

    Notebook: 01

    Parameters
    ----------
    x : Clip or ndarray or Tensor
        A mono sound, [samples].
    y : Clip or ndarray or Tensor
        The other sound, [samples] of equal length.
    rate : int
        Sample rate of arrays. For clips their own rate is used.
    where : ndarray or Tensor, optional
        bool [frames], True for frames to compare, such as those that were generated or kept. None: all. A window
        belongs to the frame in which its middle lies.
    hop : int
        Samples per frame of `where`.

    Returns
    -------
    float
        0 for equal sounds; lower is closer.

    Raises
    ------
    ValueError
        For sounds of different length or rate, several channels, fewer than 1025 samples, or a `where` without True
        or of another length.
    """
    a, b, rate = _pair(x, y, rate)
    if len(a) < SHORTEST:
        raise ValueError(f"the sounds hold {len(a)} samples, at least {SHORTEST} were expected; give longer ones")
    both, total = torch.stack([a, b]).float(), 0.0
    for bands, window in SCALES:
        hann = torch.hann_window(window)
        spectrum = torch.stft(both, window, window // 4, window=hann, pad_mode="reflect", return_complex=True).abs()
        logs = (mel_filters(rate, bands, window) @ spectrum).clamp(min=FLOOR).log10()
        difference = (logs[0] - logs[1]).abs()
        if where is not None:
            difference = difference[:, _columns_of(where, hop, len(a), window // 4)]
        total += float(difference.mean())
    return total


def paper_mel_error(x: Sound, y: Sound, rate: int = 44_100) -> float:
    """Compute the mel error of the paper's evaluation: log-mel and mel spectra at two scales, L1.

    FFT sizes 2048 and 512 with 150 and 80 bands, a hop of a quarter; the log is log10 of the squared magnitude, clamped
    at 1e-5 before. To its mean difference that of the magnitudes is added, and the scales are summed. The paper's text
    (section 4, equation 3) names only the logarithms; this is what its code computes. Its values cannot be compared
    with those of `mel_distance`.

    Notebook: 11

    Parameters
    ----------
    x, y : Clip or ndarray or Tensor
        Mono sounds [samples] of equal length, at the same level.
    rate : int
        Sample rate of arrays, in Hz; clips have their own.

    Returns
    -------
    float
        The error, 0 for equal sounds; lower is closer.

    Raises
    ------
    ValueError
        For sounds of different length or rate, several channels, or fewer than 1025 samples.
    """
    a, b, rate = _pair(x, y, rate)
    if len(a) < SHORTEST:
        raise ValueError(f"the sounds hold {len(a)} samples, at least {SHORTEST} were expected; give longer ones")
    both, total = torch.stack([a, b]).float(), 0.0
    for bands, window in ((150, 2048), (80, 512)):
        hann = torch.hann_window(window)
        spectrum = torch.stft(both, window, window // 4, window=hann, pad_mode="reflect", return_complex=True).abs()
        mels = mel_filters(rate, bands, window) @ spectrum
        logs = mels.clamp(min=FLOOR).square().log10()
        total += float((logs[0] - logs[1]).abs().mean() + (mels[0] - mels[1]).abs().mean())
    return total


def _columns_of(where: np.ndarray | Tensor, hop: int, samples: int, step: int) -> Tensor:
    """Convert `where` from frames to the columns of a spectrogram with a hop of `step` samples, bool [columns]."""
    where = torch.as_tensor(where)
    if where.ndim != 1 or where.dtype != torch.bool or not where.any():
        raise ValueError(
            f"where is {where.dtype} of shape {tuple(where.shape)} with {int(where.sum())} frames that count, "
            "bool [frames] with at least one was expected"
        )
    if not samples // hop <= len(where) <= -(-samples // hop):  # the last frame may be filled only in part
        raise ValueError(
            f"where has {len(where)} frames, {-(-samples // hop)} were expected for {samples} samples; "
            "take the mask that belongs to these sounds"
        )
    return where[(torch.arange(samples // step + 1) * step // hop).clamp(max=len(where) - 1)]


def si_sdr(ref: Sound, est: Sound) -> float:
    """Compute the scale-invariant signal-to-distortion ratio in dB.

    It does not depend on the level of `est`, as long as neither sound is near silence. Equal sounds have about 100 dB.

    Use it only for codecs, not for takes: changes of phase or delays that nobody hears make it very low. Source: Le
    Roux et al. 2019, arXiv 1811.02508, equation 4, with means removed.

    Notebook: 01

    Parameters
    ----------
    ref : Clip or ndarray or Tensor
        The mono reference sound, [samples].
    est : Clip or ndarray or Tensor
        The sound to evaluate, [samples] of equal length, aligned with `ref`.

    Returns
    -------
    float
        The ratio in dB; higher is closer.

    Raises
    ------
    ValueError
        For sounds of different length or rate, or several channels.
    """
    x, y, _ = _pair(ref, est, 0)
    x, y = (s.double() - s.double().mean() for s in (x, y))
    target = float(x @ y) / (float(x @ x) + TINY) * x
    signal, noise = float(target @ target), float((y - target) @ (y - target))
    return 10 * math.log10((signal + TINY) / (noise + TINY))


@functools.cache
def mel_filters(rate: int, bands: int, window: int) -> Tensor:
    """Mel filters of librosa, float32 [bands, 1 + window // 2]. The tensor is cached, so do not change it."""
    import librosa

    with warnings.catch_warnings():
        # With the smallest windows some bands have no bin; the definition of the loss has them.
        warnings.filterwarnings("ignore", "Empty filters")
        return torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands)).float()


def _pair(x: Sound, y: Sound, rate: int) -> tuple[Tensor, Tensor, int]:
    rates = {s.rate for s in (x, y) if isinstance(s, Clip)}
    if len(rates) > 1:
        raise ValueError(
            f"the sounds have {' and '.join(map(str, sorted(rates)))} samples per second, one rate was expected; "
            "resample one of them"
        )
    a, b = _mono(x), _mono(y)
    if len(a) != len(b):
        raise ValueError(
            f"the sounds hold {len(a)} and {len(b)} samples, equal lengths were expected; cut the longer one"
        )
    return a, b, rates.pop() if rates else rate


def _mono(sound: Sound) -> Tensor:
    samples = torch.as_tensor(sound.samples if isinstance(sound, Clip) else sound).detach().cpu()
    if samples.ndim > 1 and samples.numel() == samples.shape[-1]:
        samples = samples.reshape(-1)
    if samples.ndim != 1 or len(samples) == 0:
        raise ValueError(
            f"a sound of shape {tuple(samples.shape)} was given, one channel of at least one sample was "
            "expected; mix it down or choose a channel"
        )
    return samples
