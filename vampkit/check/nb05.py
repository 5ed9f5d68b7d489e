"""Checks for the tasks of notebook 05, the sampling loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from vampkit import schedules
from vampkit.check.core import generator, judge
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.sampling import Settings, hide_again, sample


def freed(yours: Callable) -> bool:
    """Check `yours(hidden, passes, schedule)`: how many tokens become final in each pass.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the number of hidden tokens, the number of passes and a function of u from 0 to
        1, and returns a list of `passes` numbers.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    # No curve makes a whole number of these counts, so that an error of rounding decides nothing.
    curves = (schedules.linear, schedules.square, schedules.root)
    cases = [(hidden, passes, curve) for hidden, passes in ((997, 10), (97, 7), (40, 1), (61, 36)) for curve in curves]
    traps = {
        "That is how many are still hidden; how many became final?": _still_hidden,
        "At least one token becomes final in every pass": lambda *case: _freed(*case, at_least_one=False),
        "Which pass comes first?": lambda *case: _freed(*case)[::-1],
    }
    return judge("freed", yours, cases, _freed, traps)


def rank(yours: Callable) -> bool:
    """Check `yours(confidence, counts)`: which tokens are hidden again.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes confidence [batch, codebooks, frames], +inf where a token is final, and counts
        [batch], how many to hide in each item. It returns bool [batch, codebooks, frames], True = hidden.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [_ranking(seed, *shape) for seed, shape in enumerate([(1, 1, 6), (2, 3, 5), (4, 4, 40)])]
    traps = {
        "Are the surest hidden again, or the least sure?": lambda confidence, counts: hide_again(
            torch.where(confidence.isfinite(), -confidence, confidence), counts
        ),
        "True is hidden: yours says what is kept": lambda *case: ~hide_again(*case),
        "Every item of the batch has a count of its own": lambda confidence, counts: (
            confidence.flatten().argsort().argsort() < counts.sum()
        ).view_as(confidence),
    }
    return judge("rank", yours, cases, hide_again, traps)


def finish(yours: Callable) -> bool:
    """Check `yours(ask, codes, mask, counts)`: every hidden token filled in, the surest guesses first.

    Nothing is drawn at random: the likeliest entry is the guess, and its probability the confidence.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes `ask(codes, mask)`, which gives logits [codebooks, frames, entries], codes and
        mask [codebooks, frames], and counts, the number of tokens that are still hidden after each pass. It returns
        codes [codebooks, frames].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = []
    for seed, frames, ratio, passes in ((0, 12, 0.6, 1), (1, 12, 0.6, 4), (6, 40, 0.8, 9), (35, 40, 0.8, 9)):
        codes = torch.randint(8, (2, frames), generator=generator(seed))
        hidden = torch.rand(2, frames, generator=generator(seed + 50)) < ratio
        cases.append((_Ask(_toy_model(seed)), codes, hidden, schedules.hidden_counts(int(hidden.sum()), passes)))
    traps = {
        "It looks as if all was filled in at the first pass: ask again after each": lambda ask, codes, mask, counts: (
            _finish(ask, codes, mask, [0])
        ),
        "The hidden tokens are still what they were": lambda ask, codes, mask, counts: codes,
        "Are the surest guesses kept, or the least sure?": _finish_unsure,
        "What is final stays final: only what is still hidden may be hidden again": _finish_reopened,
    }
    return judge("finish", yours, cases, _finish, traps)


class _Ask:
    """A model asked about a single item: logits [codebooks, frames, entries]."""

    def __init__(self, model: MaskedTransformer):
        self.model = model

    @torch.no_grad()
    def __call__(self, codes: Tensor, mask: Tensor) -> Tensor:
        return self.model(codes[None], mask[None])[0]


def _toy_model(seed: int) -> MaskedTransformer:
    """A small model of two codebooks of eight entries with random weights, the same at every call."""
    config = ModelConfig(codebooks=2, layers=1, width=16, heads=2, entries=8, latent=2, dropout=0.0)
    draws = generator(seed)
    model = MaskedTransformer(config, torch.randn(2, 8, 2, generator=draws))
    with torch.no_grad():
        for weight in model.parameters():
            inputs = weight.shape[1] if weight.ndim > 1 else 1
            weight.copy_(torch.randn(weight.shape, generator=draws) / math.sqrt(inputs))
    return model.eval()


def _ranking(seed: int, batch: int, codebooks: int, frames: int) -> tuple[Tensor, Tensor]:
    """Confidences of which a third are final (+inf), and how many tokens to hide, another number for each item."""
    confidence = torch.randn(batch, codebooks, frames, generator=generator(seed))
    confidence[torch.rand(confidence.shape, generator=generator(seed + 50)) < 0.3] = float("inf")
    guessed = confidence.isfinite().flatten(1).sum(1)
    return confidence, (guessed * torch.linspace(0.3, 0.8, batch)).long()


def _still_hidden(hidden: int, passes: int, schedule: Callable, at_least_one: bool = True) -> list[int]:
    left = [math.floor(hidden * schedule(i / passes)) for i in range(1, passes + 1)]
    if not at_least_one:
        return left
    before = hidden
    for i, planned in enumerate(left):
        before = left[i] = max(1, min(before - 1, planned))
    return [*left[:-1], 0]


def _freed(hidden: int, passes: int, schedule: Callable, at_least_one: bool = True) -> list[int]:
    left = _still_hidden(hidden, passes, schedule, at_least_one)
    return [before - after for before, after in pairwise([hidden, *left])]


def _finish(ask: _Ask, codes: Tensor, mask: Tensor, counts: list[int]) -> Tensor:
    settings = Settings(passes=len(counts), mask_temperature=0.0, cutoff=-1.0)
    *_, last = sample(ask.model, codes[None], mask[None], [0], settings)
    return last.codes[0].clone()


def _finish_unsure(ask: _Ask, codes: Tensor, mask: Tensor, counts: list[int]) -> Tensor:
    return _finish_by(ask, codes, mask, counts, lambda now, sure: torch.where(now, -sure, float("inf")))


def _finish_reopened(ask: _Ask, codes: Tensor, mask: Tensor, counts: list[int]) -> Tensor:
    return _finish_by(ask, codes, mask, counts, lambda _, sure: torch.where(mask, sure, float("inf")))


def _finish_by(ask: _Ask, codes: Tensor, mask: Tensor, counts: list[int], confidence: Callable) -> Tensor:
    """The loop with another confidence, a function of what is hidden now and of the guesses' probabilities."""
    codes = codes.clone()
    for left in counts:
        best = ask(codes, mask).softmax(-1).max(-1)
        codes[mask] = best.indices[mask]
        mask = hide_again(confidence(mask, best.values)[None], torch.tensor([left]))[0]
    return codes
