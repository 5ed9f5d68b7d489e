"""Tokens: the codes of a sound, with all that is needed to turn them back into it."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vampkit.errors import VampkitError

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
        """Rate of all codes: log2(entries) bits a token, K tokens a frame (10 x 14 x 57.42 = 8039 for the paper's codec)."""
        return math.log2(self.entries) * self.codebooks * self.frame_rate

    def frames_of(self, seconds: float) -> int:
        """Frames that hold `seconds` of sound, rounded up as in the reference (vampnet `s2t`)."""
        return math.ceil(seconds * self.rate / self.hop - 1e-9)

    def replace(self, **changes) -> Tokens:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a safetensors file: codes as uint16, the rest as its header. Beside first, then renamed."""
        from safetensors.torch import save_file

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        header = {k: v for k, v in asdict(replace(self, codes=self.codes[..., :1])).items() if k != "codes"}
        part = path.with_name(path.name + ".part")
        save_file({"codes": self.codes.to(torch.uint16).contiguous()}, part, metadata={"format": FORMAT, "settings": json.dumps(header)})
        part.replace(path)
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> Tokens:
        """Read what `save` wrote. Raises FileNotFoundError, VampkitError for another kind of file."""
        header, tensors = read_safetensors(path, FORMAT)
        header["gains"] = tuple(header["gains"])
        return cls(codes=tensors["codes"].to(torch.int64), **header)


def check_codes(codes: Tensor, entries: int) -> None:
    """Refuse codes that are not int64 [.., K, T] in 0 .. entries - 1, in one sentence."""
    if not isinstance(codes, Tensor) or codes.dtype != torch.int64:
        kind = codes.dtype if isinstance(codes, Tensor) else type(codes).__name__
        raise TypeError(f"codes of type {kind} were given, a torch.int64 tensor was expected; convert with torch.as_tensor(codes).long()")
    if codes.ndim not in (2, 3) or 0 in codes.shape:
        raise ValueError(f"codes of shape {tuple(codes.shape)} were given, [codebooks, frames] or [batch, codebooks, frames] without empty axes was expected")
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= entries:
        hint = "; these codes still hold masked places, sample them first" if high == entries else ""
        raise ValueError(f"codes run from {low} to {high}, 0 to {entries - 1} was expected{hint}")


def read_safetensors(path: str | os.PathLike, kind: str) -> tuple[dict, dict[str, Tensor]]:
    """Settings and tensors of one of our safetensors files; anything else, a pickle too, is refused in one sentence."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file at {path}; check the name and the folder")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no plain mapping)
    except (SafetensorError, OSError):
        start = path.open("rb").read(4)
        what = "a pickle, which can run code when it is opened" if start[:2] in (b"PK", b"\x80\x02", b"\x80\x04") else "no safetensors file or a damaged one"
        raise VampkitError(f"{path.name} is {what}; a safetensors file of kind {kind} was expected; save it again with vampkit") from None
    if metadata.get("format") != kind:
        raise VampkitError(f"{path.name} is of kind {metadata.get('format', 'unknown')}, {kind} was expected; choose another file")
    return json.loads(metadata["settings"]), tensors
