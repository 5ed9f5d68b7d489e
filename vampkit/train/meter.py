"""How fast a training is.

Tokens a second, and which part of the processor's power the model makes use of. Notebook: 04.
"""

from __future__ import annotations

import math
import time

from vampkit.model import ModelConfig

HIDDEN = 2 / math.pi
"""Share of predicted tokens that the cosine schedule hides on average; the head works on those alone."""


def operations(config: ModelConfig, batch: int, frames: int) -> float:
    """Multiplications and additions of one update: batch * frames * (6 N + 12 L T D).

    N: weights of all matrices that a frame meets: 10 D^2 a block (4 for attention, 6 for the gated feed-forward),
    codebooks * latent * D at the input, entries * predicted * D * 2/pi at the head, which sees hidden tokens only. Each
    weight is multiplied and added once forward and twice backward: 6. L blocks, T frames, D width: every frame looks at
    all T frames, queries with keys and weights with values, 2 * 2 T D forward, three times that in all. Norms, softmax,
    dropout and the optimizer are not counted, as is usual for this figure.
    """
    d = config.width
    weights = (
        config.layers * 10 * d * d
        + config.codebooks * config.latent * d
        + config.entries * config.predicted * d * HIDDEN
    )
    return batch * frames * (6 * weights + 12 * config.layers * frames * d)


class Meter:
    """Tokens a second and model FLOP utilization (MFU), over the last few updates.

    config, batch, frames: model and examples an update, over all processes. peak: operations a second that all
    processes' cards could do (None: unknown, as on a CPU; then the operations a second are told). MFU = operations of
    an update / (seconds an update * peak).
    """

    def __init__(self, config: ModelConfig, batch: int, frames: int, peak: float | None):
        self.tokens, self.operations, self.peak = (
            batch * frames * config.codebooks,
            operations(config, batch, frames),
            peak,
        )
        self.seconds: float | None = None
        self.last = time.perf_counter()

    def tick(self) -> dict[str, str]:
        """Call after each update; returns what the progress bar shows."""
        now = time.perf_counter()
        took, self.last = now - self.last, now
        self.seconds = took if self.seconds is None else 0.9 * self.seconds + 0.1 * took
        speed = self.operations / self.seconds
        use = {"MFU": f"{100 * speed / self.peak:.0f} %"} if self.peak else {"GFLOP/s": f"{speed / 1e9:.0f}"}
        return {"tokens/s": f"{self.tokens / self.seconds:,.0f}"} | use

    def pause(self) -> None:
        """What happened since the last update (a check, a checkpoint) does not count."""
        self.last = time.perf_counter()
