"""Training a masked model: hide some of the tokens, predict them from the rest (paper, equation 1).

It uses Accelerate for devices and processes. Each example has its own mask ratio cos(pi r / 2), with r spread evenly
over (0, 1). The loss counts only hidden tokens. Notebook: 04
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.metrics.tokens import masked_scores
from vampkit.model import MaskedTransformer
from vampkit.train import devices
from vampkit.train.examples import Examples
from vampkit.train.masked_presets import MASKED_PRESETS, MaskedPreset
from vampkit.train.meter import Meter
from vampkit.train.monitor import Curves, write_sounds
from vampkit.train.optim import optimizers_of, rate_factor, set_rate, total_norm
from vampkit.train.sources import sources
from vampkit.train.start import start_local
from vampkit.train.stream import TokenStream
from vampkit.train.tokens import TokenSource
from vampkit.train.training import Training, chosen_run
from vampkit.weights import load_model, save_model

RATIOS = (0.25, 0.5, 0.75, 1.0)
"""Mask ratios at which a check measures the cross entropy."""


def masked_loss(model: nn.Module, codes: Tensor, mask: Tensor, smoothing: float = 0.0) -> Tensor:
    """Compute the sum of -log p over the hidden tokens (paper, equation 1).

    Notebook: 04

    Parameters
    ----------
    model : MaskedTransformer
        The model; it may be wrapped by Accelerate.
    codes : Tensor
        int64 [batch, codebooks, frames].
    mask : Tensor
        bool [batch, codebooks, frames], True = hidden. Conditioning codebooks must not be hidden.
    smoothing : float
        Label smoothing. The reference code uses it; the paper does not mention it.

    Returns
    -------
    Tensor
        The sum in nats. Divide it by mask.sum() for the mean.
    """
    logits = model(codes, mask, hidden_only=True)
    return F.cross_entropy(logits.float(), codes[mask], reduction="sum", label_smoothing=smoothing)


class MaskedTraining(Training):
    """The training of a masked model. It can be stopped and continued.

    Notebook: 04

    Parameters
    ----------
    preset : MaskedPreset
        The settings.
    codec : Codec
        The codec of the tokens.
    stores : tuple of (TokenSource or None, TokenSource or TokenStream or None)
        Training tokens: first of real music, second of composed music.
    out : str or PathLike
        Folder for checkpoints, log and the result.
    valid : dict of str to TokenSource, optional
        Held-out tokens for the checks, by name.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".
    start : str or PathLike, optional
        A saved model to start from: its path, "coarse" or "fine". If `out` has a checkpoint, that is used instead.

    Raises
    ------
    ValueError
        If the batch cannot be divided evenly among the processes.
    VampkitError
        If `start` has another shape, or if `out` holds a run with other settings or another codec.
    """

    def __init__(
        self,
        preset: MaskedPreset,
        codec: Codec,
        stores: tuple[TokenSource | None, TokenSource | TokenStream | None],
        out: str | os.PathLike,
        valid: dict[str, TokenSource] | None = None,
        device: str = "auto",
        start: str | os.PathLike | None = None,
    ):
        super().__init__(preset, out, preset.steps, preset.keep)
        self.codec, self.stores, self.valid, self.best = codec, stores, valid or {}, float("inf")
        self.accelerator = devices.accelerator(device, preset.precision)
        ranks = self.accelerator.num_processes
        self.examples = Examples(preset, stores, self.accelerator.process_index, ranks)
        network = self._build(start)
        if preset.compile:
            for block in network.transformer.layers:
                block.compile()  # block by block: all blocks are alike, so only one is compiled
        self.model, *self.optimizers = self.accelerator.prepare(network, *optimizers_of(network, preset))
        self.meter = Meter(preset.model, preset.batch, preset.frames, (devices.peak() or 0) * ranks or None)
        self._begin()
        for store, drawn in zip(stores, self.examples.drawn(self.step), strict=True):
            if isinstance(store, TokenStream):
                store.seek(drawn)
        curves = self.is_main and preset.tensorboard
        self.curves = Curves(self.out / "tensorboard", self.step) if curves else None

    def _build(self, start: str | os.PathLike | None) -> nn.Module:
        """The network before its first update."""
        p = self.preset
        network = self._untrained()
        if start is not None:
            begin = load_model(start, self.codec)
            if replace(begin.config, dropout=p.model.dropout) != p.model:
                raise VampkitError(
                    f"the model {start} has another shape than the preset's ({begin.config}); "
                    "choose settings that fit it"
                )
            network.load_state_dict(begin.state_dict())
        elif p.local_start:
            start_local(network, torch.Generator().manual_seed(p.seed))
        return network

    def _untrained(self) -> MaskedTransformer:
        config = self.preset.model
        return MaskedTransformer(config, self.codec.tables[: config.codebooks])

    @property
    def network(self) -> MaskedTransformer:
        """The model without Accelerate's wrapper."""
        return self.accelerator.unwrap_model(self.model)

    @property
    def is_main(self) -> bool:
        return self.accelerator.is_main_process

    def averaged(self) -> MaskedTransformer:
        """Make a model with the averaged weights, for evaluation.

        Returns
        -------
        MaskedTransformer
            The model, on the device of the training.
        """
        return self._with_average(self._untrained().to(self.accelerator.device))

    def _identity(self) -> dict:
        return super()._identity() | {"codec": self.codec.hash}

    def _state(self) -> dict:
        return super()._state() | {"best": self.best}

    def _restore(self, state: dict) -> None:
        self.best = state["best"]
        super()._restore(state)

    def train_step(self) -> dict:
        self.meter.start()
        p, processes, device = self.preset, self.accelerator.num_processes, self.accelerator.device
        factor = rate_factor(p.schedule, self.step, p.steps, p.warmup, p.model.width)
        set_rate([getattr(o, "optimizer", o) for o in self.optimizers], factor)
        parts = [(codes.to(device), mask.to(device)) for codes, mask in self.examples(self.step)]
        # The mean is over the hidden tokens of all parts in all processes. A mean of the means of the parts would give
        # tokens different weights.
        count = self.accelerator.reduce(sum(mask.sum() for _, mask in parts), "sum").clamp(min=1)
        self.model.train()
        self._zero_grad()
        total = torch.zeros((), device=device)
        for number, (codes, mask) in enumerate(parts):
            # Dropout depends only on seed, step, part and process.
            part = number * processes + self.accelerator.process_index
            torch.manual_seed((p.seed * 1_000_003 + self.step) * 65_537 + part)
            last = number + 1 == len(parts)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.model):
                with self.accelerator.autocast():
                    loss = masked_loss(self.model, codes, mask, p.smoothing) / count
                # DDP takes the mean over the processes, but we need the sum.
                self.accelerator.backward(loss * processes)
            total += loss.detach()
        norm = total_norm(self.network.parameters(), p.clip)
        self._update()
        return {"loss": float(self.accelerator.reduce(total, "sum")), "norm": norm, "rate": factor}

    def run(self, minutes: float | None = None) -> Path | None:
        try:
            return super().run(minutes)
        finally:
            self.examples.settle()

    def _any_process(self, flag: bool) -> bool:
        if self.accelerator.num_processes == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.accelerator.device), "sum") > 0)

    def _is_best(self, row: dict) -> bool:
        """Whether the cross entropy at mask ratio 0.5, averaged over the held-out stores, is the lowest so far."""
        found = [row[f"{name}_0.5"] for name in self.valid]
        if not found or sum(found) / len(found) >= self.best:
            return False
        self.best = sum(found) / len(found)
        return True

    def _report(self, row: dict) -> None:
        super()._report(row)
        if self.curves:
            self.curves.write(self.step - 1, row)
        if self.preset.audio_every and self.step % self.preset.audio_every == 0:
            write_sounds(self.averaged(), self.codec, self.valid, self.out / "audio", self.step)

    def _progress(self, row: dict) -> dict[str, str]:
        return super()._progress(row) | self.meter.tick()

    def check(self) -> dict:
        """Measure held-out tokens at each mask ratio.

        Cross entropy in nats: the mean at each ratio, and that of each codebook at 0.5. How often the true entry is the
        most probable one, and one of the 25 most probable: a list over the ratios.
        """
        model, found = self.averaged(), {}
        for name, store in self.valid.items():
            codes = store.held_out(16, self.preset.model.codebooks, self.preset.frames)
            for ratio in RATIOS:
                by_codebook, *accuracies = masked_scores(model, codes, ratio, seed=17).unbind(-1)
                for kind, accuracy in zip(("top1", "top25"), accuracies, strict=True):
                    found.setdefault(f"{name}_{kind}", []).append(round(float(accuracy.mean()), 4))
                found[f"{name}_{ratio}"] = float(by_codebook.mean())
                if ratio == 0.5:
                    found[f"{name}_codebooks"] = [round(float(x), 3) for x in by_codebook]
        return found

    def _write_result(self) -> Path:
        return save_model(self.network, self.out / "model.safetensors", self.codec.hash, weights=self.average.state)


