"""From pictures to tokens and back: a convolutional encoder, one codebook, a convolutional decoder.

What `vampkit.codec` is for sound, on a grid instead of a line.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

LATENT = 8


class Residual(nn.Module):
    """x + a 3 x 3 convolution of gelu(x)."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch width rows columns"]) -> Float[Tensor, "batch width rows columns"]:
        """Add what the neighbours say."""
        return x + self.conv(F.gelu(x))


class Tokenizer(nn.Module):
    """Turns pictures into a grid of tokens, each for a patch of `patch` x `patch` pixels, and tokens into pictures.

    Notebook: 15

    Parameters
    ----------
    patch : int
        Side of the patch of one token, in pixels.
    entries : int
        Entries in the codebook.
    width : int
        Channels of the convolutions.
    """

    def __init__(self, patch: int, entries: int, width: int = 32):
        super().__init__()
        self.patch, self.entries = patch, entries
        # The encoder sees a patch alone, so that equal patches are equal tokens; the decoder sees their neighbours too.
        self.encoder = nn.Sequential(
            *(nn.Conv2d(3, width, patch, stride=patch), nn.GELU(), nn.Conv2d(width, width, 1), nn.GELU()),
            nn.Conv2d(width, LATENT, 1),
        )
        self.decoder = nn.Sequential(
            *(nn.Conv2d(LATENT, width, 3, padding=1), Residual(width), Residual(width)),
            *(nn.GELU(), nn.Conv2d(width, 3 * patch * patch, 1), nn.PixelShuffle(patch)),
        )
        self.register_buffer("table", F.normalize(torch.randn(entries, LATENT), dim=-1))

    def latents(self, pictures: UInt8[Tensor, "batch rows columns 3"]) -> Float[Tensor, "batch y x latent"]:
        """Compute the vector of each patch, of length 1, before it is rounded to an entry.

        Parameters
        ----------
        pictures : UInt8[Tensor, "batch rows columns 3"]
            Pictures, 0 to 255.

        Returns
        -------
        Tensor
            float32 [batch, y, x, latent].
        """
        pixels = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        return F.normalize(self.encoder(pixels), dim=1).permute(0, 2, 3, 1)

    def nearest(self, latents: Float[Tensor, "*places latent"]) -> Int[Tensor, "*places"]:
        """Find the entry with the smallest angle to each vector.

        Parameters
        ----------
        latents : Float[Tensor, "*places latent"]
            Vectors of length 1.

        Returns
        -------
        Tensor
            int64 [..], the numbers of the entries.
        """
        return (latents @ self.table.T).argmax(-1)

    def pixels(self, vectors: Float[Tensor, "batch y x latent"]) -> Float[Tensor, "batch 3 rows columns"]:
        """Decode vectors to pictures, -1 to 1.

        Parameters
        ----------
        vectors : Float[Tensor, "batch y x latent"]
            Entries of the codebook, or what stands for them in training.

        Returns
        -------
        Tensor
            float32 [batch, 3, rows, columns].
        """
        return self.decoder(vectors.permute(0, 3, 1, 2))

    @torch.inference_mode()
    def encode(self, pictures: UInt8[np.ndarray, "batch rows columns 3"]) -> Int[Tensor, "batch y x"]:
        """Turn pictures into tokens.

        Parameters
        ----------
        pictures : UInt8[ndarray, "batch rows columns 3"]
            Pictures, 0 to 255.

        Returns
        -------
        Tensor
            int64 [batch, y, x].
        """
        return self.nearest(self.latents(torch.as_tensor(pictures)))

    @torch.inference_mode()
    def decode(self, codes: Int[Tensor, "batch y x"]) -> UInt8[np.ndarray, "batch rows columns 3"]:
        """Turn tokens into pictures.

        Parameters
        ----------
        codes : Int[Tensor, "batch y x"]
            Numbers of entries.

        Returns
        -------
        ndarray
            uint8 [batch, rows, columns, 3].
        """
        pixels = (self.pixels(self.table[codes]) + 1) * 127.5
        return pixels.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def blocks(grid: Int[Tensor, "batch y x"], side: int = 2) -> Int[Tensor, "batch block places"]:
    """Gather the tokens of a fine grid that lie under each token of a coarse one.

    Notebook: 15

    Parameters
    ----------
    grid : Int[Tensor, "batch y x"]
        Tokens of the fine grid.
    side : int
        How many fine tokens lie along the side of a coarse one.

    Returns
    -------
    Tensor
        int64 [batch, side * side, places]: one row for each corner, one column for each coarse token, row by row.
    """
    parts = grid.unflatten(2, (-1, side)).unflatten(1, (-1, side))  # [batch, y, side, x, side]
    return parts.permute(0, 2, 4, 1, 3).flatten(3).flatten(1, 2)


def grid_of(rows: Int[Tensor, "batch block places"], side: int = 2) -> Int[Tensor, "batch y x"]:
    """Put `blocks` back into a square grid.

    Notebook: 15

    Parameters
    ----------
    rows : Int[Tensor, "batch block places"]
        What `blocks` gave.
    side : int
        How many fine tokens lie along the side of a coarse one.

    Returns
    -------
    Tensor
        int64 [batch, y, x].
    """
    across = round(rows.shape[-1] ** 0.5)
    parts = rows.unflatten(2, (across, across)).unflatten(1, (side, side))  # [batch, side, side, y, x]
    return parts.permute(0, 3, 1, 4, 2).flatten(3).flatten(1, 2)
