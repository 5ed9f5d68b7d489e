"""Prompts of the paper that need nothing but tokens: by codebook, by period, by place, at random, by hand."""

from __future__ import annotations

import base64
import re
from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vampkit import masks
from vampkit.codec import Tokens
from vampkit.prompts.base import Prompt, number, prompt_type, whole

if TYPE_CHECKING:
    from vampkit.audio import Clip


@prompt_type
class Compression(Prompt):
    """Keeps the first `codebooks` codebooks, of every frame or of every `downsampling`-th.

    Raises ValueError for more codebooks than there are. Paper: section 3.4. Notebook: 06.
    """

    codebooks: int = 1
    downsampling: int = field(default=1, repr=False)

    def __post_init__(self):
        whole(self, "codebooks", 0)
        whole(self, "downsampling", 1)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        shape = tokens.codebooks, tokens.frames
        return masks.codebooks(*shape, self.codebooks) | masks.periodic(*shape, self.downsampling)


@prompt_type
class Periodic(Prompt):
    """Keeps `width` frames around every `period`-th frame, from frame `offset` on; all their codebooks.

    Period 0 keeps nothing; period 1, and a width from the period on, keep everything but what lies before the first
    window.
    roll: a seed; it draws an offset below the period, added to `offset` (the reference rolls at every call).
    Paper: section 3.4. Notebook: 07.
    """

    period: int = 7
    width: int = 1
    offset: int = 0
    roll: int | None = field(default=None, repr=False)

    def __post_init__(self):
        whole(self, "period", 0)
        whole(self, "width", 1)
        whole(self, "offset")
        whole(self, "roll", optional=True)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        offset = self.offset
        if self.roll is not None and self.period:
            offset += int(torch.randint(self.period, (), generator=torch.Generator().manual_seed(self.roll)))
        return masks.periodic(tokens.codebooks, tokens.frames, self.period, self.width, offset)


@prompt_type
class Prefix(Prompt):
    """Keeps the first `seconds`.

    What comes after is continued. Raises ValueError beyond the sound's end. Paper: section 3.4. Notebook: 08.
    """

    seconds: float

    def __post_init__(self):
        number(self, "seconds", 0)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return masks.prefix(tokens.codebooks, tokens.frames, frames_within(self, tokens, self.seconds))


@prompt_type
class Suffix(Prompt):
    """Keeps the last `seconds`.

    What comes before is led up to them. Raises ValueError beyond the sound's start. Paper: section 3.4. Notebook: 08.
    """

    seconds: float

    def __post_init__(self):
        number(self, "seconds", 0)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return masks.suffix(tokens.codebooks, tokens.frames, frames_within(self, tokens, self.seconds))


@prompt_type
class Inpaint(Prompt):
    """Keeps all but the gap from `start` to `end` seconds.

    Raises ValueError for a gap outside the sound. Paper: section 3.4. Notebook: 08.
    """

    start: float
    end: float

    def __post_init__(self):
        number(self, "start", 0)
        number(self, "end", 0)
        if self.start >= self.end:
            raise ValueError(f"a gap from {self.start} to {self.end} s was given, an end after its start was expected")

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        start, end = (frames_within(self, tokens, seconds) for seconds in (self.start, self.end))
        return masks.gap(tokens.codebooks, tokens.frames, start, end)


@prompt_type
class Everything(Prompt):
    """Keeps everything: nothing is generated."""

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return masks.empty(tokens.codebooks, tokens.frames)


@prompt_type
class Nothing(Prompt):
    """Keeps nothing: free generation."""

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return masks.full(tokens.codebooks, tokens.frames)


@prompt_type
class Random(Prompt):
    """Hides each token by itself with probability `ratio`, the mask ratio of training.

    Paper: section 3.2. Notebook: 02.
    """

    ratio: float
    seed: int = 0

    def __post_init__(self):
        number(self, "ratio", 0, 1)
        whole(self, "seed")

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return masks.random(tokens.codebooks, tokens.frames, self.ratio, torch.Generator().manual_seed(self.seed))


@prompt_type
class RandomShare(Prompt):
    """Keeps a share of the tokens exactly, round(share * K * T) of them, drawn without replacement. Notebook: 02."""

    share: float
    seed: int = 0

    def __post_init__(self):
        number(self, "share", 0, 1)
        whole(self, "seed")

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        return masks.share(tokens.codebooks, tokens.frames, self.share, torch.Generator().manual_seed(self.seed))


@prompt_type
class Drawn(Prompt):
    """A mask drawn by hand, bool [codebooks, frames], True = hidden.

    A tensor, an array, or the text that one prints as.

    Raises TypeError and ValueError for what is no such mask, ValueError for tokens of another shape. Notebook: 10.
    """

    drawing: str

    def __post_init__(self):
        if not isinstance(self.drawing, str):
            object.__setattr__(self, "drawing", _text(self.drawing))
        _bits(self.drawing)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Tensor:
        mask = _bits(self.drawing)
        if tuple(mask.shape) != (tokens.codebooks, tokens.frames):
            raise ValueError(
                f"a mask was drawn on {mask.shape[0]} codebooks and {mask.shape[1]} frames, the tokens have {tokens.codebooks} and {tokens.frames}; "
                "draw it anew on these tokens"
            )
        return mask

    def __repr__(self) -> str:
        return f"Drawn({self.drawing!r})"


def frames_within(prompt: Prompt, tokens: Tokens, seconds: float) -> int:
    """Frames of so many seconds from an end of the sound. Raises ValueError where it is shorter."""
    if seconds > tokens.seconds + 1e-9:
        raise ValueError(
            f"{prompt!r} reaches {seconds} s into the sound, which lasts {tokens.seconds:.2f} s; choose 0 to {tokens.seconds:.2f} s"
        )
    return min(tokens.frames, tokens.frames_of(seconds))


def _text(mask) -> str:
    """Shape and packed bits of a mask in letters that need no quoting anywhere: "2x12:8A8w"."""
    array = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else np.asarray(mask)
    if array.dtype != bool:
        raise TypeError(
            f"a mask of type {array.dtype} was drawn, bool was expected (True hides); convert with mask.astype(bool)"
        )
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"a mask of shape {array.shape} was drawn, [codebooks, frames] was expected")
    return f"{array.shape[0]}x{array.shape[1]}:{base64.urlsafe_b64encode(np.packbits(array).tobytes()).decode().rstrip('=')}"


def _bits(text: str) -> Tensor:
    """The mask of a text, bool [codebooks, frames]."""
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*):([\w-]*)", text)
    shape = tuple(int(n) for n in found.groups()[:2]) if found else (0, 0)
    count = shape[0] * shape[1]
    try:
        packed = base64.urlsafe_b64decode(found[3] + "=" * (-len(found[3]) % 4)) if found else b""
    except ValueError:
        packed = b""
    if not found or len(packed) != -(-count // 8):
        raise ValueError(
            f"the drawing {text[:40]!r} is no mask, a text such as Drawn prints was expected; make it from a bool array"
        )
    return torch.from_numpy(np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool)).unflatten(
        0, shape
    )
