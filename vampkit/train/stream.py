"""Composed music as tokens without a store: processes compose, render and encode while the model trains.

Piece n of a stream always has seed n, for any number of workers, and a fixed number of crops is drawn for each new
piece. So a training gives the same result on any machine, and a stopped training continues exactly. If the workers are
too slow, the training waits for them. Notebook: 12
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import weakref
from collections import deque
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit import music
from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.train.devices import single_threaded
from vampkit.train.pool import FLOOR
from vampkit.train.store import encoded
from vampkit.train.tokens import fitting
from vampkit.weights import load_codec

AHEAD = 4
"""Length of each worker's queue of finished pieces (0.2 MB). Workers fill it while the model is being checked."""
PATIENCE = 2.0
"""A process that waits for another one checks at this interval, in seconds, whether the other is still alive."""


class TokenStream:
    """Composed pieces of the training genres that are made during the training. Crops are drawn as in a `TokenSource`.

    The workers start when the first crops are drawn. `close`, or the end of a `with` block, stops them.

    Notebook: 12

    Parameters
    ----------
    codec : Codec, str or PathLike
        A codec, or its name or path.
    workers : int
        Number of processes, about one per free core.
    seconds : float
        Length of a piece.
    keep : int
        Crops are drawn from this many of the newest pieces.
    reuse : int
        How many crops are drawn before the next piece is added (6 crops of 5 s are as long as one piece of 30 s).
    rank, ranks : int
        Number of this training process, from 0, and how many there are. Each has its own seeds.

    Raises
    ------
    ValueError
        For counts below 1.
    """

    def __init__(
        self,
        codec: Codec | str | os.PathLike = "tiny",
        workers: int = 1,
        *,
        seconds: float = 30.0,
        keep: int = 64,
        reuse: int = 6,
        rank: int = 0,
        ranks: int = 1,
    ):
        if min(workers, keep, reuse, ranks) < 1:
            raise ValueError(
                f"a stream of {workers} workers, {keep} pieces kept and {reuse} crops a piece was asked for, "
                "at least 1 of each was expected"
            )
        self.workers, self.seconds, self.keep, self.reuse = workers, seconds, keep, reuse
        self.rank, self.ranks = rank, ranks
        self._folder: str | None = None
        if isinstance(codec, Codec):  # weights go to other processes as a file
            self._folder = tempfile.mkdtemp(prefix="vampkit-stream-")
            path = codec.save(Path(self._folder) / "codec.safetensors", dtype=torch.float32)
            self.path, self.codec = os.fspath(path), codec.hash
        else:
            self.path, self.codec = os.fspath(codec), load_codec(codec).hash
        self.drawn = 0
        self._pieces: deque[tuple[dict, np.ndarray] | None] = deque(maxlen=keep)
        self._made, self._queues, self._processes = 0, [], []
        self._finalizer = weakref.finalize(self, _end, self._processes, self._folder)

    def seek(self, drawn: int) -> None:
        """Continue as if this many crops had been drawn already. For a training that was stopped.

        Parameters
        ----------
        drawn : int
            Number of crops.

        Raises
        ------
        RuntimeError
            If the workers are running already.
        """
        if self._processes:
            raise RuntimeError("the workers run already; seek before the first crops")
        self.drawn = drawn

    def seed(self, number: int) -> int:
        """Give the seed of a piece of the stream. It is never one of the held-out seeds.

        Parameters
        ----------
        number : int
            Number of the piece, from 0.

        Returns
        -------
        int
            The seed for `music.compose`.
        """
        return (number * self.ranks + self.rank) % music.HELD_OUT_SEEDS

    def crops(self, count: int, codebooks: int, frames: int, rng: np.random.Generator) -> Tensor:
        """Draw random crops from the salient parts of the newest pieces.

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
        VampkitError
            If a worker has ended.
        """
        rows = []
        for _ in range(count):
            self._advance()
            pieces = [piece for piece in self._pieces if piece]
            parts = [(i, first, end) for i, (row, _) in enumerate(pieces) for first, end in row["salient"]]
            chosen, edges = fitting(parts, np.array([end - first for _, first, end in parts], float), frames)
            if not chosen:
                raise ValueError(
                    f"no salient part of {len(self._pieces)} pieces is {frames} frames long; "
                    "ask for shorter crops or for longer pieces"
                )
            index, first, end = parts[chosen[np.searchsorted(edges, rng.random(), side="right")]]
            start = int(rng.integers(first, end - frames + 1))
            rows.append(torch.from_numpy(pieces[index][1][:codebooks, start : start + frames].astype(np.int64)))
            self.drawn += 1
        return torch.stack(rows)

    def close(self) -> None:
        """End the workers."""
        self._finalizer()
        self._queues.clear()

    def __enter__(self) -> TokenStream:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _advance(self) -> None:
        """Take new pieces from the workers until the next crop can be drawn.

        The first `reuse` crops are drawn from one piece, the next ones from two pieces, and so on up to `keep`.
        """
        last = self.drawn // self.reuse + 1
        if not self._processes:
            self._made = max(0, last - self.keep)
            self._start(self._made)
        while self._made < last:
            self._pieces.append(self._next())
            self._made += 1

    def _start(self, first: int) -> None:
        if not self._finalizer.alive:
            raise VampkitError("the stream was closed, an open one was expected; make a new one")
        context = get_context("spawn")  # not forked: torch's threads do not survive a fork
        for worker in range(self.workers):
            self._queues.append(context.Queue(AHEAD))
            numbers = (first + (worker - first) % self.workers, self.workers)
            given = (self._queues[-1], self.path, numbers, (self.rank, self.ranks), self.seconds, os.getpid())
            self._processes.append(context.Process(target=_work, args=given, daemon=True))
            with single_threaded():
                self._processes[-1].start()

    def _next(self) -> tuple[dict, np.ndarray] | None:
        """Metadata and codes of the next piece, in order of the seeds; None if the piece is silent."""
        worker = self._made % self.workers
        while True:
            try:
                found = self._queues[worker].get(timeout=PATIENCE)
            except queue.Empty:
                if not self._processes[worker].is_alive():
                    raise VampkitError(
                        "a worker of the stream ended, perhaps for want of memory; start again with fewer workers"
                    ) from None
                continue
            if isinstance(found, str):
                raise VampkitError(f"piece {self.seed(self._made)} could not be made: {found}")
            return found


def _work(out, path: str, numbers: tuple[int, int], ranks: tuple[int, int], seconds: float, parent: int) -> None:
    """Run a worker: make the pieces number, number + step, number + 2 step and so on, until the training ends."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the training process handles an interrupt
    codec, (number, step), (rank, count) = load_codec(path), numbers, ranks
    while True:
        seed = (number * count + rank) % music.HELD_OUT_SEEDS
        try:
            row, codes = encoded({"seed": seed, "genre": "training", "seconds": seconds}, codec, FLOOR)
            found = row, codes.numpy().astype(np.uint16)
        except VampkitError:
            found = None
        except Exception as error:  # pass any error on to the training process
            found = f"{type(error).__name__}: {error}"
        while True:
            try:
                out.put(found, timeout=PATIENCE)
                break
            except queue.Full:
                if os.getppid() != parent:
                    return
        if isinstance(found, str):
            return
        number += step


def _end(processes: list, folder: str | None) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(PATIENCE)
    processes.clear()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
