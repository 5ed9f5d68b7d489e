"""The speed of a training: tokens per second, and how much of the GPU's computing power it uses."""

from __future__ import annotations

import math
import time

from vampkit.model import ModelConfig

HIDDEN = 2 / math.pi
"""Mean mask ratio of the cosine schedule. The head is computed only for hidden tokens."""


def operations(config: ModelConfig, batch: int, frames: int) -> float:
    """Count the multiplications and additions of one update: batch * frames * (6 N + 12 L T D).

    L is the number of blocks, T that of frames, and D the width. N is the number of weights that are applied to a
    frame: 10 D^2 in each block (4 for attention, 6 for the gated feed-forward), codebooks * latent * D at the input,
    and entries * predicted * D * 2/pi at the head, which is computed only for hidden tokens. Each weight takes one
    multiplication and one addition in the forward pass, and two of each in the backward pass: 6 in total.

    In attention each frame is compared with T frames: queries with keys, and weights with values. This takes 2 * 2 T D
    operations in the forward pass, and three times that in total. Norms, softmax, dropout and the optimizer are not
    counted, as is usual.

    Notebook: 04

    Parameters
    ----------
    config : ModelConfig
        The shape of the model.
    batch : int
        Examples per update.
    frames : int
        Length of an example.

    Returns
    -------
    float
        Number of operations; a multiplication and an addition are two.
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

    MFU = operations per update / (seconds per update * peak). batch: examples of all processes. peak: operations per
    second that the GPUs of all processes can do; None if unknown, as on a CPU. Then operations per second are shown
    instead of MFU.
    """

    def __init__(self, config: ModelConfig, batch: int, frames: int, peak: float | None):
        self.tokens, self.peak = batch * frames * config.codebooks, peak
        self.operations = operations(config, batch, frames)
        self.seconds: float | None = None
        self.start()

    def start(self) -> None:
        """Call this before each update, so that the time between updates (checks, checkpoints) does not count."""
        self.began = time.perf_counter()

    def tick(self) -> dict[str, str]:
        """Call this after each update. Returns the values for the progress bar."""
        took = time.perf_counter() - self.began
        self.seconds = took if self.seconds is None else 0.9 * self.seconds + 0.1 * took
        speed = self.operations / self.seconds
        use = {"MFU": f"{100 * speed / self.peak:.0f} %"} if self.peak else {"GFLOP/s": f"{speed / 1e9:.0f}"}
        return {"tokens/s": f"{self.tokens / self.seconds:,.0f}"} | use
