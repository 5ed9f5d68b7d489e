"""Restoring: the original's samples put back where nothing is hidden, without a step at the borders. Notebook: 08."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from vampkit.codec import Tokens
from vampkit.pipeline.source import Prompted, Source

FADE = 0.01
"""Seconds over which a restored original turns into generated sound, on the generated side."""


def restore(blocks: Iterable[np.ndarray], source: Source, prompted: Prompted, mask: Tensor) -> Iterator[np.ndarray]:
    """Put a source's samples back into a take that comes in blocks.

    Parameters
    ----------
    blocks : iterable of ndarray
        [channels, samples] each, one after another, at the source's rate.
    source : Source
        Holds the original; see `check_restorable`.
    prompted : Prompted
        Where the original lies.
    mask : Tensor
        bool [codebooks, frames], what was hidden.

    Yields
    ------
    ndarray
        Blocks [channels, samples].
    """
    rate, tokens = source.rate, prompted.tokens
    shift = round(prompted.shift * tokens.hop * rate / tokens.rate)
    original = source.piece
    assert original is not None, "check_restorable comes first"
    yield from restored(
        blocks, lambda a, b: original(a - shift, b - shift), spans(mask, tokens, rate), round(FADE * rate)
    )


def check_restorable(source: Source, prompted: Prompted) -> None:
    """Refuse what cannot be put back before anything is made.

    Parameters
    ----------
    source : Source
        Must hold sound.
    prompted : Prompted
        Must leave what it keeps in its place.

    Raises
    ------
    ValueError
        If one of them does not.
    """
    if source.piece is None:
        raise ValueError("restore puts the original's sound back, and only tokens were given; give the clip")
    if prompted.moved:
        raise ValueError(
            f"{prompted.prompt!r} moves what it keeps, so the original cannot be put back; leave restore out"
        )


def spans(mask: Tensor, tokens: Tokens, rate: int) -> list[tuple[int, int]]:
    """Find the samples in whose frames nothing is hidden.

    Parameters
    ----------
    mask : Tensor
        bool [codebooks, frames].
    tokens : Tokens
        Whose frames they are.
    rate : int
        Samples per second.

    Returns
    -------
    list of (int, int)
        First sample and the one after the last of each span.
    """
    border = F.pad((~mask.any(0)).int(), (1, 1)).diff()
    found = zip((border == 1).nonzero()[:, 0].tolist(), (border == -1).nonzero()[:, 0].tolist(), strict=True)
    samples = tokens.hop * rate / tokens.rate
    return [(round(a * samples), round(b * samples)) for a, b in found]


def restored(
    blocks: Iterable[np.ndarray],
    original: Callable[[int, int], np.ndarray],
    spans: list[tuple[int, int]],
    fade: int,
) -> Iterator[np.ndarray]:
    """Put the original back in spans of samples.

    Beside a span the difference between original and take, mirrored at the border, is added and fades out. So nothing
    of the original that was hidden is heard, and no step either.

    Notebook: 08

    Parameters
    ----------
    blocks : iterable of ndarray
        A take, [channels, samples] each, one after another. One channel becomes as many as the original has.
    original : callable
        Gives its samples [channels, samples] from one place to another.
    spans : list of (int, int)
        Where it is put back, first sample and the one after the last.
    fade : int
        Samples beside a span over which it gives way.

    Yields
    ------
    ndarray
        Blocks [channels, samples].
    """
    held, start, out, near = None, 0, 0, 0
    channels = len(original(0, 0))
    for block in chain(blocks, [None]):
        if block is not None:
            block = np.repeat(block, channels, 0) if len(block) < channels else block
            held = block if held is None else np.concatenate([held, block], 1)
        if held is None:
            return
        end = start + held.shape[1]
        upto = end if block is None else end - 2 * fade
        if upto <= out:
            continue
        while near < len(spans) and spans[near][1] + fade <= out:
            near += 1
        yield _put_back(held, start, out, upto, original, spans[near:], fade)
        drop = max(0, upto - 2 * fade - start)
        held, start, out = held[:, drop:], start + drop, upto


def _put_back(
    held: np.ndarray, start: int, out: int, upto: int, original: Callable, spans: list[tuple[int, int]], fade: int
) -> np.ndarray:
    """Samples out to upto of `restored`; held [channels, samples] begins at start."""
    result, exact, end = held[:, out - start : upto - start].copy(), [], start + held.shape[1]
    for a, b in spans:
        a, b = max(a, 0), min(b, end)
        if a - fade >= upto or a >= b:
            break
        low, high = max(a, start, out - 2 * fade), min(b, upto + 2 * fade)
        true = original(low, high)
        high = low + true.shape[1]  # resampling may have made the take a sample longer than the original
        b = min(b, high)
        difference = true - held[:, low - start : high - start]
        k = np.arange(fade)
        weight = (1 - (k + 1) / (fade + 1)).astype(np.float32)
        for place, source in ((b + k, b - 1 - k), (a - 1 - k, a + k)):
            ok = (place >= out) & (place < upto) & (source >= low) & (source < high)
            result[:, place[ok] - out] += weight[ok] * difference[:, source[ok] - low]
        first, last = max(a, out), min(b, upto)
        if first < last:
            exact.append((first, true[:, first - low : last - low]))
    for first, true in exact:
        result[:, first - out : first - out + true.shape[1]] = true
    return result
