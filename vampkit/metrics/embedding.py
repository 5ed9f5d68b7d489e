"""Where a piece of sound lies among others, with nothing to download.

Statistics of its log-mel spectrum, or of a codec's latents.
"""

from __future__ import annotations

import functools
import warnings

import numpy as np
from jaxtyping import Float

from vampkit.audio import LEVEL, Clip
from vampkit.codec import Codec

RATE = 44_100
WINDOW, HOP, BANDS = 2048, 512, 64
FRAMES = 20
"""Frames of one window: 20 x 512 samples are 0.23 s, about a note."""
FLOOR = 1e-5


def log_mel(clip: Clip, level: float | None = LEVEL) -> Float[np.ndarray, "64 frames"]:
    """Log-mel spectrum, a frame every 512 samples at 44.1 kHz, float64 [64, frames], in powers of ten of the magnitude
    and not below 1e-5.

    clip: any rate and number of channels, mixed down. level: LUFS it is brought to first (None leaves it as it is).
    Notebook: 11.
    """
    import librosa

    clip = clip.mono().resample(RATE)
    samples = (clip if level is None else clip.at_loudness(level)).samples[0]
    magnitude = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP, pad_mode="reflect"))
    return np.log10(np.maximum(_filters() @ magnitude, FLOOR)).astype(np.float64)


def logmel_statistics(clip: Clip, level: float | None = LEVEL) -> Float[np.ndarray, "windows 128"]:
    """Mean and deviation of 64 log-mel bands over windows of 0.23 s that do not overlap, float64 [windows, 128].

    clip: any rate and number of channels, mixed down. level: LUFS it is brought to first (None leaves it as it is).
    The first 64 columns are means, the others deviations, in powers of ten of the magnitude.

    Raises ValueError for a clip shorter than one window.
    Source: our own, deterministic, nothing to download; distances over it are not "FAD", which names another network.
    Notebook: 11.
    """
    clip = clip.mono().resample(RATE)
    if clip.samples.shape[1] < FRAMES * HOP:
        raise ValueError(
            f"the clip lasts {clip.seconds:.2f} s, at least {FRAMES * HOP / RATE:.2f} s were expected; give a "
            "longer one"
        )
    count = clip.samples.shape[1] // (FRAMES * HOP)
    windows = log_mel(clip, level)[:, : count * FRAMES].reshape(BANDS, count, FRAMES)
    return np.concatenate([windows.mean(-1), windows.std(-1)]).T


def codec_latents(clip: Clip, codec: Codec, frames: int = 14) -> Float[np.ndarray, "windows dims"]:
    """Mean and deviation of what a codec's encoder says before its quantizer, over windows that do not overlap, float64
    [windows, 2 * width].

    clip: any rate and number of channels, mixed down and brought to -24 LUFS. frames: of the codec, a window; 14 are
    0.24 s. It favours sounds that this codec decoded: say whose latents were taken.

    Raises ValueError for a clip shorter than one window. Notebook: 11.
    """
    import torch

    samples = torch.from_numpy(clip.mono().resample(codec.rate).at_loudness(LEVEL).samples.astype(np.float32))
    count = samples.shape[1] // (codec.hop * frames)
    if not count:
        raise ValueError(
            f"the clip lasts {clip.seconds:.2f} s, at least {frames * codec.hop / codec.rate:.2f} s were expected; give a longer one"
        )
    with torch.inference_mode():
        latents = codec.model.encoder(samples[None, :, : count * frames * codec.hop].to(codec.device))[0]
    windows = latents.double().cpu().numpy()[:, : count * frames].reshape(len(latents), count, frames)
    return np.concatenate([windows.mean(-1), windows.std(-1)]).T


@functools.cache
def _filters() -> np.ndarray:
    import librosa

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Empty filters")
        return librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS)
