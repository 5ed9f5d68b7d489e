"""VGGish, the network of the paper's FAD (section 4), if its weights have been put in place.

The weights are not fetched: they are published elsewhere, with terms of their own. Put the file of torchvggish,
vggish-10086976.pth, into the weights folder of the cache, or name it. Notebook: 11.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.weights.download import cached
from vampkit.weights.pickled import read_pickled

FILE = "vggish-10086976.pth"
RATE, WINDOW, HOP, FFT, BANDS = 16_000, 400, 160, 512, 64
FRAMES = 96
"""Frames of one example: 0.96 s."""


class VGGish(nn.Module):
    """Six convolutions and three linear layers: log-mel examples to vectors of 128 numbers.

    There is no activation after the last layer and no PCA, as in the paper's evaluation. Source: Hershey et al. 2017,
    arXiv 1609.09430; names of the parameters as in torchvggish.

    Notebook: 11
    """

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for width in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool"):
            if isinstance(width, int):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 4 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)
        )

    def forward(self, examples: Float[Tensor, "examples 96 64"]) -> Float[Tensor, "examples 128"]:
        """Embed each example."""
        found = self.features(examples[:, None])
        return self.embeddings(found.permute(0, 2, 3, 1).flatten(1))  # channels last, as the first weights were trained


def load_vggish(path: str | os.PathLike | None = None) -> VGGish:
    """Load VGGish from a file that you have put in place.

    Notebook: 11

    Parameters
    ----------
    path : str or PathLike, optional
        The file; None: vggish-10086976.pth in the weights folder of the cache.

    Returns
    -------
    VGGish
        The network in evaluation mode.

    Raises
    ------
    VampkitError
        If the file is missing, or holds other weights.
    """
    path = cached(FILE) if path is None else Path(path)
    if not path.is_file():
        raise VampkitError(
            f"FAD needs the weights of VGGish, which are not there; put torchvggish's {FILE} at {path}, or use "
            "logmel_statistics, whose distances are not called FAD"
        )
    _, tensors = read_pickled(path)
    weights = {name: value for name, value in tensors.items() if not name.startswith("pproc.")}
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in VGGish().state_dict().items()}
    if {name: tuple(value.shape) for name, value in weights.items()} != shapes:
        raise VampkitError(f"{path.name} does not hold the weights of VGGish; torchvggish's {FILE} was expected")
    model = VGGish()
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model.eval().requires_grad_(False)


def vggish_embedding(clip: Clip, model: VGGish) -> Float[np.ndarray, "examples 128"]:
    """Embed a clip, for the Frechet distance that is called FAD.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels; it is mixed to mono and resampled to 16 kHz. Its level matters.
    model : VGGish
        The network.

    Returns
    -------
    ndarray
        float64 [examples, 128], one example per 0.96 s; a rest is left out.

    Raises
    ------
    ValueError
        For a clip shorter than one example.
    """
    mels = vggish_mels(clip)
    count = mels.shape[0] // FRAMES
    if not count:
        raise ValueError(f"the clip lasts {clip.seconds:.2f} s, at least 0.98 s were expected; give a longer one")
    examples = torch.from_numpy(mels[: count * FRAMES]).view(count, FRAMES, BANDS).float()
    with torch.inference_mode():
        return model(examples).double().numpy()


def vggish_mels(clip: Clip) -> Float[np.ndarray, "frames 64"]:
    """Compute what VGGish reads: the logarithm of 64 mel bands from 125 to 7500 Hz, plus 0.01.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        Any clip.

    Returns
    -------
    ndarray
        float64 [frames, 64], one frame per 10 ms.
    """
    import librosa

    samples = clip.mono().resample(RATE).samples[0].astype(np.float64)
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    magnitude = np.abs(np.fft.rfft(frames * hann, FFT))
    hertz = np.arange(FFT // 2 + 1) * RATE / FFT
    edges = librosa.mel_to_hz(np.linspace(*librosa.hz_to_mel([125.0, 7500.0], htk=True), BANDS + 2), htk=True)
    # Triangles that are straight lines in mel, not in hertz, and without a bin at 0 Hz.
    mel, corner = librosa.hz_to_mel(hertz, htk=True)[:, None], librosa.hz_to_mel(edges, htk=True)
    rise = (mel - corner[:-2]) / (corner[1:-1] - corner[:-2])
    fall = (corner[2:] - mel) / (corner[2:] - corner[1:-1])
    triangles = np.maximum(0, np.minimum(rise, fall))
    triangles[0] = 0
    return np.log(magnitude @ triangles + 0.01)
