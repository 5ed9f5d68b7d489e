"""Checks for the tasks of notebook 05, the sampling loop."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from vampkit import schedules
from vampkit.check.core import generator, judge
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.sampling import Settings, hide_again, sample


def freed(yours: Callable) -> bool:
    """yours(hidden, passes, schedule) -> how many tokens become final in each pass, a list of `passes` numbers.

    Notebook: 05.
    """
    curves = (schedules.linear, schedules.square, schedules.root)
    cases = [(hidden, passes, curve) for hidden, passes in ((1000, 10), (97, 7), (40, 1), (60, 36)) for curve in curves]
    traps = [
        (lambda n, s, curve: _left(n, s, curve), "That is how many are still hidden; how many became final?"),
        (lambda n, s, curve: _freed(n, s, curve, floor=False), "At least one token becomes final in every pass"),
        (lambda n, s, curve: _freed(n, s, curve)[::-1], "Which pass comes first?"),
    ]
    return judge("freed", yours, cases, _freed, traps)


def rank(yours: Callable) -> bool:
    """yours(confidence [batch, codebooks, frames], counts [batch]) -> which tokens are hidden again, bool of the same
    shape; +inf is kept. Notebook: 05."""
    cases = [_ranking(seed, *shape) for seed, shape in enumerate([(1, 1, 6), (2, 3, 5), (4, 4, 40)])]
    traps = [
        (
            lambda c, n: hide_again(torch.where(c.isfinite(), -c, c), n),
            "Are the surest hidden again, or the least sure?",
        ),
        (lambda c, n: ~hide_again(c, n), "True is hidden: yours says what is kept"),
        (
            lambda c, n: (c.flatten().argsort().argsort() < n.sum()).view_as(c),
            "Every item of the batch has a count of its own",
        ),
    ]
    return judge("rank", yours, cases, hide_again, traps)


def finish(yours: Callable) -> bool:
    """yours(ask, codes [codebooks, frames], mask, counts) -> codes with every hidden token filled in, the surest
    guesses first. Notebook: 05.

    ask(codes, mask) -> logits [codebooks, frames, entries]. counts: how many tokens are still hidden after each pass.
    No chance: the likeliest entry is the guess, its probability the confidence.
    """
    cases = []
    for seed, (frames, share, passes) in enumerate([(12, 0.6, 1), (12, 0.6, 4), (40, 0.8, 9)]):
        model = _toy(seed)
        codes = torch.randint(8, (2, frames), generator=generator(seed))
        hidden = torch.rand(2, frames, generator=generator(seed + 50)) < share
        cases.append((_Ask(model), codes, hidden, schedules.hidden_counts(int(hidden.sum()), passes)))
    traps = [
        (
            lambda ask, codes, mask, counts: _finish(ask, codes, mask, [0]),
            "It looks as if all was filled in at the first pass: ask again after each",
        ),
        (lambda ask, codes, mask, counts: codes, "The hidden tokens are still what they were"),
        (_finish_unsure, "Are the surest guesses kept, or the least sure?"),
    ]
    return judge("finish", yours, cases, _finish, traps)


class _Ask:
    """The question put to a model about one grid: logits [codebooks, frames, entries]."""

    def __init__(self, model: MaskedTransformer):
        self.model = model

    @torch.no_grad()
    def __call__(self, codes: Tensor, mask: Tensor) -> Tensor:
        return self.model(codes[None], mask[None])[0]


def _toy(seed: int) -> MaskedTransformer:
    """A small model of two codebooks of eight entries with weights by chance, the same at every call."""
    config = ModelConfig(codebooks=2, layers=1, width=16, heads=2, entries=8, latent=2, dropout=0.0)
    draws = generator(seed)
    model = MaskedTransformer(config, torch.randn(2, 8, 2, generator=draws))
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(
                torch.randn(weight.shape, generator=draws) / math.sqrt(weight.shape[1] if weight.ndim > 1 else 1)
            )
    return model.eval()


def _ranking(seed: int, batch: int, codebooks: int, frames: int) -> tuple[Tensor, Tensor]:
    """Confidences of which a third are kept for good (+inf), and how many to hide, another number an item."""
    confidence = torch.randn(batch, codebooks, frames, generator=generator(seed))
    confidence[torch.rand(confidence.shape, generator=generator(seed + 50)) < 0.3] = float("inf")
    guessed = confidence.isfinite().flatten(1).sum(1)
    return confidence, (guessed * torch.linspace(0.3, 0.8, batch)).long()


def _left(hidden: int, passes: int, schedule: Callable) -> list[int]:
    left, now = [], hidden
    for i in range(1, passes + 1):
        now = 0 if i == passes else max(1, min(now - 1, math.floor(hidden * schedule(i / passes))))
        left.append(now)
    return left


def _freed(hidden: int, passes: int, schedule: Callable, floor: bool = True) -> list[int]:
    left = (
        _left(hidden, passes, schedule)
        if floor
        else [math.floor(hidden * schedule(i / passes)) for i in range(1, passes + 1)]
    )
    return [before - after for before, after in zip([hidden, *left], left, strict=False)]


def _finish(ask: _Ask, codes: Tensor, mask: Tensor, counts: list[int]) -> Tensor:
    settings = Settings(passes=len(counts), mask_temperature=0.0, cutoff=-1.0)
    *_, last = sample(ask.model, codes[None], mask[None], [0], settings)
    return last.codes[0].clone()


def _finish_unsure(ask: _Ask, codes: Tensor, mask: Tensor, counts: list[int]) -> Tensor:
    codes, mask = codes.clone(), mask.clone()
    for left in counts:
        best = ask(codes, mask).softmax(-1).max(-1)
        codes[mask] = best.indices[mask]
        mask = hide_again(torch.where(mask, -best.values, float("inf"))[None], torch.tensor([left]))[0]
    return codes
