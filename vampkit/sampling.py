"""The sampling loop: guess every hidden token, keep the ones the model is surest of, hide the others again, repeat.

One pure step, and one iterator over it. Everything that generates (pipeline, notebooks, panel, tests) iterates `sample`; nothing else loops.
Paper: section 3.3, equation 2, footnote 5. Notebook: 05.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vampkit import schedules
from vampkit.tokens import check_codes


@dataclass(frozen=True)
class Settings:
    """Of one run.

    passes: how often the model is asked (paper: 36). temperature: of the tokens; 0 is no temperature, as in the reference.
    mask_temperature: of the noise on the confidences, falling linearly to 0 (10.5 in the reference, above 6 in the paper).
    top_p: keep only the likeliest tokens that together reach this probability.
    cutoff: share of the passes after which tokens are the likeliest instead of drawn; below 0 every pass is greedy.
    count: "item" counts hidden tokens item by item; "batch" over the whole batch, as the reference does, whose takes then depend on their company.
    """

    passes: int = 36
    temperature: float = 1.0
    mask_temperature: float = 10.5
    top_p: float | None = None
    cutoff: float = 1.0
    count: str = "item"

    def __post_init__(self):
        if not (isinstance(self.passes, int) and self.passes >= 1):
            raise ValueError(f"{self.passes!r} passes were asked for, a whole number of at least 1 was expected")
        if self.temperature < 0 or self.mask_temperature < 0:
            raise ValueError(f"temperature {self.temperature} and mask temperature {self.mask_temperature} were given, 0 or more was expected")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}, above 0 and at most 1 was expected; None turns it off")
        if self.count not in ("item", "batch"):
            raise ValueError(f'count is {self.count!r}, "item" or "batch" was expected')


@dataclass(frozen=True)
class Step:
    """What one pass did.

    index, passes: which pass of how many, from 0. codes: int64 [batch, codebooks, frames], every hidden place filled with this pass's guess.
    mask: bool, the same shape, hidden again for the next pass (nothing after the last). guessed: bool, what this pass had to guess.
    confidence: float, the same shape, log p + noise where guessed, +inf elsewhere. ratio: share of the passes done.
    probabilities: [guessed tokens, entries] in the order of codes[guessed], where asked for.
    """

    index: int
    passes: int
    codes: Tensor
    mask: Tensor
    guessed: Tensor
    confidence: Tensor
    ratio: float
    probabilities: Tensor | None = None


def top_p_filter(logits: Tensor, top_p: float) -> Tensor:
    """Logits [.., entries] with all but the nucleus at -inf: the fewest likeliest entries whose probability passes `top_p`."""
    ordered, order = logits.sort(-1, descending=True)
    before = ordered.softmax(-1).cumsum(-1).roll(1, -1)
    before[..., 0] = 0
    return logits.masked_fill((before > top_p).gather(-1, order.argsort(-1)), float("-inf"))


def distribution(logits: Tensor, settings: Settings) -> Tensor:
    """Probabilities [tokens, entries] to draw from: nucleus first, then temperature (vampnet d3)."""
    if settings.top_p is not None:
        logits = top_p_filter(logits, settings.top_p)
    return (logits / (settings.temperature or 1.0)).softmax(-1)


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """One entry a row of probabilities [tokens, entries], by the inverse of the distribution at uniform [tokens] in [0, 1).

    In double precision: in single, the sum of 1024 small numbers is off by enough to be heard as a lower temperature.
    """
    steps = probabilities.double().cumsum(-1)
    return torch.searchsorted(steps, (uniform * steps[:, -1])[:, None].contiguous(), right=True)[:, 0].clamp(max=probabilities.shape[-1] - 1)


def hide_again(confidence: Tensor, counts: Tensor) -> Tensor:
    """The `counts` [batch] least confident tokens of each item, bool in the shape of confidence [batch, codebooks, frames]."""
    flat = confidence.transpose(1, 2).flatten(1)  # frame by frame, codebook fastest, as the reference lays them out
    rank = flat.argsort(dim=-1, stable=True).argsort(-1)
    hidden = (rank < counts[:, None]) & flat.isfinite()
    return hidden.unflatten(1, (confidence.shape[2], confidence.shape[1])).transpose(1, 2)


def step(
    codes: Tensor, mask: Tensor, logits: Tensor, uniform: Tensor, gumbel: Tensor, start: Tensor, index: int, settings: Settings, tokens: Tensor | None = None
) -> Step:
    """One pass, without a model and without chance of its own.

    codes, mask: [batch, codebooks, frames]. logits: [hidden tokens, entries] in the order of codes[mask]. uniform, gumbel: draws [hidden tokens] for the tokens
    and for the ranking. start: hidden tokens at the start, by item [batch]. tokens: guesses to use instead of drawing, to replay a recorded run.
    """
    ratio = (index + 1) / settings.passes
    probabilities = distribution(logits, settings)
    if tokens is None:
        greedy = index / settings.passes > settings.cutoff
        tokens = probabilities.argmax(-1) if greedy else draw(probabilities, uniform)
    sure = probabilities.gather(-1, tokens[:, None])[:, 0].log()
    confidence = torch.full(codes.shape, float("inf"), dtype=sure.dtype, device=codes.device)
    confidence[mask] = sure + settings.mask_temperature * (1 - ratio) * gumbel.to(sure.dtype)
    codes = codes.clone()
    codes[mask] = tokens
    now = mask.flatten(1).sum(1).tolist()
    goal = [int(start.sum())] * len(now) if settings.count == "batch" else start.tolist()
    counts = [0 if index + 1 == settings.passes else schedules.remaining(n, d, ratio) for n, d in zip(now, goal, strict=True)]
    hidden = hide_again(confidence, torch.tensor(counts, device=codes.device))
    return Step(index, settings.passes, codes, hidden, mask, confidence, ratio, probabilities)


def sample(
    model: nn.Module,
    codes: Tensor,
    mask: Tensor,
    *,
    seeds: Sequence[int],
    passes: int = 36,
    temperature: float = 1.0,
    mask_temperature: float = 10.5,
    top_p: float | None = None,
    cutoff: float = 1.0,
    count: str = "item",
    keep_probabilities: bool = False,
) -> Iterator[Step]:
    """Fill in what the mask hides, pass by pass; the last Step's codes are the result.

    model: a masked transformer. codes: int64 [batch, codebooks, frames]; what they hold where hidden does not matter.
    mask: bool, the same shape; codebooks that the model is conditioned on are never hidden.
    seeds: one an item; an item's take depends on its own seed alone. The others: see Settings.
    Raises TypeError and ValueError for codes, masks and settings that do not fit, before the first pass.
    Paper: section 3.3. Notebook: 05.
    """
    settings = Settings(passes, temperature, mask_temperature, top_p, cutoff, count)
    codes, mask = _checked(model, codes, mask, seeds)
    return _passes(model, codes, mask, seeds, settings, keep_probabilities)


@torch.inference_mode()
def _passes(model: nn.Module, codes: Tensor, mask: Tensor, seeds: Sequence[int], settings: Settings, keep: bool) -> Iterator[Step]:
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    start = mask.flatten(1).sum(1)
    for index in range(settings.passes):
        draws = torch.stack([torch.rand(2, *codes.shape[1:], generator=g, dtype=torch.float64) for g in generators]).to(codes.device)
        uniform, gumbel = draws[:, 0][mask], -torch.log(-torch.log(draws[:, 1][mask].clamp(min=1e-20)))
        done = step(codes, mask, model(codes, mask, hidden_only=True).float(), uniform, gumbel, start, index, settings)
        codes, mask = done.codes, done.mask
        yield done if keep else Step(**{**vars(done), "probabilities": None})


def _checked(model: nn.Module, codes: Tensor, mask: Tensor, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    config = model.config
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(
            f"a mask of type {getattr(mask, 'dtype', type(mask).__name__)} was given, torch.bool was expected (True hides); convert with mask.bool()"
        )
    if not isinstance(codes, Tensor) or codes.ndim != 3 or codes.shape[1] != config.codebooks or mask.shape != codes.shape:
        raise ValueError(
            f"codes of shape {tuple(getattr(codes, 'shape', ()))} and a mask of shape {tuple(mask.shape)} were given, "
            f"both [batch, {config.codebooks}, frames] was expected"
        )
    if len(seeds) != len(codes):
        raise ValueError(f"{len(seeds)} seeds were given for {len(codes)} items, one an item was expected")
    mask = mask.clone()
    mask[:, : config.conditioning] = False
    check_codes(torch.where(mask, torch.zeros_like(codes), codes), config.entries)
    return torch.where(mask, torch.zeros_like(codes), codes), mask
