"""Training the adapters that follow controls. The models are frozen; their tokens are told what their sound does.

`followed.py` holds the music with its curves, `rough.py` makes them rough. Notebook: 14.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit import masks, schedules
from vampkit.controls import AdapterConfig, Adapters, Control, Following
from vampkit.controls.kinds import by_control
from vampkit.errors import VampkitError
from vampkit.files import cache_folder
from vampkit.model import MaskedTransformer
from vampkit.music.genres import HELD_OUT_SEEDS
from vampkit.pipeline.follow import load_controls, save_controls
from vampkit.train.devices import chosen
from vampkit.train.followed import Followed, followed
from vampkit.train.optim import Muon, rate_factor, set_rate, total_norm
from vampkit.train.rough import rough
from vampkit.train.training import Training, chosen_run
from vampkit.weights import load_codec, load_model, model_hash


@dataclass(frozen=True)
class ControlPreset:
    """Settings for training control adapters. Comments in the source give the reason for each default.

    Notebook: 14

    Parameters
    ----------
    hidden, reading : int
        See `AdapterConfig`.
    frames, batch : int
        Length of an example, and examples an update.
    steps : int
        Total number of updates.
    muon_rate, muon_decay : float
        Learning rate and weight decay of the adapters' matrices.
    adam_rate : float
        AdamW's learning rate, for the convolutions.
    warmup : int
        Updates over which the rates rise.
    clip : float
        Gradients are clipped to this norm.
    high : float
        Fraction of examples whose mask ratio is drawn from 0.8 to 1 instead of by the schedule.
    prompted : float
        Fraction of examples in which every so many frames are kept as well, as periodic prompts do.
    drums : float
        Fraction of the examples with drums in which the rhythm is that of the drums alone.
    average : float
        Decay of the moving average of the weights.
    guidance : float
        The weight w of the guidance (see `Following`) that the adapters learn to give by one call. 1 is none. Otherwise
        the loss is that of untold + (told - untold) / w, the logits whose guidance by w gives theirs; `untold` is the
        model without adapters. Source: guidance-free training (Chen et al. 2025).
    seed : int
        Seed of all random numbers.
    save_seconds : float
        Time between checkpoints.
    keep : int
        How many of the newest checkpoints are kept.
    check_every : int
        Updates between checks.
    """

    hidden: int = 96  # the file of both models stays near one MiB
    reading: int = 64
    frames: int = 512  # 9 s, nearly a window of the sampling loop
    batch: int = 8
    steps: int = 700  # 20 minutes of two cores
    muon_rate: float = 0.02  # as for the coarse model
    muon_decay: float = 0.01
    adam_rate: float = 2e-3
    warmup: int = 30
    clip: float = 1.0
    high: float = 0.5  # there controls tell most, and there a take begins
    prompted: float = 0.4
    drums: float = 0.2
    average: float = 0.99
    guidance: float = 1.0
    seed: int = 0
    save_seconds: float = 60.0
    keep: int = 2
    check_every: int = 150


def _ci() -> ControlPreset:
    return ControlPreset(hidden=8, reading=8, frames=64, batch=2, steps=6, warmup=2, check_every=3, save_seconds=0.0)


CONTROL_PRESETS = {
    "coarse": {
        "ci": _ci(),
        "laptop": ControlPreset(hidden=192),
        "guided": ControlPreset(hidden=192, guidance=2.0, steps=1300, average=0.995),
        "gpu": ControlPreset(hidden=192, batch=64, steps=6000, warmup=100, average=0.999, check_every=1000),
    },
    "fine": {
        "ci": _ci(),
        "laptop": replace(ControlPreset(), frames=256, batch=12),  # fine tokens depend on near ones
        "guided": replace(ControlPreset(), frames=256, batch=12, guidance=3.0, steps=300),
        "gpu": ControlPreset(frames=256, batch=128, steps=6000, warmup=100, average=0.999, check_every=1000),
    },
}
"""The presets by model. ci: seconds, to test the code.

