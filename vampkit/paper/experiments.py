"""What the paper's experiments keep and hide, as its code does it, and the token noise that they are compared with.

Notebook: 11
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from jaxtyping import Bool
from torch import Tensor

from vampkit import masks
from vampkit.codec import Tokens
from vampkit.model import MaskedTransformer
from vampkit.sampling import Settings, sample

COARSE = 4
"""Codebooks of the coarse model."""
BITRATE, CODEBOOKS = 8000, 14
"""The codec's bits per second as the paper gives them, and its codebooks."""
PERIODS = (4, 8, 16, 32)


def prompts(tokens: Tokens, beats: Iterable[float] = ()) -> dict[str, Bool[Tensor, "codebooks frames"]]:
    """Make the masks of figures 4 and 5 (paper, section 4.4), and of two traps.

    Only coarse tokens are kept. The paper's code does so too: it makes all fine tokens anew, though the text says that
    every codebook of a kept frame is. "P = 16, fine kept" follows the text. After each beat four frames are kept, as
    the text counts (75 ms; the preset `paper-beats` rounds up to five). "beats by the code" keeps three frames on each
    side, as 37.5 ms are rounded up.

    Notebook: 11

    Parameters
    ----------
    tokens : Tokens
        Tokens of a sound.
    beats : iterable of float
        Times of its beats in seconds.

    Returns
    -------
    dict of str to Tensor
        Masks, bool [codebooks, frames], True = hidden.
    """
    codebooks, frames, rate = tokens.codebooks, tokens.frames, tokens.rate / tokens.hop
    at = [math.ceil(time * rate) for time in beats]
    coarse = {f"P = {period}": masks.periodic(COARSE, frames, period) for period in PERIODS}
    coarse["fine alone"] = masks.empty(COARSE, frames)
    coarse["compression"] = masks.codebooks(COARSE, frames, 1)
    for seconds in (1, 2):
        side = math.ceil(seconds / 2 * rate)
        coarse[f"context {seconds} s"] = masks.gap(COARSE, frames, side, frames - side)
    coarse["beats"] = masks.windows(COARSE, frames, at, 0, 4)
    coarse["beats by the code"] = masks.windows(COARSE, frames, at, 3, 3, reference=True)
    anew = masks.full(codebooks - COARSE, frames)
    found = {name: torch.cat([mask, anew]) for name, mask in coarse.items()}
    return found | {"P = 16, fine kept": masks.periodic(codebooks, frames, 16)}


def nominal_rate(kept: int, period: int) -> float:
    """Compute the bit rate by which figure 5 is labelled: B / (P (N - Nk)).

    The paper prints B / P (N - Nk), which does not give its own labels; this does.

    Notebook: 11

    Parameters
    ----------
    kept : int
        Coarse codebooks that are kept, Nk.
    period : int
        Every P-th frame is kept.

    Returns
    -------
    float
        Bits per second, nominally.
    """
    return BITRATE / (period * (CODEBOOKS - kept))


def true_rate(mask: Bool[Tensor, "codebooks frames"], tokens: Tokens) -> float:
    """Compute the bits per second that a mask really keeps: log2 of the number of entries for each kept token.

    Notebook: 11

    Parameters
    ----------
    mask : Tensor
        bool [codebooks, frames], True = hidden.
    tokens : Tokens
        The tokens that it is for.

    Returns
    -------
    float
        Bits per second.
    """
    seconds = tokens.frames * tokens.hop / tokens.rate
    return math.log2(tokens.entries) * int((~mask).sum()) / seconds


def token_noise(tokens: Tokens, ratio: float, seed: int) -> Tokens:
    """Replace each token with probability `ratio` by any entry: the baseline that the paper describes.

    Notebook: 11

    Parameters
    ----------
    tokens : Tokens
        The tokens.
    ratio : float
        From 0 (none) to 1 (all).
    seed : int
        Seed of the choice.

    Returns
    -------
    Tokens
        Noisy tokens.
    """
    generator = torch.Generator().manual_seed(seed)
    mask = masks.random(*tokens.codes.shape, ratio, generator)
    anything = torch.randint(0, tokens.entries, tokens.codes.shape, generator=generator)
    return tokens.replace(codes=torch.where(mask, anything, tokens.codes))


def one_pass(model: MaskedTransformer, tokens: Tokens, ratio: float, seed: int) -> Tokens:
    """Hide each coarse token with probability `ratio` and guess it in one pass: what the paper's code calls noise.

    Its code runs this under the name of the noise baseline. No coarse-to-fine model follows: the fine tokens stay true.

    Notebook: 11

    Parameters
    ----------
    model : MaskedTransformer
        The coarse model.
    tokens : Tokens
        The tokens.
    ratio : float
        From 0 (none) to 1 (all).
    seed : int
        Seed of the mask and of the guesses.

    Returns
    -------
    Tokens
        The tokens, with the hidden coarse ones guessed.
    """
    codes = tokens.codes[:COARSE]
    mask = masks.random(*codes.shape, ratio, torch.Generator().manual_seed(seed))
    *_, last = sample(model, codes[None], mask[None], [seed], Settings(passes=1))
    return tokens.replace(codes=torch.cat([last.codes[0], tokens.codes[COARSE:]]))
