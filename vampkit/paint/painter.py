"""The painter: two tokenizers, two masked transformers and a judge; from a caption to a picture by the known loop."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor, nn

from vampkit.files import data_folder, read_safetensors, write_safetensors
from vampkit.files.tensors import fill, part_of
from vampkit.paint.captions import Caption
from vampkit.paint.model import NOTHING, SIDE, CoverModel
from vampkit.paint.reader import Reader
from vampkit.paint.tokenizer import Tokenizer, blocks, grid_of
from vampkit.sampling import Settings, sample
from vampkit.weights.models import config_of

FORMAT, PART_FORMAT = "vampkit.painter/1", "vampkit.painter-part/1"
ROWS = 5
"""Codebooks of a cover: one rough token a place, and the four sharp tokens that lie under it."""
PASSES = Settings(passes=24, temperature=0.7, mask_temperature=1.0)  # as many passes as Muse
FINE_PASSES = Settings(
    passes=4, temperature=0.5, mask_temperature=0.0
)  # rough tokens decide nearly all; edges stay straight


@dataclass(frozen=True, eq=False)
class Painter:
    """All that paints: tokens from pictures and back, two models that fill in tokens, and a judge.

    The tokens of a cover are codes [5, 64]: 8 x 8 places row by row, each with a rough token (codebook 1, a patch of
    4 x 4 pixels) and the four sharp tokens under it (codebooks 2 to 5, 2 x 2 pixels each). The base model writes
    codebook 1, the finer model the others given it, as the coarse and the fine model do for music.

    Notebook: 15

    Parameters
    ----------
    rough, sharp : Tokenizer
        Tokenizers with patches of 4 and of 2 pixels.
    base, finer : CoverModel
        The models for codebook 1, and for codebooks 2 to 5 given it.
    reader : Reader
        The judge.
    """

    rough: Tokenizer
    sharp: Tokenizer
    base: CoverModel
    finer: CoverModel
    reader: Reader

    def encode(self, pictures: UInt8[np.ndarray, "batch rows columns 3"]) -> Int[Tensor, "batch codebooks places"]:
        """Turn pictures into tokens.

        Parameters
        ----------
        pictures : UInt8[ndarray, "batch rows columns 3"]
            Pictures of 32 x 32 pixels.

        Returns
        -------
        Tensor
            int64 [batch, 5, 64].
        """
        rough = self.rough.encode(pictures).flatten(1)[:, None]
        return torch.cat([rough, blocks(self.sharp.encode(pictures))], 1)

    def decode(self, codes: Int[Tensor, "batch codebooks places"]) -> UInt8[np.ndarray, "batch rows columns 3"]:
        """Turn tokens into pictures.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks places"]
            All five codebooks; or the first alone, for a rough picture.

        Returns
        -------
        ndarray
            uint8 [batch, 32, 32, 3].
        """
        if codes.shape[1] == 1:
            return self.rough.decode(codes[:, 0].unflatten(1, (SIDE, SIDE)))
        return self.sharp.decode(grid_of(codes[:, 1:]))

    def paint(
        self,
        caption: Caption,
        seeds: Sequence[int],
        guidance: float = 0.5,
        away: Caption = NOTHING,
        settings: Settings = PASSES,
    ) -> Int[Tensor, "batch codebooks places"]:
        """Paint covers from nothing but a caption.

        Parameters
        ----------
        caption : Caption
            What they show; unsaid words are left to chance.
        seeds : sequence of int
            One for each cover.
        guidance : float
            How far the models are pushed from the other caption towards this one.
        away : Caption
            The other caption. The default says nothing.
        settings : Settings
            Of the loop of the base model.

        Returns
        -------
        Tensor
            int64 [covers, 5, 64].
        """
        empty = torch.zeros(len(seeds), ROWS, SIDE * SIDE, dtype=torch.int64)
        hidden = torch.ones(len(seeds), SIDE * SIDE, dtype=torch.bool)
        return self.fill(empty, hidden, caption, seeds, guidance, away, settings)

    def fill(
        self,
        codes: Int[Tensor, "batch codebooks places"],
        hidden: Bool[Tensor, "batch places"],
        caption: Caption,
        seeds: Sequence[int],
        guidance: float = 0.5,
        away: Caption = NOTHING,
        settings: Settings = PASSES,
    ) -> Int[Tensor, "batch codebooks places"]:
        """Fill in places of covers: first their rough tokens, then the sharp ones under them. The others stay.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks places"]
            Covers, [batch, 5, 64].
        hidden : Bool[Tensor, "batch places"]
            True = to be filled in.
        caption, seeds, guidance, away, settings
            As for `paint`.

        Returns
        -------
        Tensor
            int64 [batch, 5, 64].
        """
        told = self.base.told(caption, guidance, away)
        *_, last = sample(told, codes[:, :1], hidden[:, None], seeds, settings)
        codes = torch.cat([last.codes, codes[:, 1:]], 1)
        told = self.finer.told(caption, guidance, away)
        mask = hidden[:, None].expand(-1, ROWS, -1)
        *_, last = sample(told, codes, mask, seeds, FINE_PASSES)
        return last.codes.clone()

    def repaint(
        self,
        codes: Int[Tensor, "batch codebooks places"],
        caption: Caption,
        seeds: Sequence[int],
        rounds: int = 8,
        share: float = 0.5,
        guidance: float = 1.0,
        away: Caption = NOTHING,
    ) -> Int[Tensor, "batch codebooks places"]:
        """Change covers without saying where: hide a random share of the rough tokens, fill it in, and so on.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks places"]
            Covers, [batch, 5, 64].
        caption : Caption
            What they are to show afterwards.
        seeds : sequence of int
            One for each cover.
        rounds : int
            How often tokens are hidden and filled in.
        share : float
            Which share of the tokens is hidden at a time.
        guidance, away
            As for `paint`.

        Returns
        -------
        Tensor
            int64 [batch, 5, 64].
        """
        draws = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        told = self.base.told(caption, guidance, away)
        rough = codes[:, :1]
        for turn in range(rounds):
            hidden = torch.stack([torch.rand(1, SIDE * SIDE, generator=draw) for draw in draws]) < share
            turns = [int(seed) + 1000 * turn for seed in seeds]
            *_, last = sample(told, rough, hidden, turns, Settings(passes=2, mask_temperature=0.0))
            rough = last.codes.clone()
        changed = (rough != codes[:, :1])[:, 0]
        codes = torch.cat([rough, codes[:, 1:]], 1)
        *_, last = sample(
            self.finer.told(caption, guidance, away), codes, changed[:, None].expand(-1, ROWS, -1), seeds, FINE_PASSES
        )
        return last.codes.clone()


def save_painter(painter: Painter, path: str | os.PathLike) -> Path:
    """Write a painter, its matrices in 8 bits.

    Parameters
    ----------
    painter : Painter
        The painter.
    path : str or PathLike
        A .safetensors file.

    Returns
    -------
    Path
        The file.
    """
    parts = {"rough": painter.rough, "sharp": painter.sharp, "base": painter.base, "finer": painter.finer}
    parts |= {"reader": painter.reader}
    weights = {f"{name}.{key}": w for name, part in parts.items() for key, w in part.state_dict().items()}
    settings = {"base": asdict(painter.base.config), "finer": asdict(painter.finer.config)}
    return write_safetensors(weights, path, FORMAT, settings, dtype=torch.int8)


@functools.cache
def load_painter(path: str | os.PathLike | None = None) -> Painter:
    """Load the bundled painter, or one that `vampkit train painter` wrote.

    Notebook: 15

    Parameters
    ----------
    path : str or PathLike, optional
        A file of `save_painter`; None: the bundled one.

    Returns
    -------
    Painter
        The painter in evaluation mode, without gradients. The same path gives the same object.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For another kind of file.
    """
    path = data_folder() / "models" / "painter.safetensors" if path is None else Path(path)
    header, weights = read_safetensors(path, FORMAT)
    base, finer = (config_of(header[name], path) for name in ("base", "finer"))

    def filled(part: nn.Module, name: str) -> nn.Module:
        fill(part, part_of(weights, name), path, "are not this painter's ({}); train it again")
        return part.eval().requires_grad_(False)

    rough, sharp = filled(Tokenizer(4, base.entries), "rough"), filled(Tokenizer(2, base.entries), "sharp")
    return Painter(
        rough,
        sharp,
        filled(CoverModel(base, tables_of(rough, sharp)[:1]), "base"),
        filled(CoverModel(finer, tables_of(rough, sharp)), "finer"),
        filled(Reader(), "reader"),
    )


def tables_of(rough: Tokenizer, sharp: Tokenizer) -> Tensor:
    """The codebooks of a cover, float32 [5, entries, latent]: the rough one, and four times the sharp one."""
    return torch.stack([rough.table, *[sharp.table] * (ROWS - 1)])


def stored(network: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Write a part of a painter, and give it the weights that a file holds: what follows is trained on those."""
    write_safetensors(network.state_dict(), path, PART_FORMAT, {}, dtype=torch.int8)
    return restored(network, path)


def restored(network: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Fill a network with the weights that `stored` wrote."""
    fill(network, read_safetensors(path, PART_FORMAT)[1], Path(path), "are not this part's ({}); delete that file")
    return network.eval().requires_grad_(False)
