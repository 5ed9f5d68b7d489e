"""Turns: the whole way from a prompt's tokens to finished ones, window by window, coarse and fine.

Everything that makes takes iterates `generate`.

Paper: section 3.3. Notebook: 08.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from vampkit.model import MaskedTransformer
from vampkit.pipeline.take import Given, Progress, TakeSettings, rolled
from vampkit.pipeline.windows import Window, cut, plan, ready, seed_of, settled
from vampkit.sampling import Step, sample


def generate(
    coarse: MaskedTransformer, fine: MaskedTransformer, given: Given, settings: TakeSettings, count: int = 1
) -> Iterator[Progress]:
    """One Progress a coarse pass and a fine window, and a last one when all codes [count * items, codebooks, frames]
    are there, in its `base`.

    Fine windows follow as soon as the coarse codes under them are there, so that the start can be heard while the rest
    is made.
    """
    codes, items = given.tokens.batch.repeat(count, 1, 1), len(given.tokens.batch)
    seeds = [(settings.seed + take) * 1009 + item for take in range(count) for item in range(items)]
    turns = [
        Turn(coarse, fine, mask, seeds, settings, given.circular, number)
        for number, mask in enumerate(masks_of(given, settings))
    ]
    done, total = 0, sum(turn.total for turn in turns) + 1  # one for the decoding
    for turn in turns:
        for stage, base, left, seen in turn.run(codes):
            codes, done = base, done + 1
            yield Progress(done, total, stage, turn.settled if turn is turns[-1] else 0, base, left, seen)
        codes = turn.codes if turn.total else codes
    yield Progress(total, total, "fine", codes.shape[-1], codes, torch.zeros_like(given.mask))


class Turn:
    """One time from mask to codes. mask [codebooks, frames]; seeds: one an item; number: which turn, for the noise.

    settled: frames from the start on that will not change. total: coarse passes and fine windows.
    """

    def __init__(
        self,
        coarse: MaskedTransformer,
        fine: MaskedTransformer,
        mask: Tensor,
        seeds: Sequence[int],
        settings: TakeSettings,
        circular: bool,
        number: int,
    ):
        self.models, self.settings, self.seeds, self.number = {"coarse": coarse, "fine": fine}, settings, seeds, number
        self.mask, split = mask, coarse.config.codebooks
        self.plans = {
            "coarse": plan(mask[:split].any(0), settings.windows, "coarse", circular),
            "fine": plan(mask[split:].any(0), settings.windows, "fine", circular),
        }
        self.finished = {"coarse": 0, "fine": 0}
        self.total = settings.passes * len(self.plans["coarse"]) + len(self.plans["fine"])

    def settled_in(self, stage: str) -> int:
        """Frames from the start on that a stage has finished."""
        return settled(self.plans[stage], self.finished[stage], self.mask.shape[-1])

    @property
    def settled(self) -> int:
        """Frames from the start on that both stages have finished."""
        return min(self.settled_in("coarse"), self.settled_in("fine"))

    def run(self, codes: Tensor) -> Iterator[tuple]:
        """Stage, codes, what is hidden of them, and what the window made so far.

        Frames, codes and mask. Tensors given out are never changed later.
        """
        self.codes, self.left = codes, self.mask
        for window in self.plans["coarse"]:
            for step in self.window("coarse", window):
                place = torch.arange(window.first, window.last)
                yield (
                    "coarse",
                    self.codes,
                    self.left,
                    (place, step.codes[..., window.made].cpu(), step.mask[..., window.made].cpu()),
                )
            self.keep("coarse", window, step)
            yield from self.fine()
        yield from self.fine()

    def fine(self) -> Iterator[tuple]:
        """All fine windows whose coarse codes are there."""
        frames, windows = self.mask.shape[-1], self.plans["fine"]
        while self.finished["fine"] < len(windows) and ready(
            window := windows[self.finished["fine"]], self.settled_in("coarse"), frames
        ):
            *_, step = self.window("fine", window)
            self.keep("fine", window, step)
            yield "fine", self.codes, self.left, None

    def window(self, stage: str, window: Window) -> Iterator[Step]:
        """The passes of a stage over what a window sees."""
        model, reference = self.models[stage], self.settings.windows.reference
        seeds = [seed_of(seed, stage, window.number, self.number) for seed in self.seeds]
        # In the reference, windows know nothing of each other: each hides what the prompt hides.
        hidden = self.mask if reference else self.left
        return over(model, self.codes, hidden, window, seeds=seeds, **getattr(self.settings, stage))

    def keep(self, stage: str, window: Window, step: Step) -> None:
        """Write down what a window made of its own frames."""
        rows = self.models[stage].config.codebooks
        self.codes, self.left = self.codes.clone(), self.left.clone()
        self.codes[:, :rows, window.first : window.last] = step.codes[..., window.made].to(self.codes.device)
        self.left[:rows, window.first : window.last] = False
        self.finished[stage] += 1


def over(model: MaskedTransformer, codes: Tensor, mask: Tensor, window: Window, **settings) -> Iterator[Step]:
    """The passes of a model over what a window sees of codes [batch, codebooks, frames] and mask [codebooks, frames].

    Settings: those of `sample`.
    """
    rows, device = model.config.codebooks, next(model.parameters()).device
    hidden = cut(mask[:rows], window, True).clone()
    hidden[: model.config.conditioning] = False
    if window.edges and not hidden.all():
        hidden[:, [0, -1]] = False
    seen = cut(codes[:, :rows], window)
    around = {"circular": True} if window.circular else {}
    return sample(model, seen.to(device), hidden[None].expand(seen.shape).to(device), **settings, **around)


def masks_of(given: Given, settings: TakeSettings) -> list[Tensor]:
    """The mask of each turn: the prompt's, moved on by `roll` frames each time."""
    return [rolled(given.mask, turn * settings.roll, given.circular) for turn in range(settings.feedback)]


def hidden_in_any(given: Given, settings: TakeSettings) -> Tensor:
    """What is hidden in any turn, bool [codebooks, frames]: all else is the original's."""
    return torch.stack(masks_of(given, settings)).any(0)
