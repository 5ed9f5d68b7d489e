"""How well tokens are predicted, and how many of its entries a codec uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from vampkit.model import check_codes

ITEM_STEP = 1_000_003
"""Difference of the seeds of two items. With it, the hidden tokens of an item do not depend on the batch size."""


def masked_cross_entropy(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    ratio: float = 0.5,
    seed: int = 0,
    *,
    by_item: bool = False,
    batch: int = 4,
) -> Tensor:
    """Compute the mean -log p of hidden tokens for each predicted codebook.

    Source: paper (arXiv 2307.04686), equation 1, without label smoothing.

    Notebook: 01, 04

    Parameters
    ----------
    model : MaskedTransformer
        The model. During the computation it is in evaluation mode.
    codes : Int[Tensor, "batch codebooks frames"]
        The true tokens. Codebooks that the model does not read are ignored.
    ratio : float
        Mask ratio: the fraction of the predicted tokens of each item that is hidden, above 0 and at most 1.
    seed : int
        Seed of the choice of hidden tokens. Item i hides the same tokens in any batch.
    by_item : bool
        Give the mean of each item, for intervals over clips, instead of the mean over all hidden tokens.
    batch : int
        Number of items in one call of the model.

    Returns
    -------
    Tensor
        Cross entropy in nats, float64 [predicted codebooks], or by item [batch, predicted codebooks].

    Raises
    ------
    TypeError, ValueError
        For a ratio outside (0, 1], a batch below 1, codes with too few codebooks, or ones that the model does not have.
    """
    nats = partial(F.cross_entropy, reduction="none")
    return _mean_over_hidden(model, codes, ratio, seed, by_item, batch, nats)


def masked_accuracy(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    ratio: float = 0.5,
    seed: int = 0,
    *,
    top: int = 1,
    by_item: bool = False,
    batch: int = 4,
) -> Tensor:
    """Compute, for each predicted codebook, how often the true entry of a hidden token is among the most probable.

    Notebook: 04

    Parameters
    ----------
    model : MaskedTransformer
        The model; see `masked_cross_entropy`, which hides the same tokens.
    codes : Int[Tensor, "batch codebooks frames"]
        The true tokens. Codebooks that the model does not read are ignored.
    ratio : float
        Mask ratio, above 0 and at most 1.
    seed : int
        Seed of the choice of hidden tokens.
    top : int
        How many of the most probable entries count as right; the reference code logs 1 and 25.
    by_item : bool
        Give the fraction of each item instead of the fraction of all hidden tokens.
    batch : int
        Number of items in one call of the model.

    Returns
    -------
    Tensor
        Fraction from 0 to 1, float64 [predicted codebooks], or by item [batch, predicted codebooks].

    Raises
    ------
    TypeError, ValueError
        For a ratio outside (0, 1], a batch below 1, codes with too few codebooks, or ones that the model does not have.
    """
    if top < 1:
        raise ValueError(f"the top {top} entries were asked for, at least 1 was expected")
    return _mean_over_hidden(
        model, codes, ratio, seed, by_item, batch, lambda logits, true: _among(logits, true, top).float()
    )


def masked_scores(
    model: nn.Module, codes: Int[Tensor, "batch codebooks frames"], ratio: float = 0.5, seed: int = 0
) -> Float[Tensor, "codebooks scores"]:
    """Compute cross entropy, top-1 and top-25 accuracy of hidden tokens at once, for the log of a training.

    Notebook: 04

    Parameters
    ----------
    model : MaskedTransformer
        The model; see `masked_cross_entropy`, which hides the same tokens.
    codes : Int[Tensor, "batch codebooks frames"]
        The true tokens. Codebooks that the model does not read are ignored.
    ratio : float
        Mask ratio, above 0 and at most 1.
    seed : int
        Seed of the choice of hidden tokens.

    Returns
    -------
    Tensor
        float64 [predicted codebooks, 3]: nats, then two fractions from 0 to 1.
    """

    def score(logits: Tensor, true: Tensor) -> Tensor:
        nats = F.cross_entropy(logits, true, reduction="none")
        return torch.stack([nats, *(_among(logits, true, top).float() for top in (1, 25))], -1)

    return _mean_over_hidden(model, codes, ratio, seed, False, 4, score)


def _among(logits: Tensor, true: Tensor, top: int) -> Tensor:
    """Whether fewer than `top` entries are more probable than the true one, or as probable and before it."""
    own, place = logits.gather(-1, true[:, None]), torch.arange(logits.shape[-1], device=logits.device)
    before = (logits > own) | ((logits == own) & (place < true[:, None]))
    return before.sum(-1) < top


@torch.inference_mode()
def _mean_over_hidden(
    model: nn.Module, codes: Tensor, ratio: float, seed: int, by_item: bool, batch: int, score: Callable
) -> Tensor:
    """Mean over hidden tokens of score(logits [tokens, entries], codes [tokens]) -> [tokens] or [tokens, scores]."""
    if not 0 < ratio <= 1:
        raise ValueError(f"the ratio is {ratio}, more than 0 and at most 1 was expected")
    first, count = model.config.conditioning, model.config.codebooks
    if codes.ndim != 3 or codes.shape[1] < count:
        raise ValueError(
            f"codes of shape {tuple(codes.shape)} were given, [batch, at least {count} codebooks, frames] was expected"
        )
    if batch < 1:
        raise ValueError(f"batches of {batch} items were asked for, at least 1 was expected")
    codes, was_training = codes[:, :count], model.training
    check_codes(codes, model.config.entries)
    device = next(model.parameters()).device
    mask = torch.zeros(codes.shape, dtype=torch.bool)
    for i in range(len(codes)):
        mask[i, first:] = _hide_exactly(count - first, codes.shape[2], ratio, seed + ITEM_STEP * i)
    sums: list[Tensor] = []
    model.eval()
    for start in range(0, len(codes), batch):
        part, hidden = codes[start : start + batch].to(device), mask[start : start + batch].to(device)
        logits = model(part, hidden).float()
        scores = score(logits.flatten(0, -2), part[:, first:].flatten())
        scores = scores.view(*part[:, first:].shape, -1) * hidden[:, first:, :, None]
        sums.append(scores.sum(2).double().cpu())
    model.train(was_training)
    total, hidden_tokens = torch.cat(sums), mask[:, first:].sum(-1)[..., None]
    found = total / hidden_tokens if by_item else total.sum(0) / hidden_tokens.sum(0)
    return found[..., 0] if found.shape[-1] == 1 else found


def _hide_exactly(codebooks: int, frames: int, ratio: float, seed: int) -> Tensor:
    """A random mask with exactly round(ratio * tokens) hidden tokens, at least one, bool [codebooks, frames]."""
    tokens = codebooks * frames
    order = torch.randperm(tokens, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(tokens, dtype=torch.bool)
    mask[order[: max(1, round(ratio * tokens))]] = True
    return mask.view(codebooks, frames)


def entry_counts(
    codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024
) -> Int[Tensor, "codebooks entries"]:
    """Count how often each entry of each codebook occurs.

    Notebook: 01

    Parameters
    ----------
    codes : Int[Tensor, "*batch codebooks frames"]
        Tokens of one clip or of a batch.
    entries : int
        Number of entries in each codebook.

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
    """Compute the mean -log p of tokens under a fixed distribution of entries, for each codebook.

    This is a baseline: the cross entropy of a model that does not look at the other tokens.

    Notebook: 04

    Parameters
    ----------
    codes : Int[Tensor, "batch codebooks frames"]
        The true tokens.
    counts : Tensor, optional
        `entry_counts` [codebooks, entries] of other tokens, such as the training data. 1 is added to each count. None:
        counts of the given codes themselves. This baseline is too strong, above all for few codes.
    entries : int
        Number of entries in each codebook.
    by_item : bool
        Give the mean of each item instead of the mean of all.

    Returns
    -------
    Tensor
        Cross entropy in nats, float64 [codebooks], or by item [batch, codebooks].

    Raises
    ------
    ValueError
        If counts have another number of codebooks.
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
    """Compute, for each codebook, the fraction of entries that occur at least once.

    It grows with the number of frames, so report that number too.

    Notebook: 01

    Parameters
    ----------
    codes : Int[Tensor, "*batch codebooks frames"]
        Tokens of one clip or of a batch.
    entries : int
        Number of entries in each codebook.

    Returns
    -------
    Tensor
        Fraction from 0 to 1, float64 [codebooks].
    """
    return (entry_counts(codes, entries) > 0).double().mean(1)


def perplexity(codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024) -> Float[Tensor, " codebooks"]:
    """Compute the perplexity of each codebook: exp of the entropy of its entries in nats.

    A codebook with this number of equally frequent entries would have the same entropy.

    Notebook: 01

    Parameters
    ----------
    codes : Int[Tensor, "*batch codebooks frames"]
        Tokens of one clip or of a batch.
    entries : int
        Number of entries in each codebook.

    Returns
    -------
    Tensor
        1 to `entries`, float64 [codebooks].
    """
    counts = entry_counts(codes, entries).double()
    p = counts / counts.sum(1, keepdim=True)
    return torch.special.entr(p).sum(1).exp()
