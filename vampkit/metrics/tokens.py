"""How well tokens are predicted, and how well a codec uses its entries."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

ITEM_STEP = 1_000_003
"""Distance between the seeds of two items: an item hides the same tokens whatever the batch around it."""


def masked_cross_entropy(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    ratio: float = 0.5,
    seed: int = 0,
    *,
    by_item: bool = False,
    batch: int = 4,
) -> Tensor:
    """Mean -log p of hidden tokens, by predicted codebook.

    Source: paper (arXiv 2307.04686), equation 1, without label smoothing.

    Notebook: 01, 04

    Parameters
    ----------
    model : MaskedTransformer
        It is put into evaluation mode while it is asked.
    codes : Int[Tensor, "batch codebooks frames"]
        True tokens; codebooks beyond the model's are left out.
    ratio : float
        Mask ratio: the fraction of each item's predicted tokens that is hidden, at random, above 0 and at most 1.
    seed : int
        Which tokens are hidden; item i of any batch hides the same ones.
    by_item : bool
        Give every item's own mean, for intervals over clips, instead of one over all hidden tokens.
    batch : int
        Items that the model is asked about at once.

    Returns
    -------
    Tensor
        Nats, float64 [predicted codebooks], or [batch, predicted codebooks] by item.

    Raises
    ------
    ValueError
        For a ratio outside (0, 1], or codes with too few codebooks.
    """
    return _mean_over_hidden(
        model, codes, ratio, seed, by_item, batch, lambda logits, true: F.cross_entropy(logits, true, reduction="none")
    )


def masked_accuracy(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    ratio: float = 0.5,
    seed: int = 0,
    *,
    by_item: bool = False,
    batch: int = 4,
) -> Tensor:
    """Fraction of hidden tokens whose most probable entry is the true one, by predicted codebook.

    Notebook: 04

    Parameters
    ----------
    model : MaskedTransformer
        As in `masked_cross_entropy`, which hides the same tokens.
    codes : Int[Tensor, "batch codebooks frames"]
        True tokens; codebooks beyond the model's are left out.
    ratio : float
        Mask ratio, above 0 and at most 1.
    seed : int
        Which tokens are hidden.
    by_item : bool
        Give every item's own fraction instead of one over all hidden tokens.
    batch : int
        Items that the model is asked about at once.

    Returns
    -------
    Tensor
        0 to 1, float64 [predicted codebooks], or [batch, predicted codebooks] by item.

    Raises
    ------
    ValueError
        For a ratio outside (0, 1], or codes with too few codebooks.
    """
    return _mean_over_hidden(
        model, codes, ratio, seed, by_item, batch, lambda logits, true: (logits.argmax(-1) == true).float()
    )


@torch.inference_mode()
def _mean_over_hidden(
    model: nn.Module, codes: Tensor, ratio: float, seed: int, by_item: bool, batch: int, score: Callable
) -> Tensor:
    """Mean over hidden tokens of score(logits [tokens, entries], codes [tokens]) -> [tokens]."""
    if not 0 < ratio <= 1:
        raise ValueError(f"the ratio is {ratio}, more than 0 and at most 1 was expected")
    first, count = model.config.conditioning, model.config.codebooks
    if codes.ndim != 3 or codes.shape[1] < count:
        raise ValueError(
            f"codes of shape {tuple(codes.shape)} were given, [batch, at least {count} codebooks, frames] was expected"
        )
    codes, was_training = codes[:, :count], model.training
    device = next(model.parameters()).device
    mask = torch.zeros(codes.shape, dtype=torch.bool)
    for i in range(len(codes)):
        mask[i, first:] = _hide_exactly(count - first, codes.shape[2], ratio, seed + ITEM_STEP * i)
    sums = torch.zeros(len(codes), count - first, dtype=torch.float64)
    model.eval()
    for start in range(0, len(codes), batch):
        part, hidden = codes[start : start + batch].to(device), mask[start : start + batch].to(device)
        logits = model(part, hidden).float()
        scores = score(logits.flatten(0, -2), part[:, first:].flatten())
        scores = scores.view(part[:, first:].shape) * hidden[:, first:]
        sums[start : start + batch] = scores.sum(-1).double().cpu()
    model.train(was_training)
    hidden_tokens = mask[:, first:].sum(-1)
    return sums / hidden_tokens if by_item else sums.sum(0) / hidden_tokens.sum(0)


def _hide_exactly(codebooks: int, frames: int, ratio: float, seed: int) -> Tensor:
    """Exactly round(ratio * tokens) hidden tokens, at least one, bool [codebooks, frames]."""
    tokens = codebooks * frames
    order = torch.randperm(tokens, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(tokens, dtype=torch.bool)
    mask[order[: max(1, round(ratio * tokens))]] = True
    return mask.view(codebooks, frames)


def entry_counts(
    codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024
) -> Int[Tensor, "codebooks entries"]:
    """How often each entry of each codebook occurs.

    Notebook: 01

    Parameters
    ----------
    codes : Int[Tensor, "*batch codebooks frames"]
        Tokens of one clip or of a batch.
    entries : int
        Entries of a codebook.

    Returns
    -------
    Tensor
        int64 [codebooks, entries].
    """
    rows = codes.movedim(-2, 0).flatten(1).long()
    return torch.stack([torch.bincount(row, minlength=entries) for row in rows])


def unigram_cross_entropy(
    codes: Int[Tensor, "batch codebooks frames"],
    counts: Tensor | None = None,
    *,
    entries: int = 1024,
    by_item: bool = False,
) -> Tensor:
    """Mean -log p under a table of frequencies, by codebook: what one knows of a token without looking around it.

    Notebook: 04

    Parameters
    ----------
    codes : Int[Tensor, "batch codebooks frames"]
        True tokens.
    counts : Tensor, optional
        `entry_counts` [codebooks, entries] of other tokens (those of the training), to which one is added each. None:
        of the given codes themselves, which no unigram can beat: too strong a baseline, above all for few codes.
    entries : int
        Entries of a codebook.
    by_item : bool
        Give every item's own mean instead of one over all.

    Returns
    -------
    Tensor
        Nats, float64 [codebooks], or [batch, codebooks] by item.

    Raises
    ------
    ValueError
        If counts are of another number of codebooks.
    """
    if counts is None:
        counts = entry_counts(codes, entries).double()
    else:
        counts = counts.double() + 1
    if counts.shape[0] != codes.shape[1]:
        raise ValueError(
            f"counts of {counts.shape[0]} codebooks were given for codes of {codes.shape[1]}; give those of the "
            "same codebooks"
        )
    logs = (counts / counts.sum(1, keepdim=True)).log()
    nats = -torch.stack([logs[k][codes[:, k].long()] for k in range(codes.shape[1])], 1).mean(-1)
    return nats if by_item else nats.mean(0)


def entries_used(codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024) -> Float[Tensor, " codebooks"]:
    """Fraction of the entries that occur at all, by codebook.

    It grows with the number of frames: say how many.

    Notebook: 01

    Parameters
    ----------
    codes : Int[Tensor, "*batch codebooks frames"]
        Tokens of one clip or of a batch.
    entries : int
        Entries of a codebook.

    Returns
    -------
    Tensor
        0 to 1, float64 [codebooks].
    """
    return (entry_counts(codes, entries) > 0).double().mean(1)


def perplexity(codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024) -> Float[Tensor, " codebooks"]:
    """How many equally frequent entries would be as surprising, by codebook: exp of the entries' entropy in nats.

    Notebook: 01

    Parameters
    ----------
    codes : Int[Tensor, "*batch codebooks frames"]
        Tokens of one clip or of a batch.
    entries : int
        Entries of a codebook.

    Returns
    -------
    Tensor
        1 to `entries`, float64 [codebooks].
    """
    counts = entry_counts(codes, entries).double()
    p = counts / counts.sum(1, keepdim=True)
    return torch.special.entr(p).sum(1).exp()
