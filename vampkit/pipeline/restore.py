"""Restoring: put the original samples back where nothing is hidden, without clicks at the borders. Notebook: 08."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
from torch import Tensor

from vampkit import masks
from vampkit.codec import Tokens
from vampkit.pipeline.source import Prompted, Source

FADE = 0.01
"""Length in seconds of the fade between the original and the generated sound. It lies in the generated sound."""


def restore(blocks: Iterable[np.ndarray], source: Source, prompted: Prompted, mask: Tensor) -> Iterator[np.ndarray]:
    """Put the samples of a source back into a take that comes in blocks.

    Parameters
    ----------
    blocks : iterable of ndarray
        The take in blocks [channels, samples], at the source's sample rate.
    source : Source
        The source with the original sound; see `check_restorable`.
    prompted : Prompted
        Tells where the original lies in the take.
    mask : Tensor
        bool [codebooks, frames], True = hidden.

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
    """Raise an error, before anything is generated, if the original cannot be put back.

    Parameters
    ----------
    source : Source
        Must hold sound, not only tokens.
    prompted : Prompted
        Its prompt must not move the frames that it keeps.

    Raises
    ------
    ValueError
        If one of these conditions does not hold.
    """
    if source.piece is None:
        raise ValueError("restore puts the original's sound back, and only tokens were given; give the clip")
    if prompted.moved:
        raise ValueError(
            f"{prompted.prompt!r} moves what it keeps, so the original cannot be put back; leave restore out"
        )


def spans(mask: Tensor, tokens: Tokens, rate: int) -> list[tuple[int, int]]:
    """Find the spans of samples that belong to frames with nothing hidden.

    Parameters
    ----------
    mask : Tensor
        bool [codebooks, frames].
    tokens : Tokens
        The tokens that the mask belongs to.
    rate : int
        Samples per second.

    Returns
    -------
    list of (int, int)
        First sample and the one after the last of each span.
    """
    samples = tokens.hop * rate / tokens.rate
    return [(round(a * samples), round(b * samples)) for a, b in masks.runs(~mask.any(0))]


def restored(
    blocks: Iterable[np.ndarray], original: Callable[[int, int], np.ndarray], spans: list[tuple[int, int]], fade: int
) -> Iterator[np.ndarray]:
    """Replace spans of samples in a take by the original.

    A hard cut at the border of a span would click. So the difference between original and take inside the span is
    mirrored at the border, and added to the take outside the span with a fade-out. This gives no click, and nothing of
    the hidden parts of the original is heard.

    Notebook: 08

    Parameters
    ----------
    blocks : iterable of ndarray
        The take in blocks [channels, samples]. A single channel is repeated for each channel of the original.
    original : callable
        `original(first, last)` gives the samples first to last - 1 of the original, [channels, samples].
    spans : list of (int, int)
        Where the original is put back: first sample of each span, and the one after its last.
    fade : int
        Length of the fade beside a span, in samples.

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
    """Samples `out` to `upto` - 1 of the result of `restored`. held: the take from sample `start` on."""
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
