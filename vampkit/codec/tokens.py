"""Tokens: the codes of a sound, with all that is needed to turn them back into it."""

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
    """What the codec makes of a clip.

    codes: int64 [codebooks, frames], or [batch, codebooks, frames] where stereo was encoded as two items.
    codec: hash of the codec that made them; another codec refuses to decode them.
    rate, hop, entries: the codec's samples a second, samples a frame, entries a codebook.
    length: samples of the sound at the codec's rate; source_rate: the rate it came with.
    gains: decibels added before encoding, one an item; decoding takes them off again.

    Raises TypeError and ValueError for codes of wrong type, shape or range.
    Paper: section 3.1. Notebook: 01.
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
            raise ValueError(f"{len(self.gains)} gains were given for {items} items, one an item was expected")

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
        """Frames a second."""
        return self.rate / self.hop

    @property
    def seconds(self) -> float:
        """Length of the sound in seconds."""
        return self.length / self.rate

    @property
    def bits_per_second(self) -> float:
        """Rate of all codes: log2(entries) bits a token, K tokens a frame (10 x 14 x 57.42 = 8039 for the paper's
        codec)."""
        return math.log2(self.entries) * self.codebooks * self.frame_rate

    def frames_of(self, seconds: float) -> int:
        """Frames that hold `seconds` of sound, rounded up as in the reference (vampnet `s2t`)."""
        return math.ceil(seconds * self.rate / self.hop - 1e-9)

    def replace(self, **changes) -> Tokens:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a safetensors file: codes as uint16, the rest as its header. Beside first, then renamed."""
        header = {k: v for k, v in asdict(replace(self, codes=self.codes[..., :1])).items() if k != "codes"}
        return write_safetensors({"codes": self.codes}, path, FORMAT, header, dtype=torch.uint16)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Tokens:
        """Read what `save` wrote. Raises FileNotFoundError, VampkitError for another kind of file."""
        header, tensors = read_safetensors(path, FORMAT)
        header["gains"] = tuple(header["gains"])
        return cls(codes=tensors["codes"].to(torch.int64), **header)
