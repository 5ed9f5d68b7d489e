"""Checks for the tasks of notebook 04, training."""

from __future__ import annotations

from collections.abc import Callable
from operator import truediv

import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.check.core import generator, judge


def masked_mean(yours: Callable) -> bool:
    """Check `yours(logits, codes, mask)`: the loss, which is the mean -log p of the hidden tokens.

    Notebook: 04

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes logits [batch, codebooks, frames, entries], codes and mask [batch, codebooks,
        frames] (True = hidden), and returns nats.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [_batch(seed, shape) for seed, shape in enumerate([(2, 4, 30, 20), (1, 1, 9, 5), (3, 2, 16, 64)])]
    traps = {
        "Which tokens count?": lambda logits, codes, mask: _nats(logits, codes).mean(),
        "The sum grows with the number of hidden tokens": lambda logits, codes, mask: _nats(logits, codes)[mask].sum(),
        "Probabilities are below 1, so a loss is above 0": lambda *case: -_masked_mean(*case),
        "A mean of means weighs the tokens of examples unequally": _mean_of_means,
    }
    return judge("masked_mean", yours, cases, _masked_mean, traps)


def rate(yours: Callable) -> bool:
    """Check `yours(step, steps, warmup)`: what the learning rate is multiplied by.

    It rises in a line to 1 at the last step of the warm-up, stays, and falls in a line to 0 over the second half of all
    steps.

    Notebook: 04

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a step, counted from 0, and the numbers of all steps and of those of the
        warm-up, and returns a factor, 0 to 1.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [*((step, 100, 10) for step in (0, 4, 9, 30, 50, 75, 100)), (3, 40, 2), (29, 40, 2)]
    traps = {
        "The first step should learn a little, too": lambda step, steps, warmup: (
            step / warmup if step < warmup else _down(step, steps)
        ),
        "Where is the warm-up?": lambda step, steps, warmup: _down(step, steps),
        "It is flat until half of the steps are done": lambda step, steps, warmup: min(
            (step + 1) / warmup, (steps - step) / (steps - warmup)
        ),
    }
    return judge("rate", yours, cases, _rate, traps)


def shares(yours: Callable) -> bool:
    """Check `yours(sums, counts)`: the loss of each process, so that the mean of all gradients is the whole batch's.

    Notebook: 04

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the sum of the losses and the number of hidden tokens of each process, both
        [processes], and returns [processes].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.rand(n, generator=generator(n)) * 50 + 1, torch.randint(1, 40, (n,), generator=generator(n)))
        for n in (2, 3, 8)
    ]
    traps = {
        "Process by process this is a local mean, and a process with few hidden tokens counts too much": truediv,
        "The mean over processes divides once more": lambda sums, counts: sums / counts.sum(),
    }
    return judge("shares", yours, cases, lambda sums, counts: sums * len(sums) / counts.sum(), traps)


def _batch(seed: int, shape: tuple[int, int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    draws = generator(seed)
    logits = 2 * torch.randn(shape, generator=draws)
    codes = torch.randint(0, shape[-1], shape[:-1], generator=draws)
    ratio = torch.linspace(0.2, 0.9, shape[0])[:, None, None]
    mask = torch.rand(shape[:-1], generator=draws) < ratio
    mask[..., 0] = True
    return logits, codes, mask


def _nats(logits: Tensor, codes: Tensor) -> Tensor:
    """-log p of every true token."""
    return F.cross_entropy(logits.flatten(0, -2), codes.flatten(), reduction="none").view(codes.shape)


def _masked_mean(logits: Tensor, codes: Tensor, mask: Tensor) -> Tensor:
    return _nats(logits, codes)[mask].mean()


def _mean_of_means(logits: Tensor, codes: Tensor, mask: Tensor) -> Tensor:
    return torch.stack([row[hidden].mean() for row, hidden in zip(_nats(logits, codes), mask, strict=True)]).mean()


def _rate(step: int, steps: int, warmup: int) -> float:
    return (step + 1) / warmup if step < warmup else _down(step, steps)


def _down(step: int, steps: int) -> float:
    return min(1.0, (steps - step) / (steps / 2))
