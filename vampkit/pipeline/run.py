"""A run: from prompted tokens to finished ones, window by window, with the coarse and the coarse-to-fine model.

All code that makes takes iterates over a `Run`. Paper: section 3.3. Notebook: 08.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from vampkit.model import MaskedTransformer
from vampkit.pipeline.follow import Follow
from vampkit.pipeline.settings import TakeSettings
from vampkit.pipeline.source import Prompted
from vampkit.pipeline.take import Take
from vampkit.pipeline.windows import Window, cut, plan, ready, seed_of, settled
from vampkit.sampling import Settings, Step, sample


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Notebook: 05, 08

    Parameters
    ----------
    done, total : int
        How many coarse passes and fine windows are done, and how many there are. Decoding counts as one more.
    stage : str
        "coarse" or "fine".
    settled : int
        How many frames at the start are final.
    base : Tensor
        int64 [batch, codebooks, frames], the codes after the finished windows.
    left : Tensor
        bool [codebooks, frames], what is still hidden after the finished windows.
    window : Window, optional
        The window that is being made.
    step : Step, optional
        The last pass over this window.
    takes : tuple of Take
        The results; only the last Progress of a run has them.
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
        """Codes so far; values at places that are still hidden have no meaning."""
        return self.base.clone() if self.step is None else self._within(self.base, self.step.codes)

    @property
    def mask(self) -> Bool[Tensor, "batch codebooks frames"]:
        """What is still hidden."""
        whole = self.left.expand(self.base.shape)
        return whole.clone() if self.step is None else self._within(whole, self.step.mask)

    @property
    def take(self) -> Take | None:
        """The first of the takes; None before the last Progress."""
        return self.takes[0] if self.takes else None

    def _within(self, whole: Tensor, seen: Tensor) -> Tensor:
        return whole.clone() if self.window is None else placed(whole, self.window, seen)


class Run:
    """One run of both models. Iterating yields one Progress per coarse pass and per fine window, and a last one.

    A fine window is made as soon as its coarse codes are there. So the start can be heard while the rest is made.

    Parameters
    ----------
    coarse, fine : MaskedTransformer
        The models. fine may be None if there are only tokens of the coarse codebooks.
    prompted : Prompted
        The tokens to start from, and their mask.
    settings : TakeSettings
        Settings of the takes.
    count : int
        Number of takes, made in one batch with seeds `seed`, `seed` + 1 and so on.
    follow : Follow, optional
        What the models follow; None: nothing, and they run as they are.

    Attributes
    ----------
    mask : Tensor
        bool [codebooks, frames], True = hidden in at least one round of feedback. All other tokens are the original's.
    total : int
        Number of coarse passes and fine windows in all rounds, plus one for the decoding.
    """

    def __init__(
        self,
        coarse: MaskedTransformer,
        fine: MaskedTransformer | None,
        prompted: Prompted,
        settings: TakeSettings,
        count: int = 1,
        follow: Follow | None = None,
    ):
        self.prompted, self.settings, self.follow = prompted, settings, follow
        items = len(prompted.tokens.batch)
        self.codes = prompted.tokens.batch.repeat(count, 1, 1)
        # The channels of a sound, or mid and side, have one noise: where they are alike, they stay alike.
        alone = prompted.tokens.stereo == "none"
        seeds = [(settings.seed + take) * 1009 + item * alone for take in range(count) for item in range(items)]
        masks = [rolled(prompted.mask, n * settings.roll, prompted.circular) for n in range(settings.feedback)]
        stages = (Stage("coarse", coarse, settings.coarse, follow), Stage("fine", fine, settings.fine, follow))
        self.rounds = [Round(stages, mask, seeds, settings, prompted.circular, n) for n, mask in enumerate(masks)]
        self.mask = torch.stack(masks).any(0)
        self.total = sum(r.total for r in self.rounds) + 1

    def __iter__(self) -> Iterator[Progress]:
        """Do the run."""
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
    """One of the two models, its sampling settings, and what it follows. name: "coarse" or "fine".

    model: None in a pipeline without a coarse-to-fine model, where no token of this stage is hidden.
    """

    name: str
    model: MaskedTransformer | None
    settings: Settings
    follow: Follow | None = None


class Canvas:
    """The codes made so far, [batch, codebooks, frames], and the mask of what is still hidden, [codebooks, frames]."""

    def __init__(self, codes: Tensor, mask: Tensor):
        self.codes, self.left = codes, mask

    def keep(self, window: Window, step: Step) -> None:
        """Store a window's own frames in copies, since earlier Progress objects hold the old tensors."""
        self.codes = placed(self.codes, window, step.codes)
        self.left = placed(self.left, window, torch.zeros_like(step.mask[0]))


class Round:
    """One round of feedback: all coarse windows of a mask, and the fine windows.

    mask: bool [codebooks, frames]. seeds: one per item. number: number of the round, which changes the noise.
    total: number of coarse passes and fine windows.
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
        assert self.coarse.model is not None
        split = self.coarse.model.config.codebooks
        parts = {"coarse": mask[:split], "fine": mask[split:]}
        self.plans = {stage: plan(rows.any(0), settings.windows, stage, circular) for stage, rows in parts.items()}
        self.total = self.coarse.settings.passes * len(self.plans["coarse"]) + len(self.plans["fine"])

    def over(self, canvas: Canvas) -> Iterator[Progress]:
        """Fill in a canvas. The run sets `done` and `total` of each Progress; here they are 0."""
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
        """Do the passes of one stage on one window."""
        model = stage.model
        assert model is not None, "a stage without a model has no windows"
        config = model.config
        device = next(model.parameters()).device
        # In the reference code windows are independent: each starts from the prompt's mask.
        mask = self.mask if self.reference else canvas.left
        hidden = cut(mask[: config.codebooks], window, True).clone()
        hidden[: config.conditioning] = False
        if window.edges and not hidden.all():
            hidden[:, [0, -1]] = False
        codes = cut(canvas.codes[:, : config.codebooks], window).to(device)
        seeds = [seed_of(seed, stage.name, window.number, self.number) for seed in self.seeds]
        hidden = hidden.to(device)[None].expand(codes.shape)
        model = model if stage.follow is None else stage.follow.within(stage.name, model, window)
        return sample(model, codes, hidden, seeds, stage.settings, circular=window.circular)


def placed(whole: Tensor, window: Window, seen: Tensor) -> Tensor:
    """A copy of `whole` with the window's own frames taken from `seen`, which holds all frames that it sees."""
    whole = whole.clone()
    whole[..., : seen.shape[-2], window.first : window.last] = seen[..., window.made].to(whole.device)
    return whole


def rolled(mask: Tensor, frames: int, circular: bool) -> Tensor:
    """Shift a mask [codebooks, frames] to the right. New frames copy the first one, or wrap around in a loop."""
    if circular or not frames:
        return mask.roll(frames, -1)
    place = (torch.arange(mask.shape[-1]) - frames).clamp(0, mask.shape[-1] - 1)
    return mask[..., place]
