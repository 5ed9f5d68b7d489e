"""Tokens: the codes of a sound, with all that is needed to decode them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor

from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.files.outer import MOST_RATE, number, word
from vampkit.files.outer import fields as outer_fields
from vampkit.model import check_codes

FORMAT = "vampkit.tokens/1"
STEREO = ("none", "items", "mid-side")
GAINS = (-300.0, 300.0)
"""Smallest and largest gain in dB."""


@dataclass(frozen=True)
class Tokens:
    """What the codec makes of a clip (paper, section 3.1).

    Notebook: 01

    Parameters
    ----------
    codes : Tensor
        int64 [codebooks, frames], or [items, codebooks, frames] if the channels were kept.
    codec : str
        Hash of the codec that made the codes. Another codec refuses to decode them.
    rate : int
        Sample rate of the codec.
    hop : int
        Samples per frame.
    entries : int
        Entries per codebook.
    length : int
        Length of the sound in samples, at the codec's rate.
    source_rate : int
        Sample rate of the sound before encoding.
    gains : tuple of float
        Gain in dB that was applied before encoding, one per item. Decoding undoes it.
    name, credit : str
        Name of the sound, and who made it under which licence.
    stereo : str
        What the items are: "none", sounds that have nothing to do with each other; "items", a channel each; "mid-side",
        the mean of two channels and half their difference. The items of a stereo sound are filled with one noise.
        Where both channels were equal there is no second item.
    more : int
        Samples by which the sound was longer than `length` at its own rate. Rates above the codec's have more samples
        than one can count at the codec's.

    Raises
    ------
    TypeError, ValueError
        For codes of another type, shape or range, and for other fields that do not fit them.
    """

    codes: Tensor
    codec: str
    rate: int
    hop: int
    entries: int
    length: int
    source_rate: int
    gains: tuple[float, ...] = (0.0,)
    name: str = ""
    credit: str = ""
    stereo: str = "none"
    more: int = 0

    def __post_init__(self):
        whole = {"rate": MOST_RATE, "hop": 2**16, "entries": 2**16, "length": None, "source_rate": MOST_RATE}
        for name, most in whole.items():
            self._set(name, number(f"the tokens' {name} is ", getattr(self, name), 1, most, whole=True))
        self._set("more", number("the tokens' more is ", self.more, -MOST_RATE, MOST_RATE, whole=True))
        check_codes(self.codes, self.entries)
        if self.length > self.codes.shape[-1] * self.hop:
            raise ValueError(
                f"the tokens claim {self.length} samples, their {self.codes.shape[-1]} frames of {self.hop} hold at "
                f"most {self.codes.shape[-1] * self.hop}; give the length of the sound that they are of"
            )
        gains = self.gains if isinstance(self.gains, tuple | list) else (self.gains,)
        self._set("gains", tuple(number("a gain of the tokens is ", gain, *GAINS) for gain in gains))
        word("the tokens' stereo is ", self.stereo, STEREO)
        items = self.codes.shape[0] if self.codes.ndim == 3 else 1
        if len(self.gains) != items:
            raise ValueError(f"{len(self.gains)} gains were given for {items} items, one per item was expected")

    def _set(self, name: str, value) -> None:
        object.__setattr__(self, name, value)

    @property
    def codebooks(self) -> int:
        """Number of codebooks K."""
        return self.codes.shape[-2]

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return self.codes.shape[-1]

    @property
    def batch(self) -> Tensor:
        """The codes as [batch, codebooks, frames]."""
        return self.codes if self.codes.ndim == 3 else self.codes[None]

    @property
    def channels(self) -> int:
        """Number of channels of the sound."""
        return 2 if self.stereo == "mid-side" and self.codes.ndim == 3 else len(self.batch)

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.rate / self.hop

    @property
    def seconds(self) -> float:
        """Length of the sound in seconds."""
        return self.length / self.rate

    @property
    def bits_per_second(self) -> float:
        """Bit rate of all codes: log2(entries) bits per token times the number of tokens per second.

        For the paper's codec, 10 bits x 14 codebooks x 57.42 frames per second = 8039.
        """
        return math.log2(self.entries) * self.codebooks * self.frame_rate

    def frames_of(self, seconds: float) -> int:
        """Convert seconds to frames, rounded up as in the reference code (`s2t`).

        Parameters
        ----------
        seconds : float
            A length of time.

        Returns
        -------
        int
            Frames.
        """
        return math.ceil(seconds * self.rate / self.hop - 1e-9)

    def replace(self, **changes) -> Tokens:
        """Copy the tokens with some fields changed.

        Parameters
        ----------
        **changes : object
            Fields and their new values.

        Returns
        -------
        Tokens
            The copy.
        """
        return replace(self, **changes)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a safetensors file: the codes as uint16, all other fields in its header.

        Parameters
        ----------
        path : str or PathLike
            The file to write.

        Returns
        -------
        Path
            The file.
        """
        header = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "codes"}
        return write_safetensors({"codes": self.codes}, path, FORMAT, header, dtype=torch.uint16)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Tokens:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or PathLike
            The file.

        Returns
        -------
        Tokens
            The tokens.

        Raises
        ------
        FileNotFoundError
            If there is no file.
        VampkitError
            For another kind of file.
        """
        header, tensors = read_safetensors(path, FORMAT)
        what, names = f"the header of {Path(path).name}", [field.name for field in fields(cls) if field.name != "codes"]
        required = [name for name in names if name not in ("name", "credit", "stereo", "more")]
        outer_fields(what, header, required, names, "save the tokens again")
        try:
            if "codes" not in tensors or tensors["codes"].dtype.is_floating_point:
                raise ValueError(
                    "there are no whole numbers called 'codes', which were expected; save the tokens again"
                )
            return cls(codes=tensors["codes"].to(torch.int64), **header)
        except (TypeError, ValueError) as error:
            raise VampkitError(f"the tokens in {Path(path).name} do not fit: {error}") from None
