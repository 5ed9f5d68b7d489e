"""The sampling loop: guess every hidden token, keep the most confident guesses, hide the others again, repeat.

`step` is one pass, a pure function. `sample` iterates over the passes. All code that generates tokens (pipeline,
notebooks, panel, tests) uses `sample`; there is no other loop.

Paper: section 3.3, equation 2, footnote 5. Notebook: 05.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vampkit import schedules
from vampkit.model import check_codes, check_mask

ANNEALINGS = {"linear": schedules.linear} | schedules.SCHEDULES | {"constant": lambda u: 1.0}
"""Functions from the fraction of the passes that is done to the scale of the noise on the confidences."""


def _is_number(value: object, kind: type = Real) -> bool:
    """Whether it is a finite number, of Python or of NumPy."""
    right = isinstance(value, kind) and not isinstance(value, bool)
    return right and (isinstance(value, Integral) or math.isfinite(value))


@dataclass(frozen=True)
class Settings:
    """The settings of the sampling loop. With model, codes, mask and seeds they determine the result.

    Notebook: 05

    Parameters
    ----------
    passes : int
        How often the model is called (paper: 36).
    temperature : float
        Sampling temperature of the tokens. 0 means the same as 1, as in the reference code.
    mask_temperature : float
        Scale of the noise that is added to the confidences before they decide which tokens stay (10.5 in the reference
        code, above 6 in the paper).
    schedule : str
        How the mask ratio falls over the passes: "cosine" (as in the paper) or another name in `schedules.SCHEDULES`.
    annealing : str
        How the noise falls over the passes: "linear" (as in the paper), the name of another schedule, or "constant".
    top_k, top_p, min_p, typical : int or float, optional
        Limits on which tokens may be drawn, see the functions of these names; None turns a limit off.
    typical_min_tokens : int
        The smallest number of tokens that `typical` leaves.
    cutoff : float
        After this fraction of the passes, the likeliest token is taken instead of a random one. Below 0: in all passes.
    count : str
        "item" counts the hidden tokens of each item. "batch" counts those of the whole batch, as the reference code
        does; the result of an item then depends on the other items.

    Raises
    ------
    ValueError
        For a value outside its range.
    """

    passes: int = 36
    temperature: float = 1.0
    mask_temperature: float = 10.5
    schedule: str = "cosine"
    annealing: str = "linear"
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical: float | None = None
    typical_min_tokens: int = 1
    cutoff: float = 1.0
    count: str = "item"

    def __post_init__(self):
        for name in ("passes", "top_k", "typical_min_tokens"):
            self._check(name, "a whole number of at least 1", lambda v: _is_number(v, Integral) and v >= 1)
        for name in ("temperature", "mask_temperature"):
            self._check(name, "a number of 0 or more", lambda v: _is_number(v) and v >= 0)
        self._check("cutoff", "a number", _is_number)
        for name in ("top_p", "min_p", "typical"):
            self._check(name, "above 0 and at most 1", lambda v: _is_number(v) and 0 < v <= 1)
        words = {"schedule": schedules.SCHEDULES, "annealing": ANNEALINGS, "count": ("item", "batch")}
        for name, known in words.items():
            self._check(name, f"one of {', '.join(known)}", lambda v, known=known: isinstance(v, str) and v in known)

    def _check(self, name: str, expected: str, fits: Callable) -> None:
        """Raise ValueError unless a setting has such a value, or is None and may be."""
        value, limit = getattr(self, name), name in FILTERS
        if not fits(value) and not (limit and value is None):
            hint = "; None turns it off" if limit else ""
            raise ValueError(f"{name} is {value!r}, {expected} was expected{hint}")


@dataclass(frozen=True)
class Step:
    """What one pass did.

    Notebook: 05

    Parameters
    ----------
    index, passes : int
        Number of the pass, from 0, and how many passes there are.
    codes : Int[Tensor, "batch codebooks frames"]
        The codes, with the guesses of this pass at all places that were hidden.
    mask : Bool[Tensor, "batch codebooks frames"]
        True where a token is hidden again for the next pass. All False after the last pass.
    guessed : Bool[Tensor, "batch codebooks frames"]
        True where this pass had to guess.
    confidence : Float[Tensor, "batch codebooks frames"]
        log p + noise where guessed, +inf elsewhere.
    ratio : float
        Fraction of the passes that is done.
    probabilities : Float[Tensor, "guessed entries"], optional
        The distribution of each guess, in the order of codes[guessed]; None unless it was asked for.
    """

    index: int
    passes: int
    codes: Int[Tensor, "batch codebooks frames"]
    mask: Bool[Tensor, "batch codebooks frames"]
    guessed: Bool[Tensor, "batch codebooks frames"]
    confidence: Float[Tensor, "batch codebooks frames"]
    ratio: float
    probabilities: Float[Tensor, "hidden entries"] | None = None


def top_k(logits: Float[Tensor, "*rows entries"], amount: int) -> Float[Tensor, "*rows entries"]:
    """Keep only the likeliest entries.

    Notebook: 05

    Parameters
    ----------
    logits : Float[Tensor, "*rows entries"]
        Logits of the entries.
    amount : int
        How many are kept. Entries as likely as the last of these are kept too.

    Returns
    -------
    Tensor
        The logits [.., entries], -inf for the other entries.

    Raises
    ------
    ValueError
        For an amount below 1.
    """
    if amount < 1:
        raise ValueError(f"the likeliest {amount} entries were asked for, at least 1 was expected")
    least = logits.topk(min(amount, logits.shape[-1]), -1).values[..., -1:]
    return logits.masked_fill(logits < least, float("-inf"))


def top_p(logits: Float[Tensor, "*rows entries"], amount: float) -> Float[Tensor, "*rows entries"]:
    """Keep only the nucleus: the smallest set of likeliest entries whose total probability exceeds `amount`.

    Source: Holtzman et al. 2020.

    Notebook: 05

    Parameters
    ----------
    logits : Float[Tensor, "*rows entries"]
        Logits of the entries.
    amount : float
        Probability, above 0 and at most 1.

    Returns
    -------
    Tensor
        The logits [.., entries], -inf for the other entries.
    """
    ordered, order = logits.sort(-1, descending=True)
    before = ordered.softmax(-1).cumsum(-1).roll(1, -1)
    before[..., 0] = 0
    outside = before > amount
    return logits.masked_fill(outside.scatter(-1, order, outside), float("-inf"))


def min_p(logits: Float[Tensor, "*rows entries"], amount: float) -> Float[Tensor, "*rows entries"]:
    """Drop the entries that are less than `amount` times as likely as the likeliest.

    Source: Nguyen et al. 2024.

    Notebook: 05

    Parameters
    ----------
    logits : Float[Tensor, "*rows entries"]
        Logits of the entries.
    amount : float
        Above 0 and at most 1.

    Returns
    -------
    Tensor
        The logits [.., entries], -inf for the dropped entries.

    Raises
    ------
    ValueError
        For an amount outside (0, 1].
    """
    if not 0 < amount <= 1:
        raise ValueError(f"the amount is {amount}, above 0 and at most 1 was expected")
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + math.log(amount), float("-inf"))


def typical(logits: Float[Tensor, "*rows entries"], amount: float, least: int = 1) -> Float[Tensor, "*rows entries"]:
    """Keep only the locally typical set: entries whose surprise (-log p) is nearest to the mean surprise.

    Source: Meister et al. 2023. The reference code offers it, but discards its result.

    Notebook: 05

    Parameters
    ----------
    logits : Float[Tensor, "*rows entries"]
        Logits of the entries.
    amount : float
        Entries are added, nearest first, until their total probability reaches this. Ties are included.
    least : int
        The smallest number of entries to keep.

    Returns
    -------
    Tensor
        The logits [.., entries], -inf for the other entries.
    """
    surprise = -logits.log_softmax(-1)
    probability = (-surprise).exp()
    mean = (probability * surprise).nan_to_num(0.0).sum(-1, keepdim=True)  # 0 log 0 is 0
    distance, order = (surprise - mean).abs().sort(-1)
    last = (probability.gather(-1, order).cumsum(-1) < amount).sum(-1, keepdim=True)
    last = last.clamp(min=least - 1, max=logits.shape[-1] - 1)
    return logits.masked_fill((surprise - mean).abs() > distance.gather(-1, last), float("-inf"))


FILTERS = {"typical": typical, "top_k": top_k, "top_p": top_p, "min_p": min_p}
"""The filters by their names in `Settings`, in the order in which they are applied.

