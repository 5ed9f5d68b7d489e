"""A run: from what a prompt made of a source to finished tokens, window by window, coarse and fine.

Everything that makes takes iterates a `Run`. Paper: section 3.3. Notebook: 08.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from vampkit.model import MaskedTransformer
from vampkit.pipeline.settings import TakeSettings
from vampkit.pipeline.source import Prompted
from vampkit.pipeline.take import Take
from vampkit.pipeline.windows import Window, cut, plan, ready, seed_of, settled
from vampkit.sampling import Settings, Step, sample


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Notebook: 05, 08

    Parameters
    ----------
    done, total : int
        Coarse passes and fine windows that are done, of how many; the last one is the decoding.
    stage : str
        "coarse" or "fine".
    settled : int
        Frames from the start on that will not change any more.
    base : Tensor
        int64 [batch, codebooks, frames], codes as the finished windows left them.
    left : Tensor
        bool [codebooks, frames], what the finished windows left hidden.
    window : Window, optional
        The window that is being made.
    step : Step, optional
        What its last pass did.
    takes : tuple of Take
        What came out, in the last one only.
    """

    done: int
    total: int
    stage: str
    settled: int
    base: Int[Tensor, "batch codebooks frames"] = field(repr=False)
    left: Bool[Tensor, "codebooks frames"] = field(repr=False)
    window: Window | None = field(default=None, repr=False)
    step: Step | None = field(default=None, repr=False)
    takes: tuple[Take, ...] = ()

    @property
    def codes(self) -> Int[Tensor, "batch codebooks frames"]:
        """Codes so far; what they hold where still hidden does not count."""
        return self.base.clone() if self.step is None else self._within(self.base, self.step.codes)

    @property
    def mask(self) -> Bool[Tensor, "batch codebooks frames"]:
        """What is still hidden."""
        whole = self.left.expand(self.base.shape)
        return whole.clone() if self.step is None else self._within(whole, self.step.mask)

    @property
    def take(self) -> Take | None:
        """What came out, in the last one only."""
        return self.takes[0] if self.takes else None

    def _within(self, whole: Tensor, seen: Tensor) -> Tensor:
        """The whole with what the window makes of its own frames."""
        whole, window = whole.clone(), self.window
        if window is not None:
            whole[:, : seen.shape[1], window.first : window.last] = seen[..., window.made].to(whole.device)
        return whole


class Run:
    """One run of both models; iterating it yields a Progress for each coarse pass and each fine window, and a last one.

    Fine windows follow as soon as the coarse codes under them are there, so that the start can be heard while the rest
    is made.

    Parameters
    ----------
    coarse, fine : MaskedTransformer
        The models.
    prompted : Prompted
        Tokens to begin with, and their mask.
    settings : TakeSettings
        Of the take.
    count : int
        How many takes, with seeds `seed`, `seed` + 1 and so on, as one batch.

    Attributes
    ----------
    mask : Tensor
        bool [codebooks, frames], hidden in any round of feedback; all else is the original's.
    total : int
        Coarse passes and fine windows of all rounds, and one for the decoding.
    """

    def __init__(
        self,
        coarse: MaskedTransformer,
        fine: MaskedTransformer,
        prompted: Prompted,
        settings: TakeSettings,
        count: int = 1,
    ):
        self.prompted, self.settings = prompted, settings
        items = len(prompted.tokens.batch)
        self.codes = prompted.tokens.batch.repeat(count, 1, 1)
        seeds = [(settings.seed + take) * 1009 + item for take in range(count) for item in range(items)]
        masks = [rolled(prompted.mask, n * settings.roll, prompted.circular) for n in range(settings.feedback)]
        stages = (Stage("coarse", coarse, settings.coarse), Stage("fine", fine, settings.fine))
        self.rounds = [Round(stages, mask, seeds, settings, prompted.circular, n) for n, mask in enumerate(masks)]
        self.mask = torch.stack(masks).any(0)
        self.total = sum(r.total for r in self.rounds) + 1

    def __iter__(self) -> Iterator[Progress]:
        """Do it."""
        codes, done = self.codes, 0
        for each in self.rounds:
            last = each is self.rounds[-1]
            canvas = Canvas(codes, each.mask)
            for progress in each.over(canvas):
                done += 1
                seen = progress.settled if last else 0
                yield replace(progress, done=done, total=self.total, settled=seen)
            codes = canvas.codes
        nothing = torch.zeros_like(self.prompted.mask)
        yield Progress(self.total, self.total, "fine", codes.shape[-1], codes, nothing)


