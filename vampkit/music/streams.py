"""Named streams of random numbers: one seed, and every decision draws from a stream of its own."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The stream `name` of a piece's seed. What another stream draws, or how often, never changes this one.

    The name enters by its CRC-32, because Python's own hash differs from process to process.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))))


def pick(rng: np.random.Generator, options, chances=None):
    """One of the options, as it stands (numpy's choice would turn tuples into arrays)."""
    options = list(options)
    if chances is not None:
        chances = np.array(list(chances), float)
        chances /= chances.sum()
    return options[int(rng.choice(len(options), p=chances))]