The order is that of the reference code, with min-p after it.
"""


def distribution(logits: Float[Tensor, "hidden entries"], settings: Settings) -> Float[Tensor, "hidden entries"]:
    """Turn logits into the probabilities to draw from: first the filters, then the temperature.

    This is the order of the reference code.

    Notebook: 05

    Parameters
    ----------
    logits : Float[Tensor, "hidden entries"]
        Logits from the model.
    settings : Settings
        Only the filters and the temperature are used.

    Returns
    -------
    Tensor
        [hidden tokens, entries], each row adds up to 1.
    """
    for name, limit in FILTERS.items():
        if (amount := getattr(settings, name)) is not None:
            extra = (settings.typical_min_tokens,) if name == "typical" else ()
            logits = limit(logits, amount, *extra)
    return (logits / (settings.temperature or 1.0)).softmax(-1)


def draw(probabilities: Float[Tensor, "hidden entries"], uniform: Float[Tensor, " hidden"]) -> Int[Tensor, " hidden"]:
    """Draw one entry per row, by inverse transform sampling.

    The sums are in double precision. In single precision the sum of 1024 small numbers has an error so large that it
    is heard as a lower temperature.

    Notebook: 05

    Parameters
    ----------
    probabilities : Float[Tensor, "hidden entries"]
        Probabilities of the entries.
    uniform : Float[Tensor, " hidden"]
        One random number in [0, 1) per row.

    Returns
    -------
    Tensor
        int64 [hidden tokens].
    """
    if probabilities.device.type == "mps":  # which has no double precision
        return draw(probabilities.cpu(), uniform.cpu()).to(probabilities.device)
    steps = probabilities.double().cumsum(-1)
    found = torch.searchsorted(steps, (uniform * steps[:, -1])[:, None].contiguous(), right=True)
    return found[:, 0].clamp(max=probabilities.shape[-1] - 1)


def hide_again(
    confidence: Float[Tensor, "batch codebooks frames"], counts: Int[Tensor, " batch"]
) -> Bool[Tensor, "batch codebooks frames"]:
    """Choose the least confident tokens of each item (paper, equation 2).

    Notebook: 05

    Parameters
    ----------
    confidence : Float[Tensor, "batch codebooks frames"]
        Confidence of each token; +inf where a token must not be hidden.
    counts : Int[Tensor, " batch"]
        How many tokens of each item to hide.

    Returns
    -------
    Tensor
        bool [batch, codebooks, frames], True = hidden.
    """
    flat = confidence.transpose(1, 2).flatten(1)  # frame by frame, as in the reference code
    rank = flat.argsort(dim=-1, stable=True).argsort(-1)
    hidden = (rank < counts[:, None]) & flat.isfinite()
    return hidden.unflatten(1, (confidence.shape[2], confidence.shape[1])).transpose(1, 2)


def step(
    codes: Int[Tensor, "batch codebooks frames"],
    mask: Bool[Tensor, "batch codebooks frames"],
    logits: Float[Tensor, "hidden entries"],
    uniform: Float[Tensor, " hidden"],
    gumbel: Float[Tensor, " hidden"],
    start: Int[Tensor, " batch"],
    index: int,
    settings: Settings,
    tokens: Int[Tensor, " hidden"] | None = None,
) -> Step:
    """Do one pass. A pure function: the logits and random numbers are given.

    Notebook: 05

    Parameters
    ----------
    codes : Int[Tensor, "batch codebooks frames"]
        Codes before the pass; values at hidden places are ignored.
    mask : Bool[Tensor, "batch codebooks frames"]
        True where a token is hidden.
    logits : Float[Tensor, "hidden entries"]
        Logits from the model, in the order of codes[mask].
    uniform, gumbel : Float[Tensor, " hidden"]
        Random numbers: uniform ones to draw the tokens, Gumbel ones as the noise on the confidences.
    start : Int[Tensor, " batch"]
        How many tokens of each item were hidden before the first pass.
    index : int
        Number of the pass, from 0.
    settings : Settings
        Settings of the run.
    tokens : Int[Tensor, " hidden"], optional
        Guesses to use instead of drawing, to replay a recorded run.

    Returns
    -------
    Step
        What the pass did.
    """
    ratio = (index + 1) / settings.passes
    probabilities = distribution(logits, settings)
    if tokens is None:
        greedy = index / settings.passes > settings.cutoff
        tokens = probabilities.argmax(-1) if greedy else draw(probabilities, uniform)
    log_p = probabilities.gather(-1, tokens[:, None])[:, 0].log()
    noise = settings.mask_temperature * ANNEALINGS[settings.annealing](ratio) * gumbel.to(log_p.dtype)
    confidence = torch.full(codes.shape, float("inf"), dtype=log_p.dtype, device=codes.device)
    confidence[mask] = log_p + noise
    codes = codes.clone()
    codes[mask] = tokens
    counts = torch.tensor(_still_hidden(mask, start, ratio, settings), device=codes.device)
    return Step(index, settings.passes, codes, hide_again(confidence, counts), mask, confidence, ratio, probabilities)


def _still_hidden(mask: Tensor, start: Tensor, ratio: float, settings: Settings) -> list[int]:
    """How many tokens of each item are hidden after a pass that ends at `ratio` of the run."""
    now = mask.flatten(1).sum(1).tolist()
    if ratio == 1:
        return [0] * len(now)
    before = [int(start.sum())] * len(now) if settings.count == "batch" else start.tolist()
    schedule = schedules.SCHEDULES[settings.schedule]
    return [schedules.remaining(n, first, ratio, schedule) for n, first in zip(now, before, strict=True)]


def sample(
    model: nn.Module,
    codes: Tensor,
    mask: Tensor,
    seeds: Sequence[int],
    settings: Settings = Settings(),  # noqa: B008  (frozen)
    *,
    keep_probabilities: bool = False,
    circular: bool = False,
) -> Iterator[Step]:
    """Fill in what the mask hides, pass by pass. The codes of the last Step are the result.

    Paper: section 3.3.

    Notebook: 05

    Parameters
    ----------
    model : nn.Module
        A masked transformer.
    codes : Tensor
        int64 [batch, codebooks, frames]; values at hidden places are ignored.
    mask : Tensor
        bool [batch, codebooks, frames], True = hidden. It has no effect on the conditioning codebooks of the model.
    seeds : sequence of int
        One seed per item. The result of an item depends only on its own seed, not on the other items.
    settings : Settings
        Passes, temperatures and the other settings.
    keep_probabilities : bool
        Store the probabilities in each Step.
    circular : bool
        For loops: the last frame is next to the first.

    Yields
    ------
    Step
        One per pass.

    Raises
    ------
    TypeError, ValueError
        If the codes or the mask do not fit the model; raised before the first pass.

    Examples
    --------
    >>> *_, last = sample(model, codes, mask, [1], Settings(passes=12))
    """
    codes, mask = _checked(model, codes, mask, seeds)
    return _passes(model, codes, mask, seeds, settings, keep_probabilities, circular)


@torch.inference_mode()
def _passes(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    mask: Bool[Tensor, "batch codebooks frames"],
    seeds: Sequence[int],
    settings: Settings,
    keep: bool,
    circular: bool,
) -> Iterator[Step]:
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    start = mask.flatten(1).sum(1)
    for index in range(settings.passes):
        draws = [torch.rand(2, *codes.shape[1:], generator=g, dtype=torch.float64) for g in generators]
        uniform, gumbel = torch.stack(draws).unbind(1)
        gumbel = -torch.log(-torch.log(gumbel.clamp(min=1e-20)))
        if codes.device.type == "mps":
            uniform, gumbel = uniform.float(), gumbel.float()
        uniform, gumbel = uniform.to(codes.device), gumbel.to(codes.device)[mask]
        logits = hidden_logits(model, codes, mask, circular)
        done = step(codes, mask, logits, uniform[mask], gumbel, start, index, settings)
        codes, mask = done.codes, done.mask
        yield done if keep else replace(done, probabilities=None)


def hidden_logits(
    model: nn.Module,
    codes: Int[Tensor, "batch codebooks frames"],
    mask: Bool[Tensor, "batch codebooks frames"],
    circular: bool = False,
) -> Float[Tensor, "hidden entries"]:
    """Compute the model's logits of the hidden tokens. Items without hidden tokens are left out.

    On a CPU the items are computed one by one, which is as fast. In a batch, sums are rounded in another order; a
    single token that is drawn differently because of that would change all later ones.

    Parameters
    ----------
    model : nn.Module
        A masked transformer.
    codes, mask : Tensor
        [batch, codebooks, frames].
    circular : bool
        For loops: the last frame is next to the first.

    Returns
    -------
    Tensor
        Logits, float32 [hidden tokens, entries], in the order of codes[mask].
    """
    busy = mask.flatten(1).any(1)
    if not bool(busy.any()):
        return torch.zeros(0, model.config.entries, device=codes.device)
    codes, mask = codes[busy], mask[busy]
    size = 1 if codes.device.type == "cpu" else len(codes)
    items = zip(codes.split(size), mask.split(size), strict=True)
    parts = [model(c, m, hidden_only=True, circular=circular).float() for c, m in items]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _checked(model: nn.Module, codes: Tensor, mask: Tensor, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Check that codes, mask and seeds fit the model.

    Returns the codes with zeros at hidden places, and the mask without the conditioning codebooks.
    """
    config = model.config
    check_mask(mask)
    if not isinstance(codes, Tensor):
        check_codes(codes, config.entries)  # says so
    shape = tuple(codes.shape)
    if len(shape) != 3 or shape[1] != config.codebooks or tuple(mask.shape) != shape:
        raise ValueError(
            f"codes of shape {shape} and a mask of shape {tuple(mask.shape)} were given, "
            f"both [batch, {config.codebooks}, frames] was expected"
        )
    if not hasattr(seeds, "__len__") or not all(_is_number(seed, Integral) and abs(seed) < 2**63 for seed in seeds):
        raise TypeError(f"seeds is {seeds!r}, a list with a whole number per item was expected, such as [1]")
    if len(seeds) != len(codes):
        raise ValueError(f"{len(seeds)} seeds were given for {len(codes)} items, one per item was expected")
    mask = mask.clone()
    mask[:, : config.conditioning] = False
    codes = torch.where(mask, torch.zeros_like(codes), codes)
    check_codes(codes, config.entries)
    return codes, mask
