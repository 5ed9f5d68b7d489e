"""Embeddings of sound, without downloads: statistics of the log-mel spectrum, or of the latents of a codec."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from vampkit.audio import LEVEL, Clip
from vampkit.codec import Codec
from vampkit.metrics.reconstruction import FLOOR, mel_filters

RATE = 44_100
WINDOW, HOP, BANDS = 2048, 512, 64
FRAMES = 20
"""Frames of one window: 20 x 512 samples are 0.23 s, about the length of a note."""


def log_mel(clip: Clip, level: float | None = LEVEL) -> Float[np.ndarray, "64 frames"]:
    """Compute the log-mel spectrum of a clip: log10 of magnitudes, which are clamped at 1e-5.

    Notebook: 11, a1

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels. It is mixed to mono and resampled to 44.1 kHz.
    level : float, optional
        Loudness in LUFS (ITU-R BS.1770) to which the clip is scaled first; None: no scaling.

    Returns
    -------
    ndarray
        float64 [64, frames], low bands first, one frame per 512 samples (11.6 ms).
    """
    import librosa

    clip = clip.mono().resample(RATE)
    samples = (clip if level is None else clip.at_loudness(level)).samples[0]
    magnitude = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP, pad_mode="reflect"))
    filters = mel_filters(RATE, BANDS, WINDOW).numpy()
    return np.log10(np.maximum(filters @ magnitude, FLOOR)).astype(np.float64)


def logmel_statistics(clip: Clip, level: float | None = LEVEL) -> Float[np.ndarray, "windows 128"]:
    """Compute mean and standard deviation of 64 log-mel bands over windows of 0.23 s, without overlap.

    This simple embedding is our own. Do not call distances of it "FAD": that name is used with a certain network.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels. It is mixed to mono and resampled to 44.1 kHz.
    level : float, optional
        Loudness in LUFS (ITU-R BS.1770) to which the clip is scaled first; None: no scaling.

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
    """Compute mean and standard deviation of a codec's latents before quantization, over windows without overlap.

    Sounds that the same codec decoded get better values. So always report which codec was used.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels. It is mixed to mono and scaled to -24 LUFS.
    codec : Codec
        The codec whose encoder is used.
    frames : int
        Length of a window in frames of the codec; 14 are 0.24 s.

    Returns
    -------
    ndarray
        float64 [windows, 2 * width]: the mean of each channel of the encoder, then the standard deviation of each.

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
    """Raise ValueError if a clip is shorter than `least` seconds."""
    if clip.samples.shape[1] < round(least * clip.rate):
        raise ValueError(
            f"the clip lasts {clip.seconds:.2f} s, at least {least:.2f} s were expected; give a longer one"
        )


def _window_statistics(rows: np.ndarray, count: int, frames: int) -> np.ndarray:
    """Mean and standard deviation of [rows, frames] over `count` windows of `frames` frames, [count, 2 * rows]."""
    windows = rows[:, : count * frames].reshape(len(rows), count, frames)
    return np.concatenate([windows.mean(-1), windows.std(-1)]).T
