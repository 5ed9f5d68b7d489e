"""Tokens to train masked models on: the codes of every excerpt of a pool, in one safetensors file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors
from vampkit.train.pool import Pool

FORMAT = "vampkit.store/1"
BATCH = 8


@dataclass(frozen=True)
class Store:
    """Codes of excerpts of equal length.

    codes: integers [excerpts, codebooks, frames]; those of `read_store` stay in their file, of which only what is asked
    for is read.
    chances: how often each excerpt is drawn, adding up to 1. codec: hash of the codec.
    """

    codes: Tensor
    chances: np.ndarray
    codec: str

    def crops(self, count: int, codebooks: int, frames: int, rng: np.random.Generator) -> Tensor:
        """Random crops, int64 [count, codebooks, frames]. Raises ValueError where an excerpt is shorter than that."""
        if frames > self.codes.shape[-1]:
            raise ValueError(
                f"excerpts of {self.codes.shape[-1]} frames were given, crops of {frames} were asked for; ask for shorter ones"
            )
        which = np.searchsorted(self._edges, rng.random(count), side="right")
        starts = rng.integers(0, self.codes.shape[-1] - frames + 1, count)
        return torch.stack(
            [
                self.codes[int(i), :codebooks, int(s) : int(s) + frames].long()
                for i, s in zip(which, starts, strict=True)
            ]
        )

    @cached_property
    def _edges(self) -> np.ndarray:
        return np.cumsum(self.chances)[:-1]

    def held_out(self, count: int, codebooks: int, frames: int) -> Tensor:
        """The same few excerpts at every call, evenly spread over the pool, int64 [at most count, codebooks, frames].

        For checks during a training.
        """
        which = np.linspace(0, len(self.codes) - 1, min(count, len(self.codes))).astype(int)
        return torch.stack([self.codes[int(i), :codebooks, :frames].long() for i in which])


def encode_pool(pool: Pool, codec: Codec, path: str | os.PathLike) -> Store:
    """Encode a pool once; a finished file of the same codec is used again.

    Raises VampkitError for one of another codec.
    """
    from safetensors.torch import save_file
    from tqdm.auto import tqdm

    path = Path(path)
    if path.is_file():
        store = read_store(path, pool.chances)
        if store.codec != codec.hash:
            raise VampkitError(
                f"{path} holds tokens of codec {store.codec[:8]}, {codec.hash[:8]} was expected; delete it, or choose another folder"
            )
        return store
    frames = -(-pool.sound.shape[1] // codec.hop)
    codes = torch.empty((len(pool), codec.codebooks, frames), dtype=torch.int32)
    with torch.inference_mode():
        for first in tqdm(range(0, len(pool), BATCH), desc=f"tokens of {path.stem}", disable=None):
            sound = torch.from_numpy(pool.sound[first : first + BATCH].astype(np.float32) / np.float32(32768))
            sound = torch.nn.functional.pad(sound, (0, frames * codec.hop - sound.shape[1]))
            codes[first : first + BATCH] = codec.model.encode(sound[:, None].to(codec.device))[1].to("cpu", torch.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    save_file(
        {"codes": codes.to(torch.uint16)},
        part,
        metadata={"format": FORMAT, "settings": json.dumps({"codec": codec.hash})},
    )
    part.replace(path)
    return read_store(path, pool.chances)


def read_store(path: str | os.PathLike, chances: np.ndarray | None = None) -> Store:
    """What `encode_pool` wrote; every excerpt is drawn alike unless `chances` say otherwise."""
    header, tensors = read_safetensors(path, FORMAT)  # mapped, not loaded: memory stays free, whatever the size
    codes = tensors["codes"]
    return Store(codes, np.full(len(codes), 1 / len(codes)) if chances is None else chances, header["codec"])
