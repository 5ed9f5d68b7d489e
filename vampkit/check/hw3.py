"""Checks for homework 3, the model. `hidden` is the seed of the grader's own cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.arithmetic import attend
from vampkit.check.cases import Draw, pose
from vampkit.check.core import within
from vampkit.model import Embedding, FeedForward, RMSNorm, relative_buckets


def normed(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(x, weight)`: each row scaled to a mean square of 1, then multiplied by a weight.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The student's function. It takes x [frames, width] and weight [width], and returns [frames, width]. 1e-6
        is added to the mean square.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "The mean square, not the variance: no mean is taken off": lambda x, w: F.layer_norm(x, x.shape[-1:], w),
        "Each frame has a norm of its own": lambda x, w: x / (x.square().mean() + 1e-6).sqrt() * w,
        "The mean of the squares, not their sum": lambda x, w: x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt() * w,
        "What is the weight for?": lambda x, w: _normed(x, torch.ones_like(w)),
    }
    library = [RMSNorm.forward, F.rms_norm]
    return pose("normed", yours, _rows, _normed, hidden, traps=traps, library=library, tolerance=1e-3)


def buckets(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(distance, count, most)`: the bucket of each distance between two frames.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The student's function. It takes int64 [queries, keys], key minus query, the number of buckets, and the
        distance from which on all share one. It returns int64 of the same shape.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Which half is for keys that lie ahead?": lambda d, count, most: relative_buckets(-d, count, most),
        "Ahead and back have buckets of their own": lambda d, count, most: relative_buckets(-d.abs(), count, most),
        "Far distances share buckets: they grow with the logarithm": lambda d, count, most: (
            count // 2 * (d > 0).long() + d.abs().clamp(max=count // 2 - 1)
        ),
        "How many small distances have a bucket of their own?": lambda d, count, most: _buckets(d, count, most, 0.25),
    }
    holds = {
        "distance 0 has bucket 0": lambda found, d, *_: not found[(d == 0).numpy()].any(),
        "buckets are counted from 0 and end before their number": lambda found, d, count, _: within(
            found, 0, count - 1
        ),
    }
    library = [relative_buckets]
    return pose("buckets", yours, _distances, _buckets, hidden, traps=traps, holds=holds, library=library, names=True)


def attended(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(q, k, v, bias)`: softmax(q k / sqrt(size) + bias) v.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The student's function. It takes queries [heads, queries, size], keys and values [heads, keys, size] and
        a bias [heads, queries, keys]. It returns [heads, queries, size].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "By what are the products divided?": lambda q, k, v, bias: _attended(q * q.shape[-1] ** 0.5, k, v, bias),
        "The bias is added before the softmax, not left out": lambda q, k, v, bias: _attended(q, k, v, 0 * bias),
        "The weights of each query add up to 1: which axis is that?": lambda *case: _attended(*case, axis=-2),
        "The square root of the size, not the size": lambda q, k, v, bias: _attended(
            q / q.shape[-1] ** 0.5, k, v, bias
        ),
    }
    holds = {
        "a weighted mean lies between the smallest and the largest value": lambda found, q, k, v, bias: within(
            found, v.amin(1, keepdim=True).numpy(), v.amax(1, keepdim=True).numpy()
        )
    }
    library = [attend, F.scaled_dot_product_attention]
    return pose("attended", yours, _heads, _attended, hidden, traps=traps, holds=holds, library=library, tolerance=1e-3)


def embedded(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codes, mask, tables, unknown)`: the codebook vectors of each frame, one after another.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The student's function. It takes codes and mask [codebooks, frames], tables [codebooks, entries, dims]
        and the vectors [codebooks, dims] that stand for hidden tokens. It returns [frames, codebooks * dims].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "A hidden token has a vector of its own": lambda c, m, t, u: _embedded(c, torch.zeros_like(m), t, u),
        "True is hidden": lambda c, m, t, u: _embedded(c, ~m, t, u),
        "Each codebook has its own vector for hidden tokens": lambda c, m, t, u: _embedded(c, m, t, u[:1].expand_as(u)),
        "Codebook by codebook within a frame": lambda c, m, t, u: _interleaved(_embedded(c, m, t, u), len(c)),
    }
    holds = {
        "what was written at a hidden place does not matter": lambda found, c, m, t, u: np.allclose(
            found.reshape(c.shape[1], len(c), -1).swapaxes(0, 1)[m.numpy()], _vectors(c, m, t, u)[m], atol=1e-4
        )
    }
    return pose("embedded", yours, _tokens, _embedded, hidden, traps=traps, holds=holds, library=[Embedding.forward])


def gated(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(x, first, second)`: the feed-forward part, whose one half is the gate of the other.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The student's function. It takes x [frames, width] and matrices first [4 * width, width] and second
        [width, 2 * width]. It returns [frames, width].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Which half is the gate?": lambda x, a, b: F.linear(
            F.gelu((x @ a.T).chunk(2, -1)[0], approximate="tanh") * (x @ a.T).chunk(2, -1)[1], b
        ),
        "The gate goes through a GELU": lambda x, a, b: F.linear(torch.prod(torch.stack((x @ a.T).chunk(2, -1)), 0), b),
        "Only the gate goes through the GELU": lambda x, a, b: F.linear(
            torch.prod(torch.stack(F.gelu(x @ a.T, approximate="tanh").chunk(2, -1)), 0), b
        ),
    }
    library = [FeedForward.forward]
    return pose("gated", yours, _layers, _gated, hidden, traps=traps, library=library, tolerance=1e-3)


def smoothed(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(logits, codes, mask, amount)`: the mean cross entropy of the hidden tokens, with label smoothing.

    Notebook: 04

    Parameters
    ----------
    yours : Callable
        The student's function. It takes logits [codebooks, frames, entries], codes and mask [codebooks,
        frames], and how much of the target is spread evenly over all entries. It returns one number, in nats.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Which tokens count?": lambda x, c, m, amount: _smoothed(x, c, torch.ones_like(m), amount),
        "True is hidden": lambda x, c, m, amount: _smoothed(x, c, ~m, amount),
        "What of the smoothing?": lambda x, c, m, amount: _smoothed(x, c, m, 0.0),
        "A mean, not a sum": lambda x, c, m, amount: _smoothed(x, c, m, amount) * m.sum(),
        "All entries get their share, the true one too": _spread_over_others,
    }
    from vampkit.train.masked import masked_loss

    holds = {"a loss is above 0": lambda found, *_: found > 0}
    library = [F.cross_entropy, F.nll_loss, masked_loss]
    return pose("smoothed", yours, _guesses, _smoothed, hidden, traps=traps, holds=holds, library=library)


def _rows(draw: Draw) -> tuple:
    width = draw.whole(4, 12)
    return draw.number(0.2, 4) * draw.normal(draw.whole(width + 1, 20), width) + 0.5, draw.normal(width)


def _normed(x: Tensor, weight: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() * weight


def _distances(draw: Draw) -> tuple:
    """Without distances so near to the border of a bucket that an error of rounding decides."""
    queries, keys, first = draw.whole(5, 40), draw.whole(100, 260), draw.whole(0, 100)
    distance = torch.arange(keys)[None] - torch.arange(queries)[:, None] - first
    while True:
        count, most = 4 * draw.whole(3, 8), draw.whole(60, 200)
        exact = count // 4
        away = torch.arange(exact + 1, most, dtype=torch.float64)
        place = exact * torch.log(away / exact) / math.log(most / exact)
        if (place - place.round()).abs().min() > 1e-4:
            return distance, count, most


def _buckets(distance: Tensor, count: int, most: int, share: float = 0.5) -> Tensor:
    side = count // 2
    exact = max(1, int(side * share))
    away = distance.abs()
    far = exact + (torch.log(away.clamp(min=1).float() / exact) / math.log(most / exact) * (side - exact)).long()
    return side * (distance > 0).long() + torch.where(away < exact, away, far.clamp(max=side - 1))


def _heads(draw: Draw) -> tuple:
    heads, queries, keys, size = draw.whole(1, 4), draw.whole(5, 9), draw.whole(10, 15), draw.whole(3, 8)
    shapes = ((queries, size), (keys, size), (keys, size), (queries, keys))
    return tuple(2 * draw.normal(heads, *shape) for shape in shapes)


def _attended(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, axis: int = -1) -> Tensor:
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + bias).softmax(axis) @ v


def _tokens(draw: Draw) -> tuple:
    codebooks, entries, dims = draw.whole(2, 5), draw.whole(6, 12), draw.whole(2, 4)
    frames = draw.whole(7, 16)
    tables, unknown = draw.normal(codebooks, entries, dims), draw.normal(codebooks, dims)
    return draw.codes(entries, codebooks, frames), draw.mask(0.5, codebooks, frames), tables, unknown


def _vectors(codes: Tensor, mask: Tensor, tables: Tensor, unknown: Tensor) -> Tensor:
    known = torch.stack([table[row] for table, row in zip(tables, codes, strict=True)])
    return torch.where(mask[..., None], unknown[:, None], known)


def _embedded(codes: Tensor, mask: Tensor, tables: Tensor, unknown: Tensor) -> Tensor:
    return _vectors(codes, mask, tables, unknown).transpose(0, 1).flatten(1)


def _interleaved(frames: Tensor, codebooks: int) -> Tensor:
    return frames.unflatten(1, (codebooks, -1)).transpose(1, 2).flatten(1)


def _layers(draw: Draw) -> tuple:
    width = draw.whole(3, 8)
    return draw.normal(draw.whole(9, 15), width), draw.normal(4 * width, width), draw.normal(width, 2 * width)


def _gated(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    values, gate = (x @ first.T).chunk(2, -1)
    return (values * F.gelu(gate, approximate="tanh")) @ second.T


def _guesses(draw: Draw) -> tuple:
    codebooks, frames, entries = draw.whole(2, 4), draw.whole(6, 20), draw.whole(21, 40)
    codes, mask = draw.codes(entries, codebooks, frames), draw.mask(draw.number(0.3, 0.8), codebooks, frames)
    return 2 * draw.normal(codebooks, frames, entries), codes, mask, draw.number(0.05, 0.3)


def _smoothed(logits: Tensor, codes: Tensor, mask: Tensor, amount: float) -> Tensor:
    logs = logits.log_softmax(-1)
    true = logs.gather(-1, codes[..., None])[..., 0]
    return -((1 - amount) * true + amount * logs.mean(-1))[mask].mean()


def _spread_over_others(logits: Tensor, codes: Tensor, mask: Tensor, amount: float) -> Tensor:
    logs = logits.log_softmax(-1)
    true = logs.gather(-1, codes[..., None])[..., 0]
    others = (logs.sum(-1) - true) / (logits.shape[-1] - 1)
    return -((1 - amount) * true + amount * others)[mask].mean()
