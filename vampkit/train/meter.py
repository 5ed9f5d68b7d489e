"""How fast a training is: tokens per second, and how much of the processor's power it uses."""

from __future__ import annotations

import math
import time

from vampkit.model import ModelConfig

HIDDEN = 2 / math.pi
"""Mean mask ratio of the cosine schedule; the head works on hidden tokens alone."""


def operations(config: ModelConfig, batch: int, frames: int) -> float:
    """Multiplications and additions of one update: batch * frames * (6 N + 12 L T D).

    N is the number of weights that a frame meets: 10 D^2 a block (4 for attention, 6 for the gated feed-forward),
    codebooks * latent * D at the input, entries * predicted * D * 2/pi at the head, which sees hidden tokens only. Each
    weight is multiplied and added once forward and twice backward: 6. With L blocks, T frames and width D, every frame
    looks at all T frames, queries with keys and weights with values: 2 * 2 T D forward, three times that in all. Norms,
    softmax, dropout and the optimizer are not counted, as is usual for this figure.

    Notebook: 04

    Parameters
    ----------
    config : ModelConfig
        The model's shape.
    batch : int
        Examples an update.
    frames : int
        Length of an example.

    Returns
    -------
    float
        Operations, a product and a sum being two.
    """
    d = config.width
    weights = (
        config.layers * 10 * d * d
        + config.codebooks * config.latent * d
        + config.entries * config.predicted * d * HIDDEN
    )
    return batch * frames * (6 * weights + 12 * config.layers * frames * d)


class Meter:
    """Tokens per second and model FLOP utilization (MFU), over the last few updates.

    MFU = operations of an update / (seconds an update * peak). batch: over all processes. peak: operations a second
    that all processes' cards could do; None where that is unknown, as on a CPU: then operations a second are shown.
    """

    def __init__(self, config: ModelConfig, batch: int, frames: int, peak: float | None):
        self.tokens, self.peak = batch * frames * config.codebooks, peak
        self.operations = operations(config, batch, frames)
        self.seconds: float | None = None
        self.start()

    def start(self) -> None:
        """Call before each update: what happens between updates (a check, a checkpoint) does not count."""
        self.began = time.perf_counter()

    def tick(self) -> dict[str, str]:
        """Call after each update; returns what the progress bar shows."""
        took = time.perf_counter() - self.began
        self.seconds = took if self.seconds is None else 0.9 * self.seconds + 0.1 * took
        speed = self.operations / self.seconds
        use = {"MFU": f"{100 * speed / self.peak:.0f} %"} if self.peak else {"GFLOP/s": f"{speed / 1e9:.0f}"}
        return {"tokens/s": f"{self.tokens / self.seconds:,.0f}"} | use
