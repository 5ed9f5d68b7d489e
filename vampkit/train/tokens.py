"""Tokens for training masked models: drawing random crops of them, and encoding the excerpts of a pool."""

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
from vampkit.files.outer import fields, text
from vampkit.train.pool import Pool

FORMAT = "vampkit.store/1"
BATCH = 8

Part = tuple[int, int, int]
"""A part of a track from which crops are drawn: number of the track, first frame, and end (one after the last)."""


def fitting(parts: Sequence[Part], chances: np.ndarray, frames: int) -> tuple[list[int], np.ndarray]:
    """Find the parts that are at least `frames` long.

    Returns their places in `parts`, and their cumulative chances without the last (which is 1), to draw one of them.
    """
    chosen = [i for i, (_, first, end) in enumerate(parts) if end - first >= frames and chances[i] > 0]
    found = chances[chosen]
    return chosen, np.cumsum(found / max(1e-300, found.sum()))[:-1]


class TokenSource:
    """The codes of tracks, and the parts from which a training draws crops.

    Base class of `ExcerptStore` and `TokenStore`.

    Parameters
    ----------
    name : str
        Name of the source in error messages.
    codec : str
        Hash of the codec.
    parts : sequence of (int, int, int)
        Number of the track, first frame and end of each part.
    chances : ndarray
        float [parts], the probabilities with which parts are drawn. Their sum is 1.
    """

    def __init__(self, name: str, codec: str, parts: Sequence[Part], chances: np.ndarray):
        self.name, self.codec, self.parts, self.chances = name, codec, parts, chances
        self._fitting: dict[int, tuple[list[int], np.ndarray]] = {}

    def codes(self, index: int) -> Tensor:
        """Give the codes of one track.

        Parameters
        ----------
        index : int
            Number of the track.

        Returns
        -------
        Tensor
            int64 [codebooks, frames].
        """
        return self._track(index).long()

    def _track(self, index: int) -> Tensor:
        """The codes of one track [codebooks, frames] as they are stored. They may be memory-mapped."""
        raise NotImplementedError

    def crops(self, count: int, codebooks: int, frames: int, rng: np.random.Generator) -> Tensor:
        """Draw random crops from the parts.

        Parameters
        ----------
        count : int
            Number of crops.
        codebooks : int
            Number of codebooks, counted from the first.
        frames : int
            Length of a crop.
        rng : Generator
            Source of the random numbers.

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
        """Choose some excerpts, spread evenly over the parts, the same at each call. For checks during training.

        Parameters
        ----------
        count : int
            Number of excerpts, at most.
        codebooks : int
            Number of codebooks, counted from the first.
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
        """Make a source with the same tracks and other parts. Chances are proportional to the lengths of the parts.

        Parameters
        ----------
        parts : sequence of (int, int, int)
            Number of the track, first frame and end of each part.

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
        Integers [excerpts, codebooks, frames]; they may be memory-mapped.
    chances : sequence of float
        The probabilities with which excerpts are drawn. Their sum is 1.
    codec : str
        Hash of the codec.
    """

    def __init__(self, codes: Tensor, chances: Sequence[float], codec: str):
        super().__init__("the excerpts", codec, [(i, 0, codes.shape[-1]) for i in range(len(codes))], np.array(chances))
        self.excerpts = codes

    def _track(self, index: int) -> Tensor:
        return self.excerpts[index]


def encode_pool(pool: Pool, codec: Codec, path: str | os.PathLike) -> ExcerptStore:
    """Encode a pool, or load its tokens if it was encoded before.

    Raises VampkitError for a file of another codec.
    """
    from vampkit.files.bars import progress_bar

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
        for first in progress_bar(range(0, len(pool), BATCH), desc=f"tokens of {path.stem}", disable=None):
            sound = torch.from_numpy(pool.sound[first : first + BATCH].astype(np.float32) / np.float32(32768))
            sound = torch.nn.functional.pad(sound, (0, frames * codec.hop - sound.shape[1]))
            codes[first : first + BATCH] = codec.model.encode(sound[:, None].to(codec.device))[1].to("cpu", torch.int32)
    write_safetensors({"codes": codes}, path, FORMAT, {"codec": codec.hash}, dtype=torch.uint16)
    return read_excerpts(path, pool.chances)


def read_excerpts(path: str | os.PathLike, chances: np.ndarray | None = None) -> ExcerptStore:
    """Load what `encode_pool` wrote, memory-mapped. Without `chances`, all excerpts are drawn equally often.

    Raises VampkitError or TypeError for anything else.
    """
    header, tensors = read_safetensors(path, FORMAT)
    codes, hint = tensors.get("codes"), "delete it, it is made again"
    fields(f"the header of {Path(path).name}", header, ("codec",), hint=hint)
    text(f"the codec of {Path(path).name} is ", header["codec"])
    if codes is None or codes.ndim != 3 or codes.dtype != torch.uint16 or not codes.numel():
        shape = None if codes is None else tuple(codes.shape)
        raise VampkitError(
            f"{Path(path).name} holds codes of shape {shape}, [excerpts, codebooks, frames] was expected; {hint}"
        )
    if chances is not None and len(chances) != len(codes):
        raise VampkitError(f"{Path(path).name} holds {len(codes)} excerpts, {len(chances)} were expected; {hint}")
    return ExcerptStore(codes, np.full(len(codes), 1 / len(codes)) if chances is None else chances, header["codec"])
