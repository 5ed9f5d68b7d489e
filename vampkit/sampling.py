"""The sampling loop: guess every hidden token, keep the ones the model is surest of, hide the others again, repeat.

One pure step, and one iterator over it. Everything that generates (pipeline, notebooks, panel, tests) iterates
`sample`; nothing else loops. Paper: section 3.3, equation 2, footnote 5. Notebook: 05.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vampkit import schedules
from vampkit.model import check_codes

ANNEALINGS = {
    "linear": schedules.linear, "cosine": schedules.cosine, "square": schedules.square, "root": schedules.root, "constant": lambda u: 1.0,
}  # fmt: skip
"""How the noise on the confidences falls with the share of the passes done."""


@dataclass(frozen=True)
class Settings:
    """Of one run.

    passes: how often the model is asked (paper: 36). temperature: of the tokens; 0 is no temperature, as in the
    reference.
    mask_temperature: of the noise on the confidences (10.5 in the reference, above 6 in the paper), which falls over
    the passes as `annealing` says: "linear" (the paper's), "cosine", "square" or "root" as in vampkit.schedules, or
    "constant".
    top_p, top_k, min_p, typical: limits on what may be drawn, see the functions of these names; None turns one off.
    cutoff: share of the passes after which tokens are the likeliest instead of drawn; below 0 every pass is greedy.
    count: "item" counts hidden tokens item by item; "batch" over the whole batch, as the reference does, whose takes
    then depend on their company.
    """

    passes: int = 36
    temperature: float = 1.0
    mask_temperature: float = 10.5
    top_p: float | None = None
    cutoff: float = 1.0
    count: str = "item"
    top_k: int | None = None
    min_p: float | None = None
    typical: float | None = None
    annealing: str = "linear"

    def __post_init__(self):
        if not (isinstance(self.passes, int) and self.passes >= 1):
            raise ValueError(f"{self.passes!r} passes were asked for, a whole number of at least 1 was expected")
        if self.temperature < 0 or self.mask_temperature < 0:
            raise ValueError(
                f"temperature {self.temperature} and mask temperature {self.mask_temperature} were given, 0 or more was expected"
            )
        for name in ("top_p", "min_p", "typical"):
            amount = getattr(self, name)
            if amount is not None and not 0 < amount <= 1:
                raise ValueError(f"{name} is {amount}, above 0 and at most 1 was expected; None turns it off")
        if self.top_k is not None and not (isinstance(self.top_k, int) and self.top_k >= 1):
            raise ValueError(f"top_k is {self.top_k!r}, a whole number of at least 1 was expected; None turns it off")
        if self.annealing not in ANNEALINGS:
            raise ValueError(f"annealing is {self.annealing!r}, one of {', '.join(ANNEALINGS)} was expected")
        if self.count not in ("item", "batch"):
            raise ValueError(f'count is {self.count!r}, "item" or "batch" was expected')


@dataclass(frozen=True)
class Step:
    """What one pass did.

    index, passes: which pass of how many, from 0. codes: int64 [batch, codebooks, frames], every hidden place filled
    with this pass's guess.
    mask: bool, the same shape, hidden again for the next pass (nothing after the last). guessed: bool, what this pass
    had to guess.
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


def top_k(logits: Tensor, amount: int) -> Tensor:
    """Logits [.., entries] with all but the `amount` likeliest entries at -inf.

    Ties with the last of them stay. Notebook: 05.
    """
    least = logits.topk(min(amount, logits.shape[-1]), -1).values[..., -1:]
    return logits.masked_fill(logits < least, float("-inf"))


def top_p(logits: Tensor, amount: float) -> Tensor:
    """Logits [.., entries] with all but the nucleus at -inf.

    The fewest likeliest entries whose probability passes `amount`.

    Source: Holtzman et al. 2020. Notebook: 05.
    """
    ordered, order = logits.sort(-1, descending=True)
    before = ordered.softmax(-1).cumsum(-1).roll(1, -1)
    before[..., 0] = 0
    outside = before > amount
    return logits.masked_fill(outside.scatter(-1, order, outside), float("-inf"))


def min_p(logits: Tensor, amount: float) -> Tensor:
    """Logits [.., entries] with those at -inf that are less than `amount` times as likely as the likeliest.

    Source: Nguyen et al. 2024. Notebook: 05.
    """
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + math.log(amount), float("-inf"))


def typical(logits: Tensor, amount: float, least: int = 1) -> Tensor:
    """Logits [.., entries] with all but the locally typical set at -inf.

    Entries whose surprise is nearest to the mean surprise.

    They are taken nearest first until their probability reaches `amount`, ties and at least `least` of them included.
    Source: Meister et al. 2023; the reference offers it, where it has no effect (vampnet d6). Notebook: 05.
    """
    surprise = -logits.log_softmax(-1)
    probability = (-surprise).exp()
    mean = (probability * surprise).nan_to_num(0.0).sum(-1, keepdim=True)  # 0 log 0 is 0
    distance, order = (surprise - mean).abs().sort(-1)
    last = (probability.gather(-1, order).cumsum(-1) < amount).sum(-1, keepdim=True)
    last = last.clamp(min=least - 1, max=logits.shape[-1] - 1)
    return logits.masked_fill((surprise - mean).abs() > distance.gather(-1, last), float("-inf"))


FILTERS = {"typical": typical, "top_k": top_k, "top_p": top_p, "min_p": min_p}
"""In the order in which they are applied: the reference's, then min-p."""