def train_masked(
    kind: str,
    preset: str | MaskedPreset = "laptop",
    codec: str | os.PathLike | Codec = "tiny",
    out: str | os.PathLike | None = None,
    music: str | os.PathLike | None = None,
    composed: int = 1500,
    minutes: float | None = None,
    device: str = "auto",
    store: str | os.PathLike | None = None,
    valid_store: str | os.PathLike | None = None,
    stream: int = 0,
    start: str | os.PathLike | None = None,
    processes: int = 1,
    accumulate: int | None = None,
    compile: bool | None = None,
    tensorboard: bool | None = None,
    audio_every: int | None = None,
) -> Path | None:
    """Train the "coarse" or the "fine" model on composed and real music, or continue the run in `out`.

    Notebook: 04

    Parameters
    ----------
    kind : str
        "coarse" or "fine".
    preset : str or MaskedPreset
        "ci", "laptop", "bundled", "gpu", "paper", or your own settings.
    codec : str, PathLike or Codec
        A codec, or its name or path.
    out : str or PathLike, optional
        Folder of the run; None: a folder in the cache.
    music : str or PathLike, optional
        Folder with train/ and valid/, such as `vampkit data fetch` makes; None: only composed music.
    composed : int
        Number of composed pieces of 30 s.
    minutes : float, optional
        Stop after this time. The next call continues.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda". For several GPUs see `vampkit.train.devices`.
    store, valid_store : str or PathLike, optional
        Token stores of `vampkit data build` for training and for checks, used instead of music and composed pieces.
    stream : int
        Number of processes that compose new pieces during the training. The pieces replace those composed before; with
        a store, they are the composed part of each batch.
    start : str or PathLike, optional
        A saved model to start from.
    processes : int
        Number of processes that compose pieces before the training.
    accumulate, compile, tensorboard, audio_every : optional
        Replace the values of the preset; see `MaskedPreset`.

    Returns
    -------
    Path or None
        The model, model.safetensors in `out`. None if the time was up, and in all processes except the main one.

    Raises
    ------
    ValueError
        For an unknown kind or preset.
    VampkitError
        For a store of another codec, or if `out` holds a run with other settings.
    """
    if kind not in MASKED_PRESETS:
        raise ValueError(f'there is no masked model {kind!r}; "coarse" or "fine" was expected')
    preset, name, out = chosen_run(MASKED_PRESETS[kind], preset, kind, out)
    asked = dict(accumulate=accumulate, compile=compile, tensorboard=tensorboard, audio_every=audio_every)
    preset = replace(preset, **{option: value for option, value in asked.items() if value is not None})
    data = dict(music=music, composed=composed, store=store, valid_store=valid_store, stream=stream)
    options = dict(processes=processes, small=name == "ci", speeds=preset.speeds)
    with sources(codec, devices.chosen(device), **data, **options) as (codec, stores, valid):
        return MaskedTraining(preset, codec, stores, out, valid, device, start).run(minutes)
