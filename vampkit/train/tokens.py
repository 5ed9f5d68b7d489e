"""Tokens to train masked models on: how crops of them are drawn, and the excerpts of a pool as one file."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.train.pool import Pool

FORMAT = "vampkit.store/1"
BATCH = 8

Part = tuple[int, int, int]
"""A track's place in its source, and the frames [first, end) of it that are drawn from."""


def fitting(parts: Sequence[Part], chances: np.ndarray, frames: int) -> tuple[list[int], np.ndarray]:
    """Places of the parts that are long enough, and where between 0 and 1 the chances of each but the last end."""
    chosen = [i for i, (_, first, end) in enumerate(parts) if end - first >= frames and chances[i] > 0]
    found = chances[chosen]
    return chosen, np.cumsum(found / max(1e-300, found.sum()))[:-1]


class TokenSource:
    """Tracks as codes, and the parts of them that a training draws. `ExcerptStore` and `TokenStore` are such.

    Parameters
    ----------
    name : str
        For messages.
    codec : str
        Hash of the codec.
    parts : sequence of (int, int, int)
        Track, first frame and end of each part.
    chances : ndarray
        float [parts], how often each is drawn, adding up to 1.
    """

    def __init__(self, name: str, codec: str, parts: Sequence[Part], chances: np.ndarray):
        self.name, self.codec, self.parts, self.chances = name, codec, parts, chances
        self._fitting: dict[int, tuple[list[int], np.ndarray]] = {}

    def codes(self, index: int) -> Tensor:
        """Codes of one track.

        Parameters
        ----------
        index : int
            The track's place.

        Returns
        -------
        Tensor
            int64 [codebooks, frames].
        """
        return self._track(index).long()

    def _track(self, index: int) -> Tensor:
        """Codes of one track [codebooks, frames] as they are stored; only what is sliced of them is read."""
        raise NotImplementedError

    def crops(self, count: int, codebooks: int, frames: int, rng: np.random.Generator) -> Tensor:
        """Random crops of the parts.

        Parameters
        ----------
        count : int
            How many.
        codebooks : int
            How many, from the first.
        frames : int
            Length of a crop.
        rng : Generator
            Draws part and place.

        Returns
        -------
        Tensor
            int64 [count, codebooks, frames].

        Raises
        ------
        ValueError
            If no part is that long.
        """
        if frames not in self._fitting:
            self._fitting[frames] = fitting(self.parts, self.chances, frames)
        chosen, edges = self._fitting[frames]
        if not chosen:
            self._refuse(frames)
        rows = []
        for place in np.searchsorted(edges, rng.random(count), side="right"):
            index, first, end = self.parts[chosen[place]]
            start = int(rng.integers(first, end - frames + 1))
            rows.append(self._track(index)[:codebooks, start : start + frames].long())
        return torch.stack(rows)

    def held_out(self, count: int, codebooks: int, frames: int) -> Tensor:
        """The same few excerpts at every call, spread evenly over the parts; for checks during a training.

        Parameters
        ----------
        count : int
            How many, at most.
        codebooks : int
            How many, from the first.
        frames : int
            Length of an excerpt.

        Returns
        -------
        Tensor
            int64 [excerpts, codebooks, frames].

        Raises
        ------
        ValueError
            If no part is that long.
        """
        long = [(index, first) for index, first, end in self.parts if end - first >= frames]
        if not long:
            self._refuse(frames)
        chosen = [long[i] for i in np.linspace(0, len(long) - 1, min(count, len(long))).astype(int)]
        return torch.stack([self._track(i)[:codebooks, first : first + frames].long() for i, first in chosen])

    def only(self, parts: Sequence[Part]) -> Self:
        """The same tracks with other parts, drawn as often as they are long.

        Parameters
        ----------
        parts : sequence of (int, int, int)
            Track, first frame and end of each.

        Returns
        -------
        TokenSource
            A copy that shares the codes.
        """
        chosen = copy.copy(self)
        lengths = np.array([end - first for _, first, end in parts], float)
        TokenSource.__init__(chosen, self.name, self.codec, parts, lengths / lengths.sum())
        return chosen

    def _refuse(self, frames: int) -> None:
        raise ValueError(
            f"no part of {self.name} is {frames} frames long; ask for shorter crops, or take longer or louder music"
        )


class ExcerptStore(TokenSource):
    """Codes of excerpts of equal length, such as those of a pool.

    Notebook: 04

    Parameters
    ----------
    codes : Tensor
        Integers [excerpts, codebooks, frames]; may be mapped from a file.
    chances : sequence of float
        How often each excerpt is drawn, adding up to 1.
    codec : str
        Hash of the codec.
    """

    def __init__(self, codes: Tensor, chances: Sequence[float], codec: str):
        super().__init__("the excerpts", codec, [(i, 0, codes.shape[-1]) for i in range(len(codes))], np.array(chances))
        self.excerpts = codes

    def _track(self, index: int) -> Tensor:
        return self.excerpts[index]


def encode_pool(pool: Pool, codec: Codec, path: str | os.PathLike) -> ExcerptStore:
    """Encode a pool once; a finished file of the same codec is used again.

    Raises VampkitError for a file of another codec.
    """
    from tqdm.auto import tqdm

    path = Path(path)
    if path.is_file():
        store = read_excerpts(path, pool.chances)
        if store.codec != codec.hash:
            raise VampkitError(
                f"{path} holds tokens of codec {store.codec[:8]}, {codec.hash[:8]} was expected; "
                "delete it, or choose another folder"
            )
        return store
    frames = -(-pool.sound.shape[1] // codec.hop)
    codes = torch.empty((len(pool), codec.codebooks, frames), dtype=torch.int32)
    with torch.inference_mode():
        for first in tqdm(range(0, len(pool), BATCH), desc=f"tokens of {path.stem}", disable=None):
            sound = torch.from_numpy(pool.sound[first : first + BATCH].astype(np.float32) / np.float32(32768))
            sound = torch.nn.functional.pad(sound, (0, frames * codec.hop - sound.shape[1]))
            codes[first : first + BATCH] = codec.model.encode(sound[:, None].to(codec.device))[1].to("cpu", torch.int32)
    write_safetensors({"codes": codes}, path, FORMAT, {"codec": codec.hash}, dtype=torch.uint16)
    return read_excerpts(path, pool.chances)


def read_excerpts(path: str | os.PathLike, chances: np.ndarray | None = None) -> ExcerptStore:
    """What `encode_pool` wrote, mapped from its file; every excerpt is drawn alike unless `chances` say otherwise."""
    header, tensors = read_safetensors(path, FORMAT)
    codes = tensors["codes"]
    return ExcerptStore(codes, np.full(len(codes), 1 / len(codes)) if chances is None else chances, header["codec"])
