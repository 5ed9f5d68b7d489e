"""Masks: which tokens are hidden. Boolean [codebooks, frames], True = hidden, to be filled in (the paper's 1).

Plain functions, combined with &, | and ~: `a & b` hides what both hide, `a | b` what either hides.
Paper: section 3.4. Notebook: 02.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def full(codebooks: int, frames: int) -> Tensor:
    """Everything hidden, bool [codebooks, frames]. Notebook: 02."""
    _check(codebooks, frames)
    return torch.ones(codebooks, frames, dtype=torch.bool)


def empty(codebooks: int, frames: int) -> Tensor:
    """Nothing hidden, bool [codebooks, frames]. Notebook: 02."""
    _check(codebooks, frames)
    return torch.zeros(codebooks, frames, dtype=torch.bool)


def random(codebooks: int, frames: int, ratio: float, generator: torch.Generator) -> Tensor:
    """Each token hidden by itself with probability `ratio` (paper, section 3.2). Notebook: 02."""
    _check(codebooks, frames)
    if not 0 <= ratio <= 1:
        raise ValueError(f"the mask ratio is {ratio}, 0 (nothing hidden) to 1 (everything) was expected")
    return torch.rand(codebooks, frames, generator=generator) < ratio


def share(codebooks: int, frames: int, kept: float, generator: torch.Generator) -> Tensor:
    """Exactly round(kept * codebooks * frames) tokens kept, drawn without replacement.

    `random` keeps as many only on average. Notebook: 02.
    """
    _check(codebooks, frames)
    if not 0 <= kept <= 1:
        raise ValueError(f"a share of {kept} was to be kept, 0 (nothing) to 1 (everything) was expected")
    mask = full(codebooks, frames).flatten()
    mask[torch.randperm(len(mask), generator=generator)[: round(kept * len(mask))]] = False
    return mask.unflatten(0, (codebooks, frames))


def periodic(
    codebooks: int, frames: int, period: int, width: int = 1, offset: int = 0, *, reference: bool = False
) -> Tensor:
    """`width` frames kept around every `period`-th, from frame `offset` on (paper, section 3.4).

    Period 0 keeps none, period 1 and a width from the period on keep all. An even width keeps one frame more after than
    before.
    reference: as upstream's code, which keeps width + 1 frames of an even width, and shifts by `offset` around the end.
    Notebook: 02, 07.
    """
    _check(codebooks, frames)
    if period < 0 or width < 1:
        raise ValueError(
            f"period {period} and width {width} were given, a period of 0 or more frames and a width of at least 1 were expected"
        )
    if period == 0:
        return full(codebooks, frames)
    if reference:
        return windows(codebooks, frames, range(0, frames, period), width // 2, width // 2 + 1).roll(
            offset % period, -1
        )
    before = (width - 1) // 2
    return windows(codebooks, frames, range(min(offset % period, frames), frames, period), before, width - before)


def windows(
    codebooks: int, frames: int, at: Iterable[int], before: int, after: int, *, reference: bool = False
) -> Tensor:
    """Frames [f - before, f + after) kept around each f of `at`, cut at the borders.

    Beats and onsets (paper, section 3.4).

    reference: as upstream's code, which loses a window that starts before frame 0. Notebook: 09.
    """
    _check(codebooks, frames)
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


def gap(codebooks: int, frames: int, start: int, end: int) -> Tensor:
    """Frames [start, end) hidden, all others kept: inpainting (paper, section 3.4). Notebook: 08."""
    _check(codebooks, frames)
    if not 0 <= start <= end <= frames:
        raise ValueError(f"a gap from frame {start} to {end} was asked for, 0 <= start <= end <= {frames} was expected")
    at = torch.arange(frames)
    return ((at >= start) & (at < end)).expand(codebooks, frames).clone()


def prefix(codebooks: int, frames: int, kept: int) -> Tensor:
    """All but the first `kept` frames hidden (paper, section 3.4). Notebook: 08."""
    _check(codebooks, frames)
    if not 0 <= kept <= frames:
        raise ValueError(f"a prefix of {kept} frames was asked for, 0 to {frames} was expected")
    return gap(codebooks, frames, kept, frames)


def suffix(codebooks: int, frames: int, kept: int) -> Tensor:
    """All but the last `kept` frames hidden (paper, section 3.4). Notebook: 08."""
    return prefix(codebooks, frames, kept).flip(-1)


def codebooks(codebooks: int, frames: int, keep: int) -> Tensor:
    """All but the first `keep` codebooks hidden: the compression prompt (paper, section 3.4). Notebook: 06."""
    _check(codebooks, frames)
    if not 0 <= keep <= codebooks:
        raise ValueError(f"{keep} codebooks were to be kept, 0 to {codebooks} was expected")
    return (torch.arange(codebooks) >= keep)[:, None].expand(codebooks, frames).clone()


def only(mask: Tensor, codebooks: Iterable[int]) -> Tensor:
    """The mask [K, T] in the rows of `codebooks` (from 0), everything hidden in the others.

    A mask by codebook. Notebook: 06.
    """
    rows = sorted(set(codebooks))
    if not rows or rows[0] < 0 or rows[-1] >= len(mask):
        raise ValueError(f"the codebooks {rows} were chosen, some of 0 to {len(mask) - 1} were expected")
    chosen = torch.ones_like(mask)
    chosen[rows] = mask[rows]
    return chosen


def dropout(mask: Tensor, share: float, generator: torch.Generator, *, reference: bool = False) -> Tensor:
    """The mask [K, T] with round(share * n) of its n frames that keep anything hidden too, whole, drawn without
    replacement.

    reference: as upstream's code, which draws int(share * T) of all T frames with replacement, and so hides fewer.
    Notebook: 07.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} was to be dropped, 0 (nothing) to 1 (everything) was expected")
    frames = mask.shape[-1]
    if reference:
        dropped = torch.randint(0, frames, (int(frames * share),), generator=generator)
    else:
        kept = torch.nonzero(~mask.all(-2))[:, 0]
        dropped = kept[torch.randperm(len(kept), generator=generator)[: round(share * len(kept))]]
    mask = mask.clone()
    mask[..., dropped] = True
    return mask


def _check(codebooks: int, frames: int) -> None:
    if codebooks < 1 or frames < 1:
        raise ValueError(
            f"a mask of {codebooks} codebooks and {frames} frames was asked for, at least 1 of each was expected"
        )
