"""How well tokens are predicted, and how well a codec uses its entries."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

ITEM_STEP = 1_000_003
"""Distance of the seeds of two items, so that an item hides the same tokens whatever the batch around it."""


def masked_cross_entropy(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    ratio: float = 0.5,
    seed: int = 0,
    *,
    by_item: bool = False,
    batch: int = 4,
) -> Tensor:
    """Mean -log p in nats of hidden tokens by predicted codebook, `ratio` of each item's predicted cells hidden at
    random.

    model: a masked transformer; it is put into evaluation mode. codes: int64 [batch, codebooks, frames]; its codebooks
    beyond the model's are left out. seed: which cells are hidden; item i of any batch hides the same ones.
    by_item: return [batch, predicted] for intervals over clips, instead of the mean [predicted] over all hidden tokens.

    Raises ValueError for a ratio outside (0, 1] or codes with too few codebooks.
    Source: arXiv 2307.04686, equation 1, without label smoothing. Notebook: 04.
    """
    return _over_hidden(
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
    """Share of hidden tokens whose most probable entry is the true one, from 0 to 1, by predicted codebook.

    Arguments, hidden cells and errors are those of `masked_cross_entropy`. Notebook: 04.
    """
    return _over_hidden(
        model, codes, ratio, seed, by_item, batch, lambda logits, true: (logits.argmax(-1) == true).float()
    )


@torch.inference_mode()
def _over_hidden(model, codes, ratio, seed, by_item, batch, score) -> Tensor:
    """Mean over hidden cells of score(logits [cells, entries], codes [cells]) -> [cells]."""
    if not 0 < ratio <= 1:
        raise ValueError(f"the ratio is {ratio}, more than 0 and at most 1 was expected")
    first, count = model.config.conditioning, model.config.codebooks
    if codes.ndim != 3 or codes.shape[1] < count:
        raise ValueError(
            f"codes of shape {tuple(codes.shape)} were given, [batch, at least {count} codebooks, frames] was expected"
        )
    codes, was_training = codes[:, :count], model.training
    device = next(model.parameters()).device
    mask = torch.stack([_hide(count - first, codes.shape[2], ratio, seed + ITEM_STEP * i) for i in range(len(codes))])
    mask = torch.cat([torch.zeros(len(codes), first, codes.shape[2], dtype=torch.bool), mask], 1)
    sums = torch.zeros(len(codes), count - first, dtype=torch.float64)
    model.eval()
    for start in range(0, len(codes), batch):
        part, hidden = codes[start : start + batch].to(device), mask[start : start + batch].to(device)
        logits = model(part, hidden).float()
        found = score(logits.flatten(0, -2), part[:, first:].flatten())
        found = found.view(part[:, first:].shape) * hidden[:, first:]
        sums[start : start + batch] = found.sum(-1).double().cpu()
    model.train(was_training)
    hidden_cells = mask[:, first:].sum(-1)
    return sums / hidden_cells if by_item else sums.sum(0) / hidden_cells.sum(0)


def entry_counts(
    codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024
) -> Int[Tensor, "codebooks entries"]:
    """How often each entry of each codebook occurs, int64 [codebooks, entries]. Notebook: 01."""
    rows = codes.movedim(-2, 0).flatten(1).long()
    return torch.stack([torch.bincount(row, minlength=entries) for row in rows])


def unigram_cross_entropy(
    codes: Int[Tensor, "batch codebooks frames"],
    counts: Tensor | None = None,
    *,
    entries: int = 1024,
    by_item: bool = False,
) -> Tensor:
    """Mean -log p in nats by codebook under a table of frequencies.

    What one knows of a token without looking around it.

    codes: [batch, codebooks, frames]. counts: of other tokens (training ones), from `entry_counts`, one added to each;
    None
    counts the given codes themselves, which no unigram can beat: a baseline that is too strong, the more so the fewer
    there are.
    by_item: return [batch, codebooks] instead of the mean [codebooks].
    Raises ValueError where counts are of another number of codebooks. Notebook: 04.
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
    found = -torch.stack([logs[k][codes[:, k].long()] for k in range(codes.shape[1])], 1).mean(-1)
    return found if by_item else found.mean(0)


def entries_used(codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024) -> Float[Tensor, " codebooks"]:
    """Share of entries that occur at all, by codebook, from 0 to 1.

    It grows with the number of frames: say how many. Notebook: 01.
    """
    return (entry_counts(codes, entries) > 0).double().mean(1)


def perplexity(codes: Int[Tensor, "*batch codebooks frames"], entries: int = 1024) -> Float[Tensor, " codebooks"]:
    """exp of the entropy of the entries, by codebook.

    How many equally frequent entries would be as surprising. Notebook: 01.
    """
    counts = entry_counts(codes, entries).double()
    p = counts / counts.sum(1, keepdim=True)
    return torch.special.entr(p).sum(1).exp()


def _hide(codebooks: int, frames: int, ratio: float, seed: int) -> Tensor:
    """Exactly round(ratio * cells) hidden cells, at least one, bool [codebooks, frames]."""
    cells = codebooks * frames
    order = torch.randperm(cells, generator=torch.Generator().manual_seed(seed))
    mask = torch.zeros(cells, dtype=torch.bool)
    mask[order[: max(1, round(ratio * cells))]] = True
    return mask.view(codebooks, frames)
