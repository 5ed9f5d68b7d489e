"""A small music tagger: a CNN that predicts genre, instruments and tempo of 3 s of sound.

It is trained only on composed music. The vector before its three heads is used as an embedding: similar music has
similar vectors. Nothing is downloaded.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vampkit.audio import LEVEL, Clip
from vampkit.files import data_folder, read_safetensors, write_safetensors
from vampkit.files.tensors import fill
from vampkit.metrics.embedding import BANDS, HOP, RATE, log_mel, require_seconds

FORMAT = "vampkit.tagger/1"
WINDOW = 256
"""Frames of a window: 3 s, two bars of fast music. The tempo cannot be told from less."""
STEP = 64
"""Frames between the starts of two windows, 0.74 s."""
DIMS = 64
"""Width of the embedding."""
TEMPI = (80.0, 100.0, 120.0, 145.0)
"""Borders between the five tempo classes, in beats per minute."""
WIDTHS = (16, 32, 64, 96, 192)
"""Channels of the five convolutions."""


class Tags(NamedTuple):
    """Probabilities by name, 0 to 1.

    Notebook: 11

    Parameters
    ----------
    genre : dict of str to float
        Probability of each genre. The sum is 1.
    instruments : dict of str to float
        Probability that each instrument is present.
    tempo : dict of str to float
        Probability of each tempo class, such as "80 to 100" (beats per minute). The sum is 1.
    """

    genre: dict[str, float]
    instruments: dict[str, float]
    tempo: dict[str, float]


class Tagger(nn.Module):
    """Five convolutions, mean and maximum over time, an embedding of 64 dims, and three heads.

    Each convolution halves time and pitch. Called on log-mel spectra [batch, 64, frames], it returns logits [batch,
    names] of genre, of instruments and of tempo class.

    Notebook: 11

    Parameters
    ----------
    genres : tuple of str
        Names of the genres.
    instruments : tuple of str
        Names of the instruments.
    """

    def __init__(self, genres: tuple[str, ...], instruments: tuple[str, ...]):
        super().__init__()
        self.genres, self.instruments = tuple(genres), tuple(instruments)
        self.norm = nn.BatchNorm1d(BANDS, affine=False)
        layers = []
        for before, width in zip((1, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers)
        self.embedding = nn.Linear(2 * WIDTHS[-1] * (BANDS // 2 ** len(WIDTHS)), DIMS)
        sizes = (len(self.genres), len(self.instruments), len(TEMPI) + 1)
        self.heads = nn.ModuleList(nn.Linear(DIMS, n) for n in sizes)

    def embed(self, spectra: Float[Tensor, "batch 64 frames"]) -> Float[Tensor, "batch 64"]:
        """Compute the embedding of each spectrum.

        Parameters
        ----------
        spectra : Float[Tensor, "batch 64 frames"]
            Log-mel spectra from `log_mel`, with at least 32 frames.

        Returns
        -------
        Tensor
            float32 [batch, 64].
        """
        features = self.layers(self.norm(spectra)[:, None]).flatten(1, 2)
        return self.embedding(torch.cat([features.mean(-1), features.amax(-1)], 1))

    def forward(self, spectra: Float[Tensor, "batch 64 frames"]) -> list[Tensor]:
        features = torch.relu(self.embed(spectra))
        return [head(features) for head in self.heads]


def tagger_embedding(clip: Clip, tagger: Tagger | None = None) -> Float[np.ndarray, "windows 64"]:
    """Compute the embedding of windows of 3 s, one every 0.74 s.

    The bundled tagger was trained only on composed music. Its embedding shows how degraded a sound is, but tells little
    about the style of real music.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels. It is mixed to mono and scaled to -24 LUFS.
    tagger : Tagger, optional
        A tagger from `load_tagger`; None: the bundled one.

    Returns
    -------
    ndarray
        float64 [windows, 64].

    Raises
    ------
    ValueError
        For a clip shorter than one window.
    """
    network = tagger or load_tagger()
    with torch.inference_mode():
        return network.embed(_windows(clip)).double().numpy()


def tags(clip: Clip, tagger: Tagger | None = None) -> Tags:
    """Predict genre, instruments and tempo of a clip: the mean of the probabilities over windows of 3 s.

    Notebook: 11

    Parameters
    ----------
    clip : Clip
        A clip of any rate and number of channels. It is mixed to mono and scaled to -24 LUFS.
    tagger : Tagger, optional
        A tagger from `load_tagger`; None: the bundled one.

    Returns
    -------
    Tags
        Probabilities of genres, instruments and tempo classes by name.

    Raises
    ------
    ValueError
        For a clip shorter than one window.
    """
    network = tagger or load_tagger()
    with torch.inference_mode():
        genre, instruments, tempo = network(_windows(clip))
    edges = ["0", *(f"{t:g}" for t in TEMPI), "inf"]
    tempo_names = [f"{low} to {high}" for low, high in pairwise(edges)]

    def by_name(names: Sequence[str], probabilities: Tensor) -> dict[str, float]:
        return dict(zip(names, probabilities.mean(0).tolist(), strict=True))

    return Tags(
        by_name(network.genres, genre.softmax(-1)),
        by_name(network.instruments, instruments.sigmoid()),
        by_name(tempo_names, tempo.softmax(-1)),
    )


def _windows(clip: Clip) -> Float[Tensor, "windows 64 256"]:
    clip = clip.mono().resample(RATE)
    require_seconds(clip, (WINDOW - 1) * HOP / RATE)
    return torch.from_numpy(log_mel(clip, LEVEL)).float().unfold(1, WINDOW, STEP).transpose(0, 1)


def save_tagger(tagger: Tagger, path: str | os.PathLike, weights: dict[str, Tensor] | None = None) -> Path:
    """Write a tagger in half precision, with the names of its genres and instruments.

    Notebook: 11

    Parameters
    ----------
    tagger : Tagger
        The network.
    path : str or PathLike
        A safetensors file.
    weights : state dict, optional
        Other weights to write instead of the tagger's own, such as an average.

    Returns
    -------
    Path
        The file.
    """
    state = weights or tagger.state_dict()
    halved = {name: w.half() if w.is_floating_point() else w for name, w in state.items()}
    return write_safetensors(halved, path, FORMAT, {"genres": tagger.genres, "instruments": tagger.instruments})


@functools.cache
def load_tagger(path: str | os.PathLike | None = None) -> Tagger:
    """Load the bundled tagger, or one that `vampkit train tagger` wrote.

    Notebook: 11

    Parameters
    ----------
    path : str or PathLike, optional
        A file of `save_tagger`; None: the bundled one.

    Returns
    -------
    Tagger
        The tagger in evaluation mode, without gradients. The same path gives the same object.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For another kind of file.
    """
    path = data_folder() / "models" / "tagger.safetensors" if path is None else Path(path)
    header, weights = read_safetensors(path, FORMAT)
    tagger = Tagger(header["genres"], header["instruments"])
    fill(tagger, weights, path, "are not this tagger's ({}); train it again")
    return tagger.eval().requires_grad_(False)
