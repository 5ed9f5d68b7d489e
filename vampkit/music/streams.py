"""Named streams of random numbers. Each kind of decision about a piece has its own stream."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream `name` for the seed of a piece. It does not depend on what is drawn from other streams.

    The name enters by its CRC-32, because Python's own hash differs from process to process.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))))


def pick(rng: np.random.Generator, options, chances=None):
    """Draw one of the options, uniformly or with `chances`. NumPy's `choice` would convert tuples to arrays."""
    options = list(options)
    if chances is not None:
        chances = np.array(list(chances), float)
        chances /= chances.sum()
    return options[int(rng.choice(len(options), p=chances))]
