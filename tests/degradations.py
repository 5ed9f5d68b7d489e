"""Known degradations of a clip, from none to the worst within each kind.

A measure of quality must put them in order.
"""

from dataclasses import replace

import numpy as np

from vampkit.audio import Clip
from vampkit.codec import Codec
from vampkit.metrics import opus_round_trip
from vampkit.weights import load_codec


def noisy(clip: Clip, amount: float) -> Clip:
    """White noise added; amount: its deviation."""
    return replace(
        clip,
        samples=clip.samples + amount * np.random.default_rng(1).standard_normal(clip.samples.shape).astype(np.float32),
    )


def low_passed(clip: Clip, rate: int) -> Clip:
    """What lies above half of `rate` is taken away."""
    return replace(clip, samples=clip.resample(rate).resample(clip.rate).samples[:, : clip.samples.shape[1]])


def shuffled(clip: Clip, seconds: float, share: float = 1.0) -> Clip:
    """A share of the pieces of so many seconds in another order."""
    size, rng = round(seconds * clip.rate), np.random.default_rng(2)
    count = clip.samples.shape[1] // size
    order = np.arange(count)
    moved = rng.choice(count, round(share * count), replace=False)
    order[moved] = rng.permutation(order[moved])
    parts = clip.samples[:, : count * size].reshape(clip.channels, count, size)
    return replace(clip, samples=parts[:, order].reshape(clip.channels, -1))


def coded(clip: Clip, codebooks: int, codec: Codec | None = None) -> Clip:
    """Through the bundled codec with its first codebooks only."""
    codec = codec or load_codec("tiny")
    return codec.decode(codec.encode(clip), codebooks)


DEGRADATIONS = {
    "none": lambda clip: clip,
    "a little noise": lambda clip: noisy(clip, 0.002),
    "noise": lambda clip: noisy(clip, 0.01),
    "much noise": lambda clip: noisy(clip, 0.05),
    "low-pass at 4 kHz": lambda clip: low_passed(clip, 8_000),
    "low-pass at 1 kHz": lambda clip: low_passed(clip, 2_000),
    "a third of the frames shuffled": lambda clip: shuffled(clip, 0.06, 1 / 3),
    "all frames shuffled": lambda clip: shuffled(clip, 0.06),
    "Opus at 32 kbit/s": lambda clip: opus_round_trip(clip, 32)[0],
    "Opus at 12 kbit/s": lambda clip: opus_round_trip(clip, 12)[0],
    "Opus at 6 kbit/s": lambda clip: opus_round_trip(clip, 6)[0],
    "codec, 14 codebooks": lambda clip: coded(clip, 14),
    "codec, 4 codebooks": lambda clip: coded(clip, 4),
    "codec, 1 codebook": lambda clip: coded(clip, 1),
}