def distribution(logits: Tensor, settings: Settings) -> Tensor:
    """Probabilities [tokens, entries] to draw from: filters first, then temperature (vampnet d3)."""
    for name, limit in FILTERS.items():
        if (amount := getattr(settings, name)) is not None:
            logits = limit(logits, amount)
    return (logits / (settings.temperature or 1.0)).softmax(-1)


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """One entry a row of probabilities [tokens, entries], by the inverse of the distribution at uniform [tokens] in [0,
    1).

    In double precision: in single, the sum of 1024 small numbers is off by enough to be heard as a lower temperature.
    """
    steps = probabilities.double().cumsum(-1)
    return torch.searchsorted(steps, (uniform * steps[:, -1])[:, None].contiguous(), right=True)[:, 0].clamp(
        max=probabilities.shape[-1] - 1
    )


def hide_again(confidence: Tensor, counts: Tensor) -> Tensor:
    """The `counts` [batch] least confident tokens of each item, bool in the shape of confidence [batch, codebooks,
    frames]."""
    flat = confidence.transpose(1, 2).flatten(1)  # frame by frame, codebook fastest, as the reference lays them out
    rank = flat.argsort(dim=-1, stable=True).argsort(-1)
    hidden = (rank < counts[:, None]) & flat.isfinite()
    return hidden.unflatten(1, (confidence.shape[2], confidence.shape[1])).transpose(1, 2)


def step(
    codes: Tensor,
    mask: Tensor,
    logits: Tensor,
    uniform: Tensor,
    gumbel: Tensor,
    start: Tensor,
    index: int,
    settings: Settings,
    tokens: Tensor | None = None,
) -> Step:
    """One pass, without a model and without chance of its own.

    codes, mask: [batch, codebooks, frames]. logits: [hidden tokens, entries] in the order of codes[mask]. uniform,
    gumbel: draws [hidden tokens] for the tokens and for the ranking. start: hidden tokens at the start, by item
    [batch]. tokens: guesses to use instead of drawing, to replay a recorded run.
    """
    ratio = (index + 1) / settings.passes
    probabilities = distribution(logits, settings)
    if tokens is None:
        greedy = index / settings.passes > settings.cutoff
        tokens = probabilities.argmax(-1) if greedy else draw(probabilities, uniform)
    sure = probabilities.gather(-1, tokens[:, None])[:, 0].log()
    confidence = torch.full(codes.shape, float("inf"), dtype=sure.dtype, device=codes.device)
    confidence[mask] = sure + settings.mask_temperature * ANNEALINGS[settings.annealing](ratio) * gumbel.to(sure.dtype)
    codes = codes.clone()
    codes[mask] = tokens
    now = mask.flatten(1).sum(1).tolist()
    goal = [int(start.sum())] * len(now) if settings.count == "batch" else start.tolist()
    counts = [
        0 if index + 1 == settings.passes else schedules.remaining(n, d, ratio) for n, d in zip(now, goal, strict=True)
    ]
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
    top_k: int | None = None,
    min_p: float | None = None,
    typical: float | None = None,
    annealing: str = "linear",
    keep_probabilities: bool = False,
    circular: bool = False,
) -> Iterator[Step]:
    """Fill in what the mask hides, pass by pass; the last Step's codes are the result.

    model: a masked transformer. codes: int64 [batch, codebooks, frames]; what they hold where hidden does not matter.
    mask: bool, the same shape; codebooks that the model is conditioned on are never hidden.
    seeds: one an item; an item's take depends on its own seed alone. circular: the last frame is the first one's
    neighbour. The others: see Settings. Raises TypeError and ValueError for codes, masks and settings that do not fit,
    before the first pass. Paper: section 3.3. Notebook: 05.
    """
    settings = Settings(passes, temperature, mask_temperature, top_p, cutoff, count, top_k, min_p, typical, annealing)
    codes, mask = _checked(model, codes, mask, seeds)
    return _passes(model, codes, mask, seeds, settings, keep_probabilities, circular)


@torch.inference_mode()
def _passes(
    model: nn.Module, codes: Tensor, mask: Tensor, seeds: Sequence[int], settings: Settings, keep: bool, circular: bool
) -> Iterator[Step]:
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    start = mask.flatten(1).sum(1)
    for index in range(settings.passes):
        draws = torch.stack([torch.rand(2, *codes.shape[1:], generator=g, dtype=torch.float64) for g in generators]).to(
            codes.device
        )
        uniform, gumbel = draws[:, 0][mask], -torch.log(-torch.log(draws[:, 1][mask].clamp(min=1e-20)))
        done = step(codes, mask, hidden_logits(model, codes, mask, circular), uniform, gumbel, start, index, settings)
        codes, mask = done.codes, done.mask
        yield done if keep else Step(**{**vars(done), "probabilities": None})


def hidden_logits(model: nn.Module, codes: Tensor, mask: Tensor, circular: bool) -> Tensor:
    """Logits [hidden tokens, entries], float32, of codes and mask [batch, codebooks, frames].

    On a CPU item by item, which is as fast: the sums of a batch round in another order, and one token drawn otherwise
    would change all that follow it.
    """
    around = {"circular": True} if circular else {}
    size = 1 if codes.device.type == "cpu" else len(codes)
    return torch.cat(
        [
            model(c, m, hidden_only=True, **around).float()
            for c, m in zip(codes.split(size), mask.split(size), strict=True)
        ]
    )


def _checked(model: nn.Module, codes: Tensor, mask: Tensor, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    config = model.config
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(
            f"a mask of type {getattr(mask, 'dtype', type(mask).__name__)} was given, torch.bool was expected (True hides); convert with mask.bool()"
        )
    if (
        not isinstance(codes, Tensor)
        or codes.ndim != 3
        or codes.shape[1] != config.codebooks
        or mask.shape != codes.shape
    ):
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
