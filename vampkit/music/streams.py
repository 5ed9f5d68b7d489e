"""Named streams of random numbers: every decision about a piece draws from a stream of its own."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The stream `name` of a piece's seed; what other streams draw never changes it.

    The name enters by its CRC-32, because Python's own hash differs from process to process.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))))


def pick(rng: np.random.Generator, options, chances=None):
    """One of the options, each as likely or by `chances` (numpy's own choice would turn tuples into arrays)."""
    options = list(options)
    if chances is not None:
        chances = np.array(list(chances), float)
        chances /= chances.sum()
    return options[int(rng.choice(len(options), p=chances))]