@dataclass(frozen=True)
class Stage:
    """One of the two models, and how it is sampled. name: "coarse" or "fine"."""

    name: str
    model: MaskedTransformer
    settings: Settings


class Canvas:
    """Codes [batch, codebooks, frames] as far as they are made, and what of them is hidden, [codebooks, frames]."""

    def __init__(self, codes: Tensor, mask: Tensor):
        self.codes, self.left = codes, mask

    def keep(self, window: Window, step: Step) -> None:
        """Write down what a window made of its own frames. What was given out before is not changed."""
        rows, own = step.codes.shape[1], slice(window.first, window.last)
        self.codes, self.left = self.codes.clone(), self.left.clone()
        self.codes[:, :rows, own] = step.codes[..., window.made].to(self.codes.device)
        self.left[:rows, own] = False


class Round:
    """One round of feedback: all coarse windows over a mask, and the fine ones after them.

    mask: bool [codebooks, frames]. seeds: one per item. number: which round, for the noise. total: passes and windows.
    """

    def __init__(
        self,
        stages: tuple[Stage, Stage],
        mask: Tensor,
        seeds: Sequence[int],
        settings: TakeSettings,
        circular: bool,
        number: int,
    ):
        self.coarse, self.fine = stages
        self.mask, self.seeds, self.number = mask, seeds, number
        self.reference = settings.windows.reference
        split = self.coarse.model.config.codebooks
        self.plans = {
            "coarse": plan(mask[:split].any(0), settings.windows, "coarse", circular),
            "fine": plan(mask[split:].any(0), settings.windows, "fine", circular),
        }
        self.total = self.coarse.settings.passes * len(self.plans["coarse"]) + len(self.plans["fine"])

    def over(self, canvas: Canvas) -> Iterator[Progress]:
        """Fill in a canvas. done and total are the run's to know."""
        done = {"coarse": 0, "fine": 0}
        frames, fine = self.mask.shape[-1], self.plans["fine"]

        def settled_in(stage: str) -> int:
            return settled(self.plans[stage], done[stage], frames)

        def now(stage: str, window: Window | None = None, step: Step | None = None) -> Progress:
            reached = min(settled_in("coarse"), settled_in("fine"))
            return Progress(0, 0, stage, reached, canvas.codes, canvas.left, window, step)

        for window in [*self.plans["coarse"], None]:
            if window is not None:
                for step in self.passes(self.coarse, window, canvas):
                    yield now("coarse", window, step)
                canvas.keep(window, step)
                done["coarse"] += 1
            while done["fine"] < len(fine) and ready(fine[done["fine"]], settled_in("coarse"), frames):
                own = fine[done["fine"]]
                *_, step = self.passes(self.fine, own, canvas)
                canvas.keep(own, step)
                done["fine"] += 1
                yield now("fine")

    def passes(self, stage: Stage, window: Window, canvas: Canvas) -> Iterator[Step]:
        """The passes of a stage over what a window sees."""
        model, config = stage.model, stage.model.config
        device = next(model.parameters()).device
        # In the reference code, windows know nothing of each other: each hides what the prompt hides.
        mask = self.mask if self.reference else canvas.left
        hidden = cut(mask[: config.codebooks], window, True).clone()
        hidden[: config.conditioning] = False
        if window.edges and not hidden.all():
            hidden[:, [0, -1]] = False
        codes = cut(canvas.codes[:, : config.codebooks], window).to(device)
        seeds = [seed_of(seed, stage.name, window.number, self.number) for seed in self.seeds]
        hidden = hidden.to(device)[None].expand(codes.shape)
        return sample(model, codes, hidden, seeds, stage.settings, circular=window.circular)


def rolled(mask: Tensor, frames: int, circular: bool) -> Tensor:
    """A mask [codebooks, frames] moved to the right; what comes in is as the first frame was, or around the circle."""
    if circular or not frames:
        return mask.roll(frames, -1)
    place = (torch.arange(mask.shape[-1]) - frames).clamp(0, mask.shape[-1] - 1)
    return mask[..., place]
