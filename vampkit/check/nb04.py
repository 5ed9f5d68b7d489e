"""Checks for the tasks of notebook 04, training."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.check.core import generator, judge


def masked_mean(yours: Callable) -> bool:
    """yours(logits [batch, codebooks, frames, entries], codes [batch, codebooks, frames], mask [batch, codebooks,
    frames]) -> mean -log p. Notebook: 04."""
    cases = [_batch(seed, shape) for seed, shape in enumerate([(2, 4, 30, 20), (1, 1, 9, 5), (3, 2, 16, 64)])]
    traps = [
        (lambda logits, codes, mask: _surprise(logits, codes).mean(), "Which tokens count?"),
        (
            lambda logits, codes, mask: _surprise(logits, codes)[mask].sum(),
            "The sum grows with the number of hidden tokens",
        ),
        (
            lambda logits, codes, mask: -_surprise(logits, codes)[mask].mean(),
            "Probabilities are below 1, so a loss is above 0",
        ),
        (
            lambda logits, codes, mask: _by_example(logits, codes, mask),
            "A mean of means weighs the tokens of examples unequally",
        ),
    ]
    return judge("masked_mean", yours, cases, lambda logits, codes, mask: _surprise(logits, codes)[mask].mean(), traps)


def rate(yours: Callable) -> bool:
    """yours(step, steps, warmup) -> what the learning rate is multiplied by.

    Up in a line to 1 at the end of the warm-up, flat, down to 0. Notebook: 04.
    """
    cases = [
        (0, 100, 10),
        (4, 100, 10),
        (9, 100, 10),
        (30, 100, 10),
        (50, 100, 10),
        (75, 100, 10),
        (100, 100, 10),
        (3, 40, 2),
        (29, 40, 2),
    ]
    traps = [
        (
            lambda step, steps, warmup: step / warmup if step < warmup else _down(step, steps),
            "The first step should learn a little, too",
        ),
        (lambda step, steps, warmup: _down(step, steps), "Where is the warm-up?"),
        (
            lambda step, steps, warmup: min((step + 1) / warmup, (steps - step) / (steps - warmup)),
            "It is flat until half of the steps are done",
        ),
    ]
    return judge(
        "rate",
        yours,
        cases,
        lambda step, steps, warmup: (step + 1) / warmup if step < warmup else _down(step, steps),
        traps,
    )


def shares(yours: Callable) -> bool:
    """yours(sums [processes], counts [processes]) -> each process's loss, so that the mean of all gradients is the
    whole batch's. Notebook: 04."""
    cases = [
        (torch.rand(n, generator=generator(n)) * 50 + 1, torch.randint(1, 40, (n,), generator=generator(n)))
        for n in (2, 3, 8)
    ]
    traps = [
        (
            lambda sums, counts: sums / counts,
            "Process by process this is a local mean, and a process with few hidden tokens counts too much",
        ),
        (lambda sums, counts: sums / counts.sum(), "The mean over processes divides once more"),
    ]
    return judge("shares", yours, cases, lambda sums, counts: sums * len(sums) / counts.sum(), traps)


def _batch(seed: int, shape: tuple[int, int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    chance = generator(seed)
    logits = 2 * torch.randn(shape, generator=chance)
    codes = torch.randint(0, shape[-1], shape[:-1], generator=chance)
    share = torch.linspace(0.2, 0.9, shape[0])[:, None, None]
    mask = torch.rand(shape[:-1], generator=chance) < share
    mask[..., 0] = True
    return logits, codes, mask


def _surprise(logits: Tensor, codes: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, -2), codes.flatten(), reduction="none").view(codes.shape)


def _by_example(logits: Tensor, codes: Tensor, mask: Tensor) -> Tensor:
    found = _surprise(logits, codes)
    return torch.stack([row[hidden].mean() for row, hidden in zip(found, mask, strict=True)]).mean()


def _down(step: int, steps: int) -> float:
    return min(1.0, (steps - step) / (steps / 2))
