"""Masks: which tokens are hidden. Boolean [codebooks, frames], True = hidden, to be filled in (the paper's 1).

Plain functions, combined with &, | and ~: `a & b` hides what both hide, `a | b` what either hides.
Paper: section 3.4. Notebook: 02.
"""

from __future__ import annotations

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


def periodic(codebooks: int, frames: int, period: int, width: int = 1, offset: int = 0) -> Tensor:
    """`width` frames kept around every `period`-th, from frame `offset` on; period 0 keeps none (paper, section 3.4).

    An even width keeps one frame more after than before; the reference keeps width + 1 frames there. Notebook: 02.
    """
    _check(codebooks, frames)
    if period < 0 or width < 1:
        raise ValueError(f"period {period} and width {width} were given, a period of 0 or more frames and a width of at least 1 were expected")
    if period == 0:
        return full(codebooks, frames)
    first = -((width - 1) // 2)
    kept = (torch.arange(min(offset % period, frames), frames, period)[:, None] + torch.arange(first, first + width)).flatten()
    mask = full(codebooks, frames)
    mask[:, kept[(kept >= 0) & (kept < frames)]] = False
    return mask


def prefix(codebooks: int, frames: int, kept: int) -> Tensor:
    """All but the first `kept` frames hidden (paper, section 3.4)."""
    _check(codebooks, frames)
    if not 0 <= kept <= frames:
        raise ValueError(f"a prefix of {kept} frames was asked for, 0 to {frames} was expected")
    return (torch.arange(frames) >= kept).expand(codebooks, frames).clone()


def suffix(codebooks: int, frames: int, kept: int) -> Tensor:
    """All but the last `kept` frames hidden (paper, section 3.4)."""
    return prefix(codebooks, frames, kept).flip(-1)


def codebooks(codebooks: int, frames: int, keep: int) -> Tensor:
    """All but the first `keep` codebooks hidden: the compression prompt (paper, section 3.4)."""
    _check(codebooks, frames)
    if not 0 <= keep <= codebooks:
        raise ValueError(f"{keep} codebooks were to be kept, 0 to {codebooks} was expected")
    return (torch.arange(codebooks) >= keep)[:, None].expand(codebooks, frames).clone()


def _check(codebooks: int, frames: int) -> None:
    if codebooks < 1 or frames < 1:
        raise ValueError(f"a mask of {codebooks} codebooks and {frames} frames was asked for, at least 1 of each was expected")
