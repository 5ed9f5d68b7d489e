"""Masks: which tokens are hidden from the model, which then fills them in.

A mask is a boolean tensor [codebooks, frames]. True means hidden (the paper writes 1 for it).
Masks combine with &, | and ~: `a & b` hides what both hide, `a | b` hides what at least one of them hides.
Paper: section 3.4. Notebook: 02.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor


def full(codebooks: int, frames: int) -> Bool[Tensor, "codebooks frames"]:
    """Hide everything.

    Notebook: 00, 02, 07

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask, at least 1 of each.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True everywhere.
    """
    _check(codebooks, frames)
    return torch.ones(codebooks, frames, dtype=torch.bool)


def empty(codebooks: int, frames: int) -> Bool[Tensor, "codebooks frames"]:
    """Hide nothing.

    Notebook: 02

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask, at least 1 of each.

    Returns
    -------
    Tensor
        bool [codebooks, frames], False everywhere.
    """
    _check(codebooks, frames)
    return torch.zeros(codebooks, frames, dtype=torch.bool)


def random(codebooks: int, frames: int, ratio: float, generator: torch.Generator) -> Bool[Tensor, "codebooks frames"]:
    """Hide each token with probability `ratio`, independently of the others (paper, section 3.2).

    Notebook: 02, 03

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    ratio : float
        The mask ratio, from 0 (nothing hidden) to 1 (everything).
    generator : torch.Generator
        Source of the random numbers.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For a ratio outside 0 to 1.
    """
    _check(codebooks, frames)
    if not 0 <= ratio <= 1:
        raise ValueError(f"the mask ratio is {ratio}, 0 (nothing hidden) to 1 (everything) was expected")
    return torch.rand(codebooks, frames, generator=generator) < ratio


def share(codebooks: int, frames: int, kept: float, generator: torch.Generator) -> Bool[Tensor, "codebooks frames"]:
    """Keep exactly round(kept * codebooks * frames) tokens, drawn without replacement.

    `random`, in contrast, keeps the wanted number only on average.

    Notebook: 02

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    kept : float
        Fraction of the tokens to keep, from 0 (nothing) to 1 (everything).
    generator : torch.Generator
        Source of the random numbers.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For a share outside 0 to 1.
    """
    if not 0 <= kept <= 1:
        raise ValueError(f"a share of {kept} was to be kept, 0 (nothing) to 1 (everything) was expected")
    mask = full(codebooks, frames).flatten()
    mask[torch.randperm(len(mask), generator=generator)[: round(kept * len(mask))]] = False
    return mask.unflatten(0, (codebooks, frames))


def periodic(
    codebooks: int, frames: int, period: int, width: int = 1, offset: int = 0, *, reference: bool = False
) -> Bool[Tensor, "codebooks frames"]:
    """Keep `width` frames around every `period`-th frame, `offset` among them (paper, section 3.4).

    With an even width, one frame more is kept after the centre than before it.

    Notebook: 00, 02, 07

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    period : int
        Distance between kept frames. Period 0 keeps no frame, period 1 keeps all. A width >= period keeps all, too,
        but for a few at the start if there is an offset.
    width : int
        Frames kept around each centre, at least 1.
    offset : int
        A frame that is a centre; only its remainder by the period counts.
    reference : bool
        Do as the reference code does: it keeps width + 1 frames if the width is even, and `offset` wraps around the
        end.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For a period below 0 or a width below 1.

    Examples
    --------
    >>> periodic(1, 6, period=3).int()
    tensor([[0, 1, 1, 0, 1, 1]], dtype=torch.int32)
    """
    if period < 0 or width < 1:
        raise ValueError(
            f"period {period} and width {width} were given, "
            "a period of 0 or more frames and a width of at least 1 were expected"
        )
    if period == 0:
        return full(codebooks, frames)
    if reference:
        centres = range(0, frames, period)
        return windows(codebooks, frames, centres, width // 2, width // 2 + 1).roll(offset % period, -1)
    before = (width - 1) // 2
    return windows(codebooks, frames, range(min(offset % period, frames), frames, period), before, width - before)


def windows(
    codebooks: int, frames: int, at: Iterable[int], before: int, after: int, *, reference: bool = False
) -> Bool[Tensor, "codebooks frames"]:
    """Keep frames [f - before, f + after) around each f of `at`, cut at the borders (paper, section 3.4).

    Used for the frames of beats and onsets, for example.

    Notebook: 09

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    at : iterable of int
        The frames f.
    before, after : int
        How many frames are kept before f, and how many from f on (f included).
    reference : bool
        Do as the reference code does: it drops a window that starts before frame 0.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For a negative number of frames.
    """
    if before < 0 or after < 0:
        raise ValueError(
            f"windows of {before} frames before and {after} after were asked for, 0 or more of each was expected"
        )
    at = torch.as_tensor(list(at), dtype=torch.int64)
    if reference:
        at = at[at >= before]
    kept = (at[:, None] + torch.arange(-before, after)).flatten()
    mask = full(codebooks, frames)
    mask[:, kept[(kept >= 0) & (kept < frames)]] = False
    return mask


def gap(codebooks: int, frames: int, start: int, end: int) -> Bool[Tensor, "codebooks frames"]:
    """Hide frames [start, end) and keep all others: inpainting (paper, section 3.4).

    Notebook: 08

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    start, end : int
        The first hidden frame, and the first one after it that is kept again.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For a gap that does not lie in the mask.
    """
    _check(codebooks, frames)
    if not 0 <= start <= end <= frames:
        raise ValueError(f"a gap from frame {start} to {end} was asked for, 0 <= start <= end <= {frames} was expected")
    at = torch.arange(frames)
    return ((at >= start) & (at < end)).expand(codebooks, frames).clone()


def prefix(codebooks: int, frames: int, kept: int) -> Bool[Tensor, "codebooks frames"]:
    """Keep the first `kept` frames and hide the others (paper, section 3.4).

    Notebook: 02, 08

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    kept : int
        How many frames are kept.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For more frames than there are.
    """
    return gap(codebooks, frames, _kept(kept, frames, "prefix"), frames)


def suffix(codebooks: int, frames: int, kept: int) -> Bool[Tensor, "codebooks frames"]:
    """Keep the last `kept` frames and hide the others (paper, section 3.4).

    Notebook: 02, 08

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    kept : int
        How many frames are kept.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For more frames than there are.
    """
    return prefix(codebooks, frames, _kept(kept, frames, "suffix")).flip(-1)


def _kept(kept: int, frames: int, what: str) -> int:
    if not 0 <= kept <= frames:
        raise ValueError(f"a {what} of {kept} frames was asked for, 0 to {frames} was expected")
    return kept


def codebooks(codebooks: int, frames: int, keep: int) -> Bool[Tensor, "codebooks frames"]:
    """Keep the first `keep` codebooks and hide the others: the compression prompt (paper, section 3.4).

    Notebook: 02, 06

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the mask.
    keep : int
        How many codebooks are kept.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For more codebooks than there are.
    """
    _check(codebooks, frames)
    if not 0 <= keep <= codebooks:
        raise ValueError(f"{keep} codebooks were to be kept, 0 to {codebooks} was expected")
    return (torch.arange(codebooks) >= keep)[:, None].expand(codebooks, frames).clone()


def only(mask: Bool[Tensor, "codebooks frames"], codebooks: Iterable[int]) -> Bool[Tensor, "codebooks frames"]:
    """Keep a mask's rows for some codebooks, and hide all other rows completely.

    With it each codebook can have its own mask: `only(a, [0]) & only(b, [1, 2])`.

    Notebook: 06

    Parameters
    ----------
    mask : Tensor
        bool [codebooks, frames], True = hidden.
    codebooks : iterable of int
        Rows of the mask that stay as they are, from 0.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        If no codebook is given, or one that the mask does not have.
    """
    rows = sorted(set(codebooks))
    if not rows or rows[0] < 0 or rows[-1] >= len(mask):
        raise ValueError(f"the codebooks {rows} were chosen, some of 0 to {len(mask) - 1} were expected")
    chosen = torch.ones_like(mask)
    chosen[rows] = mask[rows]
    return chosen


def dropout(
    mask: Bool[Tensor, "codebooks frames"], dropped: float, generator: torch.Generator, *, reference: bool = False
) -> Bool[Tensor, "codebooks frames"]:
    """Hide round(dropped * n) more frames, where n is the number of frames in which any token is kept.

    These frames are drawn without replacement and hidden in all codebooks.

    Notebook: 07

    Parameters
    ----------
    mask : Tensor
        bool [codebooks, frames], True = hidden.
    dropped : float
        Fraction of the kept frames to hide, from 0 (none) to 1 (all).
    generator : torch.Generator
        Source of the random numbers.
    reference : bool
        Do as the reference code does: it draws int(dropped * frames) of all frames with replacement, so it hides fewer.

    Returns
    -------
    Tensor
        bool [codebooks, frames], True = hidden.

    Raises
    ------
    ValueError
        For a fraction outside 0 to 1.
    """
    if not 0 <= dropped <= 1:
        raise ValueError(f"{dropped} of the kept frames were to be dropped, 0 (none) to 1 (all) was expected")
    frames = mask.shape[-1]
    if reference:
        hidden = torch.randint(0, frames, (int(frames * dropped),), generator=generator)
    else:
        kept = torch.nonzero(~mask.all(-2))[:, 0]
        hidden = kept[torch.randperm(len(kept), generator=generator)[: round(dropped * len(kept))]]
    mask = mask.clone()
    mask[:, hidden] = True
    return mask


def as_mask(value: Tensor | np.ndarray | Sequence) -> Bool[Tensor, "codebooks frames"]:
    """Convert a tensor, an array or nested lists of booleans to a mask.

    Parameters
    ----------
    value : Tensor | np.ndarray | Sequence
        bool [codebooks, frames], True = hidden. From a batch of one, [1, codebooks, frames], its only item is taken.

    Returns
    -------
    Tensor
        bool [codebooks, frames], a copy in main memory.

    Raises
    ------
    TypeError
        For values that are not boolean.
    ValueError
        For another shape.
    """
    array = np.array(value.cpu().numpy() if isinstance(value, Tensor) else value)
    if array.dtype != bool:
        raise TypeError(
            f"a mask of type {array.dtype} was given, booleans were expected (True = hidden); "
            "convert it with mask.bool() or mask.astype(bool)"
        )
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"a mask of shape {array.shape} was given, [codebooks, frames] was expected; choose one item of a batch"
        )
    return torch.from_numpy(array)


def runs(row: Bool[Tensor | np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """Find the stretches of True in one row of a mask.

    Notebook: 10

    Parameters
    ----------
    row : Tensor | np.ndarray
        bool [frames].

    Returns
    -------
    list of (int, int)
        The first frame of each stretch, and the first frame after it.

    Examples
    --------
    >>> runs(torch.tensor([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.asarray(row, np.int8), prepend=0, append=0)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def pack(mask: Tensor | np.ndarray | Sequence) -> bytes:
    """Write a mask as bits, row after row. The first token is the highest bit of the first byte.

    Parameters
    ----------
    mask : Tensor | np.ndarray | Sequence
        bool [codebooks, frames].

    Returns
    -------
    bytes
        codebooks * frames / 8 bytes, rounded up.
    """
    return np.packbits(as_mask(mask).numpy()).tobytes()


def unpack(data: bytes, codebooks: int, frames: int) -> Bool[Tensor, "codebooks frames"]:
    """Read the mask whose bits `pack` wrote.

    Parameters
    ----------
    data : bytes
        The bits.
    codebooks, frames : int
        Rows and columns of the mask.

    Returns
    -------
    Tensor
        bool [codebooks, frames].

    Raises
    ------
    ValueError
        If the number of bytes does not fit the shape.
    """
    _check(codebooks, frames)
    count = codebooks * frames
    if len(data) != -(-count // 8):
        raise ValueError(
            f"{len(data)} bytes were given for a mask of {codebooks} x {frames}, {-(-count // 8)} were expected"
        )
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count).astype(bool)
    return torch.from_numpy(bits).unflatten(0, (codebooks, frames))


def to_base64(mask: Tensor | np.ndarray | Sequence) -> str:
    """Write a mask as a short text, its shape and its bits, in characters that never need quoting.

    Parameters
    ----------
    mask : Tensor | np.ndarray | Sequence
        bool [codebooks, frames].

    Returns
    -------
    str
        Such as "2x12:8A8w", the bits in URL-safe base64. `vampkit.prompts.Drawn` prints its mask this way.
    """
    rows, frames = as_mask(mask).shape
    return f"{rows}x{frames}:{base64.urlsafe_b64encode(pack(mask)).decode().rstrip('=')}"


def from_base64(text: str) -> Bool[Tensor, "codebooks frames"]:
    """Read the mask that `to_base64` wrote.

    Parameters
    ----------
    text : str
        Such as "2x12:8A8w".

    Returns
    -------
    Tensor
        bool [codebooks, frames].

    Raises
    ------
    ValueError
        For any other text.
    """
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*):([\w-]*)", text)
    try:
        rows, frames, packed = found.groups() if found else (1, 1, "")
        return unpack(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), int(rows), int(frames))
    except ValueError:
        raise ValueError(
            f"the text {text[:40]!r} is no mask, shape and bits such as '2x12:8A8w' were expected; "
            "write it with masks.to_base64"
        ) from None


def _check(codebooks: int, frames: int) -> None:
    if codebooks < 1 or frames < 1:
        raise ValueError(
            f"a mask of {codebooks} codebooks and {frames} frames was asked for, at least 1 of each was expected"
        )
