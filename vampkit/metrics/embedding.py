"""Where a piece of sound lies among others, with nothing to download.

Statistics of its log-mel spectrum, or of a codec's latents.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from vampkit.audio import LEVEL, Clip
from vampkit.codec import Codec
from vampkit.metrics.reconstruction import FLOOR, mel_filters

RATE = 44_100
WINDOW, HOP, BANDS = 2048, 512, 64
FRAMES = 20
"""Frames of one window: 20 x 512 samples are 0.23 s, about a note."""


def log_mel(clip: Clip, level: float | None = LEVEL) -> Float[np.ndarray, "64 frames"]:
    """Log-mel spectrum of a clip, log10 of the magnitude and not below 1e-5.

    Notebook: 11, a1

    Parameters
    ----------
    clip : Clip
        Any rate and number of channels; it is mixed down and read at 44.1 kHz.
    level : float, optional
        LUFS (ITU-R BS.1770) that the clip is brought to first; None leaves it as it is.

    Returns
    -------
    ndarray
        float64 [64, frames], low bands first, a frame every 512 samples (11.6 ms).
    """
    import librosa

    clip = clip.mono().resample(RATE)
    samples = (clip if level is None else clip.at_loudness(level)).samples[0]
    magnitude = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP, pad_mode="reflect"))
    filters = mel_filters(RATE, BANDS, WINDOW).numpy()
    return np.log10(np.maximum(filters @ magnitude, FLOOR)).astype(np.float64)


def logmel_statistics(clip: Clip, level: float | None = LEVEL) -> Float[np.ndarray, "windows 128"]:
    """Mean and deviation of 64 log-mel bands over windows of 0.23 s that do not overlap.

    Our own embedding, deterministic. Distances over it are not "FAD", a name that stands for another network.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        Any rate and number of channels; it is mixed down and read at 44.1 kHz.
    level : float, optional
        LUFS (ITU-R BS.1770) that the clip is brought to first; None leaves it as it is.

    Returns
    -------
    ndarray
        float64 [windows, 128], log10 of the magnitude: 64 means, then 64 standard deviations.

    Raises
    ------
    ValueError
        For a clip shorter than one window.
    """
    clip = clip.mono().resample(RATE)
    require_seconds(clip, FRAMES * HOP / RATE)
    count = clip.samples.shape[1] // (FRAMES * HOP)
    return _window_statistics(log_mel(clip, level), count, FRAMES)


def codec_latents(clip: Clip, codec: Codec, frames: int = 14) -> Float[np.ndarray, "windows dims"]:
    """Mean and deviation of a codec's latents before quantization, over windows that do not overlap.

    It favours sounds that this codec decoded: say whose latents were taken.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        Any rate and number of channels; it is mixed down and brought to -24 LUFS.
    codec : Codec
        Whose encoder is asked.
    frames : int
        Frames of the codec in a window; 14 are 0.24 s.

    Returns
    -------
    ndarray
        float64 [windows, 2 * width]: a mean for each of the encoder's channels, then a standard deviation for each.

    Raises
    ------
    ValueError
        For a clip shorter than one window.
    """
    import torch

    clip = clip.mono().resample(codec.rate)
    require_seconds(clip, frames * codec.hop / codec.rate)
    samples = torch.from_numpy(clip.at_loudness(LEVEL).samples.astype(np.float32))
    count = samples.shape[1] // (codec.hop * frames)
    with torch.inference_mode():
        latents = codec.model.encoder(samples[None, :, : count * frames * codec.hop].to(codec.device))[0]
    return _window_statistics(latents.double().cpu().numpy(), count, frames)


def require_seconds(clip: Clip, least: float) -> None:
    """Refuse a clip that is shorter than `least` seconds."""
    if clip.samples.shape[1] < round(least * clip.rate):
        raise ValueError(
            f"the clip lasts {clip.seconds:.2f} s, at least {least:.2f} s were expected; give a longer one"
        )


def _window_statistics(rows: np.ndarray, count: int, frames: int) -> np.ndarray:
    """Mean and deviation of [rows, frames] over `count` windows of `frames` frames, [count, 2 * rows]."""
    windows = rows[:, : count * frames].reshape(len(rows), count, frames)
    return np.concatenate([windows.mean(-1), windows.std(-1)]).T
