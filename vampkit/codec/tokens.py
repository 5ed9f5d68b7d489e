"""Tokens: the codes of a sound, with all that is needed to decode them."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vampkit.files import read_safetensors, write_safetensors
from vampkit.model import check_codes

FORMAT = "vampkit.tokens/1"


@dataclass(frozen=True)
class Tokens:
    """What the codec makes of a clip (paper, section 3.1).

    Notebook: 01

    Parameters
    ----------
    codes : Tensor
        int64 [codebooks, frames], or [items, codebooks, frames] if stereo was encoded as two items.
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

    Raises
    ------
    TypeError, ValueError
        For codes of another type, shape or range.
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

    def __post_init__(self):
        check_codes(self.codes, self.entries)
        items = self.codes.shape[0] if self.codes.ndim == 3 else 1
        if len(self.gains) != items:
            raise ValueError(f"{len(self.gains)} gains were given for {items} items, one per item was expected")

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
        header = {k: v for k, v in asdict(replace(self, codes=self.codes[..., :1])).items() if k != "codes"}
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
        header["gains"] = tuple(header["gains"])
        return cls(codes=tensors["codes"].to(torch.int64), **header)
