"""Training examples: example i depends only on (seed, i), not on the process that makes it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from vampkit import masks, schedules
from vampkit.train.masked_presets import MaskedPreset


class Examples:
    """The codes and masks of each update, for one of several training processes.

    Calling the object with a step gives the codes and masks of that update. A thread prepares the next update in the
    meantime. Update s uses the examples s * batch to (s + 1) * batch - 1. They are divided among the processes, so the
    result does not depend on the number of processes. (With a `TokenStream` it does: the composed pieces differ.)

    Notebook: 04

    Parameters
    ----------
    preset : MaskedPreset
        Batch size, length in frames, fraction of composed music and seed.
    stores : tuple of (TokenSource or None, TokenSource or TokenStream or None)
        Tokens of real and of composed music.
    rank, ranks : int
        Number of this process, from 0, and how many there are.

    Raises
    ------
    ValueError
        If the batch cannot be divided evenly.
    """

    def __init__(self, preset: MaskedPreset, stores: tuple, rank: int = 0, ranks: int = 1):
        self.preset, self.stores, self.rank = preset, stores, rank
        self.size, rest = divmod(preset.batch, preset.accumulate * ranks)
        if rest:
            raise ValueError(
                f"a batch of {preset.batch} is not shared out evenly among {ranks} processes "
                f"in {preset.accumulate} parts; choose a multiple"
            )
        self.ranks = ranks
        self._thread = ThreadPoolExecutor(1)
        self._ahead: tuple[int, Future] | None = None

    def own(self, step: int) -> list[range]:
        """List the numbers of the examples that this process uses in one update.

        Parameters
        ----------
        step : int
            The update, from 0.

        Returns
        -------
        list of range
            One range per part (there is one part, unless gradients are accumulated).
        """
        first = step * self.preset.batch + self.rank * self.size
        apart = self.ranks * self.size
        starts = range(first, first + apart * self.preset.accumulate, apart)
        return [range(start, start + self.size) for start in starts]

    def is_composed(self, number: int) -> bool:
        """Tell whether an example is composed music. Composed examples are spread evenly among the real ones.

        Parameters
        ----------
        number : int
            Number of the example.

        Returns
        -------
        bool
            True for composed music, False for real music.
        """
        real, composed = self.stores
        fraction = 0.0 if composed is None else 1.0 if real is None else self.preset.composed
        return int((number + 1) * fraction) > int(number * fraction)

    def drawn(self, step: int) -> tuple[int, int]:
        """Count the real and composed examples that this process uses before a step. Needed to continue a stream.

        Parameters
        ----------
        step : int
            The update, from 0.

        Returns
        -------
        tuple of (int, int)
            Number of real examples and number of composed examples.
        """
        composed = sum(self.is_composed(number) for s in range(step) for part in self.own(s) for number in part)
        return step * self.size * self.preset.accumulate - composed, composed

    def example(self, number: int, ratio: float) -> tuple[Tensor, Tensor]:
        """Make codes and mask of one example.

        Parameters
        ----------
        number : int
            Number of the example.
        ratio : float
            Mask ratio: each token of the predicted codebooks is hidden with this probability.

        Returns
        -------
        codes : Tensor
            int64 [codebooks, frames].
        mask : Tensor
            bool [codebooks, frames], True = hidden.
        """
        p = self.preset
        rng = np.random.default_rng((p.seed, number))
        codes = self.stores[self.is_composed(number)].crops(1, p.model.codebooks, p.frames, rng)[0]
        mask = masks.random(*codes.shape, ratio, torch.Generator().manual_seed(int(rng.integers(2**62))))
        mask[: p.model.conditioning] = False
        return codes, mask

    def parts(self, step: int) -> list[tuple[Tensor, Tensor]]:
        """Make the examples that this process uses in one update.

        Parameters
        ----------
        step : int
            The update, from 0.

        Returns
        -------
        list of (Tensor, Tensor)
            Codes and mask [examples, codebooks, frames] of each part (one, unless gradients are accumulated).
        """
        count = self.preset.batch
        ratios = schedules.cosine(schedules.training_ratios(count, seed=self.preset.seed, step=step)).tolist()
        made = [[self.example(number, ratios[number % count]) for number in numbers] for numbers in self.own(step)]
        return [tuple(torch.stack(tensors) for tensors in zip(*rows, strict=True)) for rows in made]

    def __call__(self, step: int) -> list[tuple[Tensor, Tensor]]:
        """Give the parts of an update, see `parts`, and start to prepare the next update."""
        ready = self._ahead[1] if self._ahead and self._ahead[0] == step else self._thread.submit(self.parts, step)
        found = ready.result()
        self._ahead = (step + 1, self._thread.submit(self.parts, step + 1)) if step + 1 < self.preset.steps else None
        return found

    def settle(self) -> None:
        """Wait for the update that is being prepared, so that the stores can be closed, and end the thread."""
        self._thread.shutdown()
        self._thread = ThreadPoolExecutor(1)
