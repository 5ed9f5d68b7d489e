"""What can be known without the model: the spectrum, a chroma filter, the rhythm, the codec's latents.

All have a row for each frame of the tokens, so that a probe sees them as it sees hidden states. Notebook: 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vampkit.audio import Clip
from vampkit.codec import Codec
from vampkit.controls import curves

BANDS, WINDOW = 64, 2048
LAGS = np.arange(12, 120, 2)
"""Lags of `tempogram` in frames: 0.2 to 2 s."""


@dataclass(frozen=True, eq=False)
class Heard:
    """A sound as the codec and the filters hear it.

    Notebook: 13

    Parameters
    ----------
    codes : Tensor
        Codes, int64 [codebooks, frames].
    features : dict of str to ndarray
        "mel" [frames, 64], "chroma" [frames, 12], "rhythm" [frames, 3], "latents" [frames, width]; float32.
    """

    codes: Tensor
    features: dict[str, np.ndarray]


@torch.inference_mode()
def hear(clip: Clip, codec: Codec) -> Heard:
    """Encode a short clip, and compute the features that a probe of the model is compared with.

    Notebook: 13

    Parameters
    ----------
    clip : Clip
        A sound of some seconds; it is mixed to mono and scaled to -24 LUFS.
    codec : Codec
        The codec.

    Returns
    -------
    Heard
        Codes and features, all with the same number of frames.
    """
    samples = curves.prepared(clip)
    frames = curves.frames_of(len(samples))
    whole = torch.from_numpy(np.pad(samples, (0, frames * codec.hop - len(samples)))).to(codec.device)
    latents = codec.model.encoder(whole[None, None])  # before quantization, so the encoder runs only once
    codes = codec.model.quantizer(latents)[1][0].cpu()
    features = {
        "mel": _mel(samples, frames),
        "chroma": curves.harmony(samples).T,
        "rhythm": curves.rhythm(samples).T,
        "latents": latents[0].T.float().cpu().numpy(),
    }
    return Heard(codes, features)


def _mel(samples: np.ndarray, frames: int) -> Float[np.ndarray, "frames 64"]:
    import librosa

    side = (WINDOW - curves.HOP) // 2
    padded = np.pad(samples, (side, WINDOW + curves.HOP))
    settings = dict(n_fft=WINDOW, hop_length=curves.HOP, center=False, power=1.0, n_mels=BANDS)
    power = librosa.feature.melspectrogram(y=padded, sr=curves.RATE, **settings)[:, :frames]
    return np.log10(np.maximum(power.T, 1e-4)).astype(np.float32)


def pooled(rows: Float[np.ndarray, "frames dims"]) -> Float[np.ndarray, "1 twice_dims"]:
    """Pool over time: the mean of each number, then its standard deviation.

    Notebook: 13

    Parameters
    ----------
    rows : ndarray
        A row for each frame, [frames, dims].

    Returns
    -------
    ndarray
        [1, 2 * dims].
    """
    rows = np.asarray(rows, np.float32)
    return np.concatenate([rows.mean(0), rows.std(0)])[None]


def around(rows: Float[np.ndarray, "frames dims"], side: int = 4, step: int = 6) -> Float[np.ndarray, "frames many"]:
    """Put the frames before and after beside each frame, so that a filter sees as much as a second of sound.

    Notebook: 13

    Parameters
    ----------
    rows : ndarray
        A row for each frame, [frames, dims].
    side : int
        Number of frames on each side.
    step : int
        Distance of these frames; at the ends the first and last frame are repeated.

    Returns
    -------
    ndarray
        [frames, (2 * side + 1) * dims].
    """
    places = np.arange(len(rows))[:, None] + step * np.arange(-side, side + 1)
    return rows[places.clip(0, len(rows) - 1)].reshape(len(rows), -1)


def smoothed(rows: Float[np.ndarray, "frames dims"], side: int = 29) -> Float[np.ndarray, "frames dims"]:
    """Average each number over the frames around; 29 on each side are a second.

    Notebook: 13

    Parameters
    ----------
    rows : ndarray
        A row for each frame, [frames, dims].
    side : int
        Number of frames on each side.

    Returns
    -------
    ndarray
        [frames, dims].
    """
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(np.asarray(rows, np.float64), 2 * side + 1, axis=0, mode="nearest").astype(np.float32)


def tempogram(rhythm: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "1 lags"]:
    """How alike the rhythm is to itself some frames later: its autocorrelation, summed over the three bands.

    Notebook: 13

    Parameters
    ----------
    rhythm : ndarray
        The rhythm curves, [frames, 3].

    Returns
    -------
    ndarray
        [1, lags], one number for each of `LAGS`.
    """
    centred = rhythm - rhythm.mean(0)
    whole = np.maximum(np.square(centred).sum(), 1e-6)
    return np.array([[(centred[lag:] * centred[: len(centred) - lag]).sum() / whole for lag in LAGS]], np.float32)
