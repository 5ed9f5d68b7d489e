"""A small tagger of music.

Genre, instruments and tempo class of 3 s, heard by a CNN that was trained on composed music alone.

What it computes just before it answers is an embedding: sounds that mean the same music to it lie close together.
Nothing is downloaded.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vampkit.audio import LEVEL, Clip
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors
from vampkit.metrics.embedding import BANDS, HOP, RATE, log_mel

FORMAT = "vampkit.tagger/1"
WINDOW = 256
"""Frames of a window: 3 s, two bars of fast music, as a tempo cannot be told from less."""
STEP = 64
"""Frames between the starts of two windows, 0.74 s."""
DIMS = 64
TEMPI = (80.0, 100.0, 120.0, 145.0)
"""Beats a minute that divide the five tempo classes."""
WIDTHS = (16, 32, 64, 96, 192)


class Tags(NamedTuple):
    """Probabilities by name.

    Of genres and of tempo classes (each adding up to 1), and of instruments (each for itself).
    """

    genre: dict[str, float]
    instruments: dict[str, float]
    tempo: dict[str, float]


class Tagger(nn.Module):
    """Five convolutions, each halving time and pitch, a mean and a maximum over time, an embedding of 64 dims, and
    three heads.

    genres, instruments: the names it tells apart. forward takes log-mel spectra [batch, 64, frames] and returns logits
    of genre, instruments and tempo class.
    """

    def __init__(self, genres: tuple[str, ...], instruments: tuple[str, ...]):
        super().__init__()
        self.genres, self.instruments = tuple(genres), tuple(instruments)
        self.norm = nn.BatchNorm1d(BANDS, affine=False)
        layers = []
        for before, width in zip((1, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.layers = nn.Sequential(*layers)
        self.embedding = nn.Linear(2 * WIDTHS[-1] * (BANDS // 2 ** len(WIDTHS)), DIMS)
        self.heads = nn.ModuleList(
            nn.Linear(DIMS, n) for n in (len(self.genres), len(self.instruments), len(TEMPI) + 1)
        )

    def embed(self, spectra: Float[Tensor, "batch 64 frames"]) -> Float[Tensor, "batch 64"]:
        """The embedding of each spectrum."""
        seen = self.layers(self.norm(spectra)[:, None]).flatten(1, 2)
        return self.embedding(torch.cat([seen.mean(-1), seen.amax(-1)], 1))

    def forward(self, spectra: Float[Tensor, "batch 64 frames"]) -> list[Tensor]:
        seen = torch.relu(self.embed(spectra))
        return [head(seen) for head in self.heads]


def tagger_embedding(clip: Clip, tagger: Tagger | None = None) -> Float[np.ndarray, "windows 64"]:
    """What the tagger hears in each window of 3 s, one every 0.74 s, float64 [windows, 64].

    clip: any rate and number of channels, mixed down and brought to -24 LUFS. tagger: one of `load_tagger` (None: the
    bundled one). It knows composed music only: it orders degradations, and tells little of style in real music.

    Raises ValueError for a clip shorter than one window. Notebook: 11.
    """
    network = tagger or load_tagger()
    with torch.inference_mode():
        return network.embed(_windows(clip)).double().numpy()


def tags(clip: Clip, tagger: Tagger | None = None) -> Tags:
    """What the tagger takes a clip for, the mean of its probabilities over all windows.

    Raises ValueError for a clip shorter than 3 s. Notebook: 11.
    """
    network = tagger or load_tagger()
    with torch.inference_mode():
        genre, instruments, tempo = network(_windows(clip))
    edges = ["0", *(f"{t:g}" for t in TEMPI), "inf"]
    names = network.genres, network.instruments, [f"{a} to {b}" for a, b in zip(edges[:-1], edges[1:], strict=True)]
    found = genre.softmax(-1).mean(0), instruments.sigmoid().mean(0), tempo.softmax(-1).mean(0)
    return Tags(*(dict(zip(n, f.tolist(), strict=True)) for n, f in zip(names, found, strict=True)))


def _windows(clip: Clip) -> Float[Tensor, "windows 64 256"]:
    spectrum = torch.from_numpy(log_mel(clip, LEVEL)).float()
    if spectrum.shape[1] < WINDOW:
        raise ValueError(
            f"the clip lasts {clip.seconds:.2f} s, at least {(WINDOW - 1) * HOP / RATE:.2f} s were expected; give a longer one"
        )
    return spectrum.unfold(1, WINDOW, STEP).transpose(0, 1)


def save_tagger(tagger: Tagger, path: str | os.PathLike, weights: dict[str, Tensor] | None = None) -> Path:
    """Write a tagger in half precision, with the names it tells apart.

    weights: another state dict to write, such as an average.
    """
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        k: v.detach().to(torch.float16 if v.is_floating_point() else v.dtype).contiguous()
        for k, v in (weights or tagger.state_dict()).items()
    }
    part = path.with_name(path.name + ".part")
    save_file(
        state,
        part,
        metadata={
            "format": FORMAT,
            "settings": json.dumps({"genres": tagger.genres, "instruments": tagger.instruments}),
        },
    )
    part.replace(path)
    return path


@functools.cache
def load_tagger(path: str | os.PathLike | None = None) -> Tagger:
    """The bundled tagger, or one that `vampkit train tagger` wrote.

    Raises FileNotFoundError, VampkitError for another kind of file. Notebook: 11.
    """
    from vampkit.files import data_folder

    path = data_folder() / "models" / "tagger.safetensors" if path is None else Path(path)
    header, weights = read_safetensors(path, FORMAT)
    tagger = Tagger(header["genres"], header["instruments"])
    try:
        tagger.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
    except RuntimeError as error:
        raise VampkitError(
            f"the weights in {path.name} are not this tagger's ({str(error).splitlines()[-1].strip()}); train it again"
        ) from None
    return tagger.eval().requires_grad_(False)