laptop: as the bundled adapters, which had more steps. guided: goes on with the adapters given as start; they learn to
do by one call what takes two with guidance. It was not tried without a start. gpu: minutes on a card."""


class ControlTraining(Training):
    """The training of control adapters. It can be stopped and continued.

    Notebook: 14

    Parameters
    ----------
    preset : ControlPreset
        The settings.
    base : MaskedTransformer
        The model; it is not changed.
    name : str
        Name of the model: "coarse" or "fine".
    train, valid : Followed
        Music to learn from, and held-out music for the checks.
    out : str or PathLike
        Folder for checkpoints, log and the result.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".
    start : Adapters, optional
        Adapters to begin with. If `out` has a checkpoint, that is used instead.

    Raises
    ------
    VampkitError
        If `start` has another shape, or if `out` holds a run with other settings or another model.
    """

    def __init__(
        self,
        preset: ControlPreset,
        base: MaskedTransformer,
        name: str,
        train: Followed,
        valid: Followed,
        out: str | os.PathLike,
        device: str = "auto",
        start: Adapters | None = None,
    ):
        super().__init__(preset, out, preset.steps, preset.keep)
        self.base, self.name, self.train, self.valid = base.to(chosen(device)), name, train, valid
        self.device = next(base.parameters()).device
        shape = dict(layers=base.config.layers, width=base.config.width, hidden=preset.hidden, reading=preset.reading)
        self.model = Adapters(AdapterConfig(**shape))
        if start is not None:
            if start.config != self.model.config:
                raise VampkitError(
                    f"the adapters to begin with have another shape ({start.config}); "
                    f"{self.model.config} was expected; choose a preset of that shape, or begin without them"
                )
            self.model.load_state_dict(start.state_dict())
        self.model.to(self.device)
        matrices = [layer.weight for layers in (self.model.down, self.model.up) for layer in layers]
        rest = self.model.convolutions.parameters()
        self.optimizers = [
            Muon(matrices, lr=preset.muon_rate, weight_decay=preset.muon_decay),
            torch.optim.AdamW(rest, lr=preset.adam_rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]
        self._begin()

    def _identity(self) -> dict:
        return super()._identity() | {"base": model_hash(self.base)}

    def example(self, number: int, ratio: float) -> tuple[Tensor, Tensor, Tensor]:
        """Make one example.

        Parameters
        ----------
        number : int
            Number of the example, from which all chance follows.
        ratio : float
            Mask ratio.

        Returns
        -------
        codes : Tensor
            int64 [codebooks, frames].
        mask : Tensor
            bool [codebooks, frames], True = hidden.
        curves : Tensor
            float32 [19, frames].
        """
        rng = np.random.default_rng((self.preset.seed, number))
        codes, values = self.train.crop(self.preset.frames, rng, self.preset.drums)
        codes = codes[: self.base.config.codebooks]
        if rng.random() < self.preset.high:
            ratio = float(rng.uniform(0.8, 1))
        mask = masks.random(*codes.shape, ratio, torch.Generator().manual_seed(int(rng.integers(2**62))))
        if rng.random() < self.preset.prompted:
            period = int(rng.integers(5, 40))
            pillars = torch.zeros_like(mask)
            pillars[:, int(rng.integers(period)) :: period] = True
            mask = ~pillars if rng.random() < 0.5 else mask & ~pillars
        mask[: self.base.config.conditioning] = False
        return codes, mask, torch.from_numpy(rough(values, rng))

    def train_step(self) -> dict:
        p = self.preset
        factor = rate_factor("trapezoid", self.step, p.steps, p.warmup, 0)
        set_rate(self.optimizers, factor)
        ratios = schedules.cosine(schedules.training_ratios(p.batch, seed=p.seed, step=self.step)).tolist()
        rows = [self.example(self.step * p.batch + i, ratio) for i, ratio in enumerate(ratios)]
        codes, mask, told = (torch.stack(part).to(self.device) for part in zip(*rows, strict=True))
        loss = F.cross_entropy(self._logits(self.model, codes, mask, told), codes[mask])
        self._zero_grad()
        loss.backward()
        norm = total_norm(self.model.parameters(), p.clip)
        self._update()
        return {"loss": float(loss.detach()), "norm": norm, "rate": factor}

    def _logits(self, adapters: Adapters, codes: Tensor, mask: Tensor, told: Tensor) -> Tensor:
        """The logits [hidden, entries] that the true tokens are compared with, see `ControlPreset.guidance`."""
        logits = Following(self.base, adapters, told)(codes, mask, hidden_only=True)
        if self.preset.guidance == 1:
            return logits
        untold = self._untold(codes, mask, told)
        return untold + (logits - untold) / self.preset.guidance

    @torch.no_grad()
    def _untold(self, codes: Tensor, mask: Tensor, told: Tensor) -> Tensor:
        """The logits [hidden, entries] of the model alone, whatever is told."""
        return self.base(codes, mask, hidden_only=True)

    def check(self) -> dict:
        """Cross entropy in nats on held-out music without, and with each control, at three mask ratios."""
        adapters = self._with_average(Adapters(self.model.config)).to(self.device)
        words, found = list(Control.kinds), {}
        for ratio in (0.5, 0.9, 1.0):
            for name, given in {"none": (), **{word: (word,) for word in words}, "all": words}.items():
                total = count = 0
                for number in range(min(16, len(self.valid.codes))):
                    codes, mask, told = self._held_out(number, ratio, given)
                    compared = partial(self._logits, adapters) if given else self._untold
                    with torch.inference_mode():
                        logits = compared(codes, mask, told)
                    total += float(F.cross_entropy(logits, codes[mask], reduction="sum"))
                    count += int(mask.sum())
                found[f"{name}_{ratio}"] = round(total / count, 4)
        return found

    def _held_out(self, number: int, ratio: float, given: Iterable[str]) -> tuple[Tensor, Tensor, Tensor]:
        frames = self.preset.frames
        codes, values = self.valid.codes[number], self.valid.curves[number]
        first = max(0, (codes.shape[1] - frames) // 2)
        codes, values = (
            codes[None, : self.base.config.codebooks, first : first + frames],
            values[:, first : first + frames],
        )
        mask = masks.random(*codes.shape[1:], ratio, torch.Generator().manual_seed(number))[None]
        mask[:, : self.base.config.conditioning] = False
        rows = [curve * (kind.word in given) for kind, curve in by_control(values)]
        rows += [np.full((1, values.shape[1]), float(word in given)) for word in Control.kinds]
        told = torch.from_numpy(np.concatenate(rows).astype(np.float32))[None]
        return codes.to(self.device), mask.to(self.device), told.to(self.device)

    def _write_result(self) -> Path:
        adapters = self._with_average(Adapters(self.model.config))
        return save_controls({self.name: adapters}, self.out / "controls.safetensors", {self.name: self.base})


def train_controls(
    preset: str | Mapping[str, ControlPreset] = "laptop",
    model: str | os.PathLike = "tiny",
    out: str | os.PathLike | None = None,
    music: str | os.PathLike | None = None,
    composed: int = 300,
    minutes: float | None = None,
    device: str = "auto",
    start: str | os.PathLike | None = None,
) -> Path | None:
    """Train the adapters that follow rhythm, harmony and loudness, or continue the runs in `out`.

    First those of the coarse model, then those of the coarse-to-fine model.

    Notebook: 14

    Parameters
    ----------
    preset : str or mapping of str to ControlPreset
        "ci", "laptop", "guided", "gpu", or your own settings by the name of the model.
    model : str or PathLike
        "tiny", or a folder with codec, coarse and fine weights.
    out : str or PathLike, optional
        Folder of the runs; None: a folder in the cache.
    music : str or PathLike, optional
        Folder with train/ and valid/, such as `vampkit data fetch` makes; None: only composed music.
    composed : int
        Number of composed pieces of 30 s.
    minutes : float, optional
        Stop after this time. The next call continues.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".
    start : str or PathLike, optional
        A file of adapters to begin with, such as an earlier controls.safetensors.

    Returns
    -------
    Path or None
        controls.safetensors in `out`, to be put beside the models; None if the time was up.

    Raises
    ------
    ValueError
        For an unknown preset.
    VampkitError
        If `out` holds runs with other settings.
    """
    named = {word: {kind: found[word] for kind, found in CONTROL_PRESETS.items()} for word in CONTROL_PRESETS["fine"]}
    presets, name, out = chosen_run(named, preset, "controls", out)
    bundled, end = str(model) == "tiny", None if minutes is None else time.monotonic() + minutes * 60
    codec = load_codec("tiny" if bundled else Path(model) / "codec.safetensors")
    small, home = name == "ci", cache_folder() / "followed" / codec.hash
    made, held = (2, 1) if small else (composed, 24)
    folders = [None, None] if music is None else [Path(music) / part for part in ("train", "valid")]
    train = followed(codec, home / "train", range(made), folders[0])
    valid = followed(codec, home / "valid", range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + held), folders[1])
    models = {kind: load_model(kind if bundled else Path(model) / f"{kind}.safetensors", codec) for kind in presets}
    first = {} if start is None else load_controls(start, models)
    adapters = {}
    for kind, base in models.items():
        left = None if end is None else max(0.0, (end - time.monotonic()) / 60)
        begin = first[kind] if kind in first else None
        path = ControlTraining(presets[kind], base, kind, train, valid, out / kind, device, begin).run(left)
        if path is None:
            return None
        adapters |= load_controls(path, models).items()
    return save_controls(adapters, out / "controls.safetensors", models)
