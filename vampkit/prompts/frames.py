"""The paper's prompts that need only tokens: some codebooks, periodic frames, stretches, random or drawn masks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from vampkit import masks
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.files.outer import named, shown
from vampkit.files.texts import existing
from vampkit.files.written import usable
from vampkit.prompts.base import Prompt, prompt_type
from vampkit.prompts.values import Slider, Value, number, whole

__all__ = ["Compression", "Drawn", "Everything", "Inpaint", "Nothing"]
__all__ += ["Periodic", "Prefix", "Random", "RandomShare", "Suffix"]

PART = Slider(0, 1, 0.1, start=0.25, of_length=True)


@prompt_type(word="compression", example="compression:1", title="Compression: keep the first codebooks")
class Compression(Prompt):
    """Keeps the first codebooks, of every frame or of every n-th one.

    `mask` raises ValueError for more codebooks than the tokens have. Paper, section 3.4.

    Notebook: 00, 02, 06, 09

    Parameters
    ----------
    codebooks : int
        How many codebooks are kept.
    downsampling : int
        1 keeps them in every frame, n in every n-th frame.
    """

    codebooks: int = whole("codebooks kept", default=1, low=0, slider=Slider(1, 14))
    downsampling: int = whole("of every n-th frame", default=1, low=1, slider=Slider(1, 32), repr=False)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        shape = tokens.codebooks, tokens.frames
        return masks.codebooks(*shape, self.codebooks) | masks.periodic(*shape, self.downsampling)


@prompt_type(word="periodic", example="periodic:7,width=3", title="Periodic: keep every n-th frame")
class Periodic(Prompt):
    """Keeps every n-th frame, or several frames around it, with all codebooks.

    Paper, section 3.4.

    Notebook: 00, 02, 03, 05 to 08, 10, 12

    Parameters
    ----------
    period : int
        Distance between kept frames. Period 0 keeps no frame, period 1 keeps all. A width >= period keeps all, too,
        but for a few at the start if there is an offset.
    width : int
        Frames kept around each centre. With an even width, one frame more is kept after the centre than before it.
    offset : int
        A frame that is a centre; only its remainder by the period counts.
    offset_seed : int, optional
        If given, a random number of frames below the period is added to `offset`. (The reference code does this at each
        call, with a new random number.)
    """

    period: int = whole("period in frames", default=7, low=0, slider=Slider(1, 64))
    width: int = whole("width in frames", default=1, low=1, slider=Slider(1, 16))
    offset: int = whole("offset in frames", default=0, slider=Slider(0, 63))
    offset_seed: int | None = whole(default=None, repr=False)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        offset = self.offset
        if self.offset_seed is not None and self.period:
            offset += int(torch.randint(self.period, (), generator=torch.Generator().manual_seed(self.offset_seed)))
        if 0 < self.period <= self.width:
            return self._one_stretch(tokens, offset)
        return masks.periodic(tokens.codebooks, tokens.frames, self.period, self.width, offset)

    def _one_stretch(self, tokens: Tokens, offset: int) -> Bool[Tensor, "codebooks frames"]:
        """The mask where the width reaches the next centre: one stretch is kept, without a list of its frames."""
        centres = range(min(offset % self.period, tokens.frames), tokens.frames, self.period)
        if not centres:
            return masks.full(tokens.codebooks, tokens.frames)
        before = (self.width - 1) // 2
        first, last = max(0, centres[0] - before), min(tokens.frames, centres[-1] - before + self.width)
        return ~masks.gap(tokens.codebooks, tokens.frames, first, last)


@prompt_type(word="share", example="share:0.2", title="Random: keep a share of the tokens")
class RandomShare(Prompt):
    """Keeps a share of the tokens, drawn at random.

    Exactly round(share * codebooks * frames) tokens are drawn, without replacement.

    Notebook: 02, 07, 09

    Parameters
    ----------
    share : float
        Fraction of the tokens to keep, from 0 to 1.
    seed : int
        Seed of the random choice.
    """

    share: float = number("share kept", low=0, high=1, slider=Slider(0, 1, 0.01, start=0.14))
    seed: int = whole(default=0)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return masks.share(tokens.codebooks, tokens.frames, self.share, torch.Generator().manual_seed(self.seed))


@prompt_type(word="prefix", example="prefix:3", title="Prefix: keep the start")
class Prefix(Prompt):
    """Keeps the first seconds; what follows is generated.

    `mask` raises ValueError for more seconds than the sound lasts. Paper, section 3.4.

    Notebook: 00, 02, 08

    Parameters
    ----------
    seconds : float
        Seconds kept.
    """

    seconds: float = number("seconds kept", low=0, slider=PART)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return masks.prefix(tokens.codebooks, tokens.frames, frames_within(self, tokens, self.seconds))


@prompt_type(word="suffix", example="suffix:3", title="Suffix: keep the end")
class Suffix(Prompt):
    """Keeps the last seconds; what comes before is generated.

    `mask` raises ValueError for more seconds than the sound lasts. Paper, section 3.4.

    Notebook: 00, 02, 08

    Parameters
    ----------
    seconds : float
        Seconds kept.
    """

    seconds: float = number("seconds kept", low=0, slider=PART)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return masks.suffix(tokens.codebooks, tokens.frames, frames_within(self, tokens, self.seconds))


@prompt_type(word="inpaint", example="inpaint:2,4", title="Inpainting: keep all but a gap")
class Inpaint(Prompt):
    """Keeps all but a gap.

    `mask` raises ValueError for a gap that ends after the sound. Paper, section 3.4.

    Notebook: 08

    Parameters
    ----------
    start, end : float
        Where the gap starts and ends, in seconds.
    """

    start: float = number("start of the gap, s", low=0, slider=Slider(0, 1, 0.1, start=0.4, of_length=True))
    end: float = number("end of the gap, s", low=0, slider=Slider(0, 1, 0.1, start=0.6, of_length=True))

    def __post_init__(self):
        super().__post_init__()
        if self.start >= self.end:
            raise ValueError(f"a gap from {self.start} to {self.end} s was given, an end after its start was expected")

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        start, end = (frames_within(self, tokens, seconds) for seconds in (self.start, self.end))
        return masks.gap(tokens.codebooks, tokens.frames, start, end)


@prompt_type(word="random", example="random:0.8")
class Random(Prompt):
    """Hides each token with a probability, independently of the others, as in training.

    Paper, section 3.2.

    Notebook: 02

    Parameters
    ----------
    ratio : float
        The probability, from 0 to 1. Training calls it the mask ratio.
    seed : int
        Seed of the random choice.
    """

    ratio: float = number(low=0, high=1)
    seed: int = whole(default=0)

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return masks.random(tokens.codebooks, tokens.frames, self.ratio, torch.Generator().manual_seed(self.seed))


@prompt_type(word="everything", bare=True)
class Everything(Prompt):
    """Keeps everything: nothing is generated.

    Notebook: 00, 02
    """

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return masks.empty(tokens.codebooks, tokens.frames)


@prompt_type(word="nothing", bare=True)
class Nothing(Prompt):
    """Keeps nothing: all is generated.

    Notebook: 00, 02, 06, 07
    """

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        return masks.full(tokens.codebooks, tokens.frames)


class Drawing(Value):
    """A mask, stored as the text of `masks.to_base64`. The command line takes that text or the path of a .npy file."""

    takes_all = True

    def checked(self, owner: str, name: str, value) -> str:
        if isinstance(value, str):
            masks.from_base64(value)
            return value
        try:
            return masks.to_base64(value)
        except (TypeError, ValueError) as error:
            kind = getattr(value, "dtype", None)
            if kind is not None or "mask of" in str(error):
                raise
            raise TypeError(  # lists of rows of several lengths, and the like
                f"{shown(value)} is no mask, booleans [codebooks, frames] were expected; make them with numpy.zeros"
            ) from None

    def read(self, text: str):
        if re.match(r"\d+x\d+:", text):
            return text
        path = existing(text)
        try:
            with usable(path):
                # Mapped, a header that claims more than the file holds takes no memory.
                return masks.as_mask(np.lib.format.open_memmap(path, mode="r"))
        except VampkitError:
            raise
        except Exception as error:  # the parser of the header raises many kinds of errors
            raise ValueError(
                f"{named(path.name)} holds no prompt ({shown(str(error))[1:-1]}); a bool array [codebooks, frames] "
                "in .npy was expected; write it with numpy.save"
            ) from None


@prompt_type(word="drawn", example="drawn:MASK.npy")
class Drawn(Prompt):
    """Keeps what a mask drawn by hand keeps.

    `mask` raises ValueError for tokens of another shape.

    Notebook: 06, 08 to 10

    Parameters
    ----------
    drawing : Tensor | np.ndarray | str
        The mask, bool [codebooks, frames], True = hidden; or its text, see `masks.to_base64`. The prompt stores the
        text.
    """

    drawing: str | Tensor | np.ndarray | Sequence = field(metadata={"value": Drawing()})

    def mask(self, tokens: Tokens, clip: Clip | None = None) -> Bool[Tensor, "codebooks frames"]:
        mask = masks.from_base64(self.drawing)
        if tuple(mask.shape) != (tokens.codebooks, tokens.frames):
            raise ValueError(
                f"a mask was drawn on {mask.shape[0]} codebooks and {mask.shape[1]} frames, "
                f"the tokens have {tokens.codebooks} and {tokens.frames}; draw it anew on these tokens"
            )
        return mask

    def __repr__(self) -> str:
        return f"Drawn({self.drawing!r})"


def frames_within(prompt: Prompt, tokens: Tokens, seconds: float) -> int:
    """Convert seconds from an end of the sound to frames. Raises ValueError if the sound is shorter."""
    if seconds > tokens.seconds + 1e-9:
        raise ValueError(
            f"{prompt!r} reaches {seconds} s into the sound, which lasts {tokens.seconds:.2f} s; "
            f"choose 0 to {tokens.seconds:.2f} s"
        )
    return min(tokens.frames, tokens.frames_of(seconds))
