"""Checks for homework 1, tokens.

`hidden` is the seed of the grader's own cases; without it the few cases are those that everybody sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.check.cases import Draw, pose
from vampkit.check.core import within


def bitrate(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codebooks, entries, rate, hop)`: how many bits a second a codec spends.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the number of codebooks, of entries in each, of samples a second, and of
        samples in a frame. It returns bits a second.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    from vampkit.codec import Tokens

    traps = {
        "How many bits does it take to name one of the entries?": lambda k, v, rate, hop: k * v * rate / hop,
        "Every frame has a token in each codebook": lambda k, v, rate, hop: math.log2(v) * rate / hop,
        "How many frames has a second?": lambda k, v, rate, hop: k * math.log2(v) * rate,
        "Frames a second, not seconds a frame": lambda k, v, rate, hop: k * math.log2(v) * hop / rate,
    }
    return pose("bitrate", yours, _sizes, _bitrate, hidden, traps=traps, library=[Tokens.bits_per_second])


def nearest(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(vectors, table)`: the entry that is nearest by angle.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The student's function. It takes vectors [frames, dims] and a table [entries, dims], and returns the number of
        an entry for each vector, [frames].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "That is the nearest by distance": lambda vectors, table: torch.cdist(vectors, table).argmin(1),
        "A long entry has large products with everything": lambda vectors, table: (vectors @ table.T).argmax(1),
        "That is the entry that points away most": lambda vectors, table: (vectors @ F.normalize(table).T).argmin(1),
        "An entry for each vector, not a vector for each entry": lambda vectors, table: (
            F.normalize(vectors) @ table.T
        ).argmax(0),
    }
    holds = {
        "entries are counted from 0 and end before their number": lambda codes, _, table: within(
            codes, 0, len(table) - 1
        )
    }
    return pose("nearest", yours, _points, _nearest, hidden, traps=traps, holds=holds, library=_dac(), names=True)


def residual(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(vectors, tables)`: the codes of residual quantization, nearest by angle at every stage.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The student's function. It takes vectors [frames, dims] and tables [stages, entries, dims], and returns codes
        [stages, frames].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Each stage sees what the stages before it have left": lambda vectors, tables: torch.stack(
            [_nearest(vectors, table) for table in tables]
        ),
        "The first axis is that of the stages": lambda vectors, tables: _residual(vectors, tables).T,
        "Nearest by angle here, not by distance": lambda vectors, tables: _residual(
            vectors, tables, lambda v, t: torch.cdist(v, t).argmin(1)
        ),
        "Take away the raw entry, with its own length": lambda *case: _residual(*case, scaled=F.normalize),
    }
    holds = {
        "the first row is that of plain quantization": lambda codes, vectors, tables: np.array_equal(
            codes[0], _nearest(vectors, tables[0])
        )
    }
    settings = dict(traps=traps, holds=holds, library=_dac(), names=True, calls={"nearest": nearest})
    return pose("residual", yours, _stages, _residual, hidden, **settings)


def summed(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codes, tables, stages)`: what the first stages add up to.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The student's function. It takes codes [codebooks, frames], tables [codebooks, entries, dims] and how many
        codebooks to use, from 0 on. It returns vectors [frames, dims].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Only the first stages count": lambda codes, tables, stages: _summed(codes, tables, len(tables)),
        "One stage more or less": lambda codes, tables, stages: _summed(codes, tables, stages + 1),
        "That is the last stage alone": lambda codes, tables, stages: (
            _summed(codes, tables, stages) - _summed(codes, tables, stages - 1)
        ),
        "A sum, not a mean": lambda codes, tables, stages: _summed(codes, tables, stages) / max(1, stages),
    }
    holds = {"no stage gives only zeros": lambda found, codes, tables, stages: stages > 0 or not found.any()}
    return pose("summed", yours, _codes, _summed, hidden, traps=traps, holds=holds, library=_dac())


def entropy(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codes, entries)`: the entropy of each codebook in bits.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The student's function. It takes codes [codebooks, frames] and the number of entries, and returns bits
        [codebooks].
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    from vampkit.metrics import entry_counts, perplexity

    traps = {
        "Those are nats; how many bits is a nat?": lambda codes, entries: _entropy(codes, entries) * math.log(2),
        "A codebook has an entropy of its own": lambda codes, entries: _entropy(codes.reshape(1, -1), entries).expand(
            len(codes)
        ),
        "An entropy is not below 0": lambda codes, entries: -_entropy(codes, entries),
        "That is the most it could be": lambda codes, entries: torch.full((len(codes),), math.log2(entries)),
    }
    holds = {"it lies between 0 and log2(entries)": lambda bits, _, entries: within(bits, 0, math.log2(entries))}
    return pose("entropy", yours, _used, _entropy, hidden, traps=traps, holds=holds, library=[perplexity, entry_counts])


def si_sdr(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(original, decoded)`: the scale-invariant signal-to-distortion ratio in decibels.

    Notebook: 01

    Parameters
    ----------
    yours : Callable
        The student's function. It takes two sounds [samples] and returns one number.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    from vampkit.metrics import si_sdr as library

    traps = {
        "Take both means off first": lambda *case: _si_sdr(*case, centred=False),
        "The original may be scaled, so that a softer copy is not punished": lambda x, y: (
            10 * torch.log10(x.sub(x.mean()).square().sum() / (y - y.mean() - x + x.mean()).square().sum())
        ),
        "A ratio of energies: 10, not 20, times the logarithm": lambda x, y: 2 * _si_sdr(x, y),
        "Noise over signal has the other sign": lambda x, y: -_si_sdr(x, y),
    }
    return pose("si_sdr", yours, _sounds, _si_sdr, hidden, traps=traps, library=[library], tolerance=1e-3)


def _dac() -> list[Callable]:
    from vampkit.codec.descript import dac

    quantizer = dac.nn.quantize.VectorQuantize
    return [quantizer.decode_latents, quantizer.embed_code, quantizer.decode_code]


def _sizes(draw: Draw) -> tuple:
    return draw.whole(2, 14), 2 ** draw.whole(3, 11), draw.whole(8000, 48000), draw.whole(100, 1000)


def _bitrate(codebooks: int, entries: int, rate: int, hop: int) -> float:
    return codebooks * math.log2(entries) * rate / hop


def _table(draw: Draw, entries: int, dims: int) -> Tensor:
    """Entries of many lengths, so that near by angle is not near by distance."""
    return draw.normal(entries, dims) * (0.2 + 3 * draw.uniform(entries, 1))


def _points(draw: Draw) -> tuple:
    dims = draw.whole(2, 6)
    return draw.normal(draw.whole(12, 40), dims), _table(draw, draw.whole(5, 11), dims)


def _nearest(vectors: Tensor, table: Tensor) -> Tensor:
    return (vectors @ F.normalize(table).T).argmax(1)


def _stages(draw: Draw) -> tuple:
    dims, entries = draw.whole(3, 6), draw.whole(5, 11)
    tables = torch.stack([_table(draw, entries, dims) for _ in range(draw.whole(2, 5))])
    return draw.normal(draw.whole(12, 40), dims), tables


def _residual(vectors: Tensor, tables: Tensor, choose: Callable = _nearest, scaled: Callable = lambda e: e) -> Tensor:
    codes = []
    for table in tables:
        codes.append(choose(vectors, table))
        vectors = vectors - scaled(table[codes[-1]])
    return torch.stack(codes)


def _codes(draw: Draw) -> tuple:
    codebooks, entries = draw.whole(3, 6), draw.whole(4, 16)
    codes = draw.codes(entries, codebooks, draw.whole(7, 20))
    stages = draw.whole(0, codebooks - 1)
    return codes, draw.normal(codebooks, entries, draw.whole(2, 5)), 0 if draw.place == 2 else stages


def _summed(codes: Tensor, tables: Tensor, stages: int) -> Tensor:
    total = tables.new_zeros(codes.shape[1], tables.shape[2])
    for row, table in zip(codes[: max(0, stages)], tables, strict=False):
        total = total + table[row]
    return total


def _used(draw: Draw) -> tuple:
    """Codes of which each codebook uses another part of its entries."""
    entries, codebooks = draw.whole(8, 64), draw.whole(2, 6)
    rows = [draw.codes(draw.whole(2, entries), draw.whole(30, 30)) for _ in range(codebooks)]
    return torch.stack(rows), entries


def _entropy(codes: Tensor, entries: int) -> Tensor:
    share = F.one_hot(codes, entries).double().mean(1)
    return -(share * share.clamp(min=1e-30).log2()).sum(1)


def _sounds(draw: Draw) -> tuple:
    x = draw.normal(draw.whole(200, 900)) * 0.3 + draw.number(-0.2, 0.2)
    return x, draw.number(0.3, 2) * x + draw.number(0.02, 0.2) * draw.normal(len(x)) + draw.number(-0.2, 0.2)


def _si_sdr(x: Tensor, y: Tensor, centred: bool = True) -> Tensor:
    x, y = x.double(), y.double()
    if centred:
        x, y = x - x.mean(), y - y.mean()
    target = (x @ y) / (x @ x) * x
    return 10 * torch.log10((target @ target) / ((y - target) @ (y - target)))
