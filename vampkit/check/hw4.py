"""Checks for homework 4, the sampling loop. `hidden` is the seed of the grader's own cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vampkit import sampling, schedules
from vampkit.check.cases import Draw, pose
from vampkit.check.core import within


def drawn(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(p, uniform)`: one entry a row, drawn by inverse transform sampling.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The student's function. It takes probabilities [tokens, entries] and a random number in [0, 1) for each
        token. It returns the number of the first entry whose running sum exceeds the random number, [tokens].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "That is the likeliest entry; nothing is drawn": lambda p, u: p.argmax(-1),
        "Each token has its own random number": lambda p, u: _drawn(p, u[:1].expand_as(u)),
        "The first entry whose running sum exceeds it, not the last one before": lambda p, u: _drawn(p, u) - 1,
        "The entries are added up in their order": lambda p, u: _drawn(p.flip(-1), u),
    }
    holds = {
        "entries are counted from 0 and end before their number": lambda found, p, u: within(found, 0, p.shape[-1] - 1)
    }
    library = [sampling.draw, torch.multinomial]
    return pose("drawn", yours, _chances, _drawn, hidden, traps=traps, holds=holds, library=library, names=True)


def nucleus(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(logits, amount)`: only the likeliest entries, as few as exceed a probability.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The student's function. It takes logits [tokens, entries] and a probability. It returns the logits with
        -inf at all entries but the smallest set of likeliest ones whose total probability exceeds the amount.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "The entry that crosses the line is kept, too": lambda *case: _nucleus(*case, last=False),
        "The others are kept": lambda x, amount: torch.where(_nucleus(x, amount).isfinite(), -torch.inf, x),
        "Those are as many for each token: how sure is it?": lambda x, amount: sampling.top_k(
            x, int(_nucleus(x, amount).isfinite()[0].sum())
        ),
        "The logits stay logits": lambda x, amount: _nucleus(x, amount).softmax(-1),
    }
    holds = {
        "at least one entry is kept for each token": lambda found, x, amount: np.isfinite(found).any(-1).all(),
        "what is kept has the logit that it had": lambda found, x, amount: np.allclose(
            np.where(np.isfinite(found), found, x.numpy()), x.numpy(), atol=1e-4
        ),
    }
    return pose("nucleus", yours, _beliefs, _nucleus, hidden, traps=traps, holds=holds, library=[sampling.top_p])


def sure(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(p, guess, mask, gumbel, noise, done)`: the confidence of each token.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The student's function. It takes p [tokens, entries] and guess [tokens] of the hidden tokens, in the
        order of mask [codebooks, frames], Gumbel noise [tokens], how much noise there is, and the fraction of
        the passes that is done. It returns [codebooks, frames].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "A token that is not hidden is certain": lambda *case: _sure(*case, known=0.0),
        "The logarithm of the probability": lambda p, *rest: _sure(p.exp(), *rest),
        "The noise shrinks as passes are done": lambda *case: _sure(*case[:-1], 0.0),
        "The probability of the guess, not of the likeliest": lambda p, guess, *rest: _sure(p, p.argmax(-1), *rest),
    }
    holds = {
        "what is not hidden has an infinite confidence, what is hidden a finite one": lambda found, p, g, m, *_: (
            np.isfinite(found) == m.numpy()
        ).all()
    }
    library = [sampling.step]
    return pose("sure", yours, _guessed, _sure, hidden, traps=traps, holds=holds, library=library, tolerance=1e-3)


def again(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(confidence, count)`: which tokens are hidden again.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The student's function. It takes confidence [codebooks, frames], infinite where a token is known, and
        how many are to be hidden. It returns bool [codebooks, frames], True for the least confident.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Those are the surest": lambda c, count: _again(torch.where(c.isfinite(), -c, c), count),
        "True is hidden: yours says what is kept": lambda *case: ~_again(*case),
        "As many as was asked for, over all rows": _by_row,
        "What is known already must stay": lambda c, count: _again(-c, count),
    }
    holds = {
        "as many are hidden as was asked for": lambda found, c, count: int(found.sum()) == count,
        "no token is hidden that is known": lambda found, c, count: not (found & ~np.isfinite(c.numpy())).any(),
    }
    library = [sampling.hide_again]
    return pose("again", yours, _confident, _again, hidden, traps=traps, holds=holds, library=library)


def vamped(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(ask, codes, mask, counts, uniform, gumbel, noise)`: the whole loop.

    Notebook: 05

    Parameters
    ----------
    yours : Callable
        The student's function. It takes ask(codes, mask), which gives probabilities [codebooks, frames,
        entries]; codes and mask [codebooks, frames]; how many tokens are still hidden after each pass; random
        numbers and Gumbel noise [passes, codebooks, frames]; and how much noise there is. It returns codes
        [codebooks, frames].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "It looks as if all was written in the first pass": lambda ask, codes, mask, counts, *rest: _vamped(
            ask, codes, mask, [0], *rest
        ),
        "The likeliest entry is taken; it was to be drawn": lambda ask, *rest: _vamped(
            lambda *seen: (ask(*seen) == ask(*seen).amax(-1, keepdim=True)).float(), *rest
        ),
        "Without noise on the confidence": lambda *case: _vamped(*case[:-1], 0.0),
        "The noise shrinks from pass to pass": lambda *case: _vamped(*case, shrinks=False),
    }
    holds = {
        "a token that was not hidden stays as it was": lambda found, ask, c, m, *_: np.array_equal(
            found[~m.numpy()], c[~m]
        )
    }
    library = [sampling.sample, sampling.step, sampling.draw, sampling.hide_again, torch.multinomial]
    return pose("vamped", yours, _loop, _vamped, hidden, traps=traps, holds=holds, library=library, names=True)


def _gumbel(draw: Draw, *shape: int) -> Tensor:
    return -torch.log(-torch.log(draw.uniform(*shape).clamp(1e-3, 0.999)))


def _chances(draw: Draw) -> tuple:
    entries = draw.whole(8, 30)
    tokens = draw.whole(31, 60)
    return (2 * draw.normal(tokens, entries)).softmax(-1), draw.uniform(tokens)


def _drawn(p: Tensor, uniform: Tensor) -> Tensor:
    sums = p.double().cumsum(-1)
    return (sums <= uniform[..., None] * sums[..., -1:]).sum(-1).clamp(max=p.shape[-1] - 1)


def _beliefs(draw: Draw) -> tuple:
    return draw.number(1, 3) * draw.normal(draw.whole(21, 40), draw.whole(6, 20)), draw.number(0.3, 0.9)


def _nucleus(logits: Tensor, amount: float, last: bool = True) -> Tensor:
    ordered, order = logits.sort(-1, descending=True)
    sums = ordered.softmax(-1).cumsum(-1)
    outside = (sums - ordered.softmax(-1) if last else sums) > amount
    if not last:
        outside[..., 0] = False
    return logits.masked_fill(outside.scatter(-1, order, outside), float("-inf"))


def _guessed(draw: Draw) -> tuple:
    mask = draw.mask(0.5, draw.whole(2, 4), draw.whole(6, 20))
    p = (2 * draw.normal(int(mask.sum()), draw.whole(4, 9))).softmax(-1)
    gumbel = _gumbel(draw, len(p))
    return p, draw.codes(p.shape[1], len(p)), mask, gumbel, draw.number(1, 12), draw.number(0.1, 0.9)


def _sure(
    p: Tensor, guess: Tensor, mask: Tensor, gumbel: Tensor, noise: float, done: float, known: float = math.inf
) -> Tensor:
    confidence = torch.full(mask.shape, known)
    confidence[mask] = p[torch.arange(len(p)), guess].log() + noise * (1 - done) * gumbel
    return confidence


def _confident(draw: Draw) -> tuple:
    confidence = draw.normal(draw.whole(2, 5), draw.whole(6, 20))
    confidence[draw.mask(0.3, *confidence.shape)] = torch.inf
    return confidence, draw.whole(2, int(confidence.isfinite().sum()) - 1)


def _again(confidence: Tensor, count: int) -> Tensor:
    found = torch.zeros(confidence.numel(), dtype=torch.bool)
    found[confidence.flatten().argsort()[:count]] = True
    return found.view_as(confidence)


def _by_row(confidence: Tensor, count: int) -> Tensor:
    return torch.stack([_again(row, min(count, len(row))) for row in confidence])


class _Ask:
    """A model made of tables: what it believes of a place depends on the known tokens beside it."""

    def __init__(self, draw: Draw, codebooks: int, entries: int):
        self.own = draw.normal(codebooks, 1, entries)
        self.pull = 2 * draw.normal(codebooks, entries + 1, entries)

    def __call__(self, codes: Tensor, mask: Tensor) -> Tensor:
        seen = torch.where(mask, self.pull.shape[1] - 1, codes)
        logits = self.own.expand(*codes.shape, -1).clone()
        for step in (-1, 1):
            logits = logits + torch.stack([t[row] for t, row in zip(self.pull, seen.roll(step, 1), strict=True)])
        return logits.softmax(-1)


def _loop(draw: Draw) -> tuple:
    codebooks, frames, entries, passes = draw.whole(2, 4), draw.whole(9, 24), draw.whole(4, 8), draw.whole(3, 7)
    mask = draw.mask(draw.number(0.6, 0.9), codebooks, frames)
    counts = schedules.hidden_counts(int(mask.sum()), passes)
    shape = (passes, codebooks, frames)
    gumbel = _gumbel(draw, *shape)
    codes = draw.codes(entries, codebooks, frames)
    return _Ask(draw, codebooks, entries), codes, mask, counts, draw.uniform(*shape), gumbel, draw.number(1, 4)


def _vamped(
    ask: Callable,
    codes: Tensor,
    mask: Tensor,
    counts: list[int],
    uniform: Tensor,
    gumbel: Tensor,
    noise: float,
    shrinks: bool = True,
) -> Tensor:
    codes = codes.clone()
    for i, count in enumerate(counts):
        p = ask(codes, mask)
        codes[mask] = _drawn(p, uniform[i])[mask]
        done = (i + 1) / len(counts) if shrinks else 0.0
        mask = _again(_sure(p[mask], codes[mask], mask, gumbel[i][mask], noise, done), count)
    return codes
