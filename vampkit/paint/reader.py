"""A small classifier that reads the words of a caption back from a picture: the judge of what was painted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor, nn

from vampkit.paint.captions import SLOTS, Caption

WIDTHS = (16, 24, 32)


class Reader(nn.Module):
    """Three convolutions, each halving the picture, and a head for each slot of a caption.

    Called on pictures [batch, rows, columns, 3], it returns logits [batch, words] for each slot.

    Notebook: 15
    """

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.GroupNorm(4, width), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers)
        self.heads = nn.ModuleList(nn.Linear(16 * WIDTHS[-1], len(words)) for words in SLOTS.values())

    def forward(self, pictures: UInt8[Tensor, "batch rows columns 3"]) -> list[Tensor]:
        """Compute the logits of each slot."""
        features = self.layers(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1).flatten(1)
        return [head(features) for head in self.heads]

    @torch.inference_mode()
    def read(self, pictures: UInt8[np.ndarray, "batch rows columns 3"]) -> list[Caption]:
        """Read the likeliest caption of each picture.

        Parameters
        ----------
        pictures : UInt8[ndarray, "batch rows columns 3"]
            Pictures, 0 to 255.

        Returns
        -------
        list of Caption
            Whole captions.
        """
        best = [logits.argmax(-1).tolist() for logits in self(torch.as_tensor(pictures))]
        return [
            Caption(**{slot: words[row] for (slot, words), row in zip(SLOTS.items(), found, strict=True)})
            for found in zip(*best, strict=True)
        ]


def agreement(found: Sequence[Caption], wanted: Sequence[Caption]) -> Bool[np.ndarray, "covers slots"]:
    """Compare captions word by word. A word that was not said is always right.

    Notebook: 15

    Parameters
    ----------
    found : sequence of Caption
        What was read.
    wanted : sequence of Caption
        What was said.

    Returns
    -------
    ndarray
        bool [covers, 5]: genre, tempo, tonic, mode, energy.
    """
    rows = [
        [getattr(b, slot) in (None, getattr(a, slot)) for slot in SLOTS] for a, b in zip(found, wanted, strict=True)
    ]
    return np.array(rows)
