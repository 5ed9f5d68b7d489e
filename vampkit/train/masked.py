"""Training a masked model: hide a random share of the tokens, guess them from the rest (paper, equation 1).

One readable loop on Accelerate. The share hidden is cos(pi r / 2) with r spread evenly over (0, 1), a new one for each
example; only hidden tokens count. Notebook: 04.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.metrics.tokens import masked_cross_entropy
from vampkit.model import MaskedTransformer
from vampkit.train import checkpoint, devices
from vampkit.train.examples import Examples
from vampkit.train.meter import Meter
from vampkit.train.monitor import Curves, write_sounds
from vampkit.train.optim import Average, optimizers_of, rate_factor, set_rate, total_norm
from vampkit.train.presets import PRESETS, MaskedPreset
from vampkit.train.store import TokenStore
from vampkit.train.stream import TokenStream
from vampkit.train.tokens import Store
from vampkit.weights import load_model, save_model

__all__ = ["PRESETS", "RATIOS", "MaskedPreset", "MaskedTraining", "masked_loss", "train"]

RATIOS = (0.25, 0.5, 0.75, 1.0)
"""Shares hidden at which a check measures the cross entropy."""


def masked_loss(model: nn.Module, codes: Tensor, mask: Tensor, smoothing: float = 0.0) -> Tensor:
    """Sum of -log p over hidden tokens (paper, equation 1; smoothing: label smoothing, which the reference code adds).

    codes, mask: [batch, codebooks, frames]; conditioning codebooks must not be hidden. Divide by mask.sum() for the
    mean.
    """
    logits = model(codes, mask, hidden_only=True)
    return F.cross_entropy(logits.float(), codes[mask], reduction="sum", label_smoothing=smoothing)


class MaskedTraining:
    """One training of a masked model, from wherever it was left.

    preset: the settings. codec: whose tokens. stores: tokens of real and of composed music (either may be None). out:
    folder for checkpoints, log and result.
    valid: held-out stores for the checks, by name. device: "auto" (a GPU where there is one), "cpu" or "cuda".
    start: a saved model (its path, "coarse" or "fine") to go on from in place of new weights; a checkpoint in `out` goes
    before it. Raises ValueError where the batch cannot be shared out among the processes, VampkitError for a start of
    another shape, and for an `out` in which other settings or another codec's tokens began.
    """

    def __init__(
        self,
        preset: MaskedPreset,
        codec: Codec,
        stores: tuple[Store | TokenStore | None, Store | TokenStore | TokenStream | None],
        out: str | os.PathLike,
        valid: dict[str, Store | TokenStore] | None = None,
        device: str = "auto",
        start: str | os.PathLike | None = None,
    ):
        self.preset, self.codec, self.stores, self.out, self.valid = preset, codec, stores, Path(out), valid or {}
        self.accelerator = devices.accelerator(device, preset.precision)
        ranks = self.accelerator.num_processes
        self.examples = Examples(preset, stores, self.accelerator.process_index, ranks)
        torch.manual_seed(preset.seed)
        network = self.build(start)
        if preset.compile:
            for block in (
                network.transformer.layers
            ):  # one by one: alike, they are compiled once, and a run of 20 starts in 20 s in place of minutes
                block.compile()
        self.model, *self.optimizers = self.accelerator.prepare(network, *optimizers_of(network, preset))
        self.average = Average(self.network, preset.average)
        self.meter = Meter(preset.model, preset.batch, preset.frames, (devices.peak() or 0) * ranks or None)
        self.checkpoints = checkpoint.Checkpoints(self.out, preset.keep)
        self.step, self.best = 0, float("inf")
        if (state := self.checkpoints.latest()) is not None:
            self._resume(state)
        for store, drawn in zip(stores, self.examples.drawn(self.step), strict=True):
            if isinstance(store, TokenStream):
                store.seek(drawn)
        main = self.accelerator.is_main_process
        self.log = checkpoint.Log(self.out / "log.jsonl", self.step) if main else None
        self.curves = Curves(self.out / "tensorboard", self.step) if main and preset.tensorboard else None

    def build(self, start: str | os.PathLike | None) -> MaskedTransformer:
        """The network before its first step."""
        p = self.preset
        network = MaskedTransformer(p.model, self.codec.tables[: p.model.codebooks])
        if start is not None:
            begin = load_model(start, self.codec)
            if replace(begin.config, dropout=p.model.dropout) != p.model:
                raise VampkitError(
                    f"the model {start} has another shape than the preset's ({begin.config}); choose settings that fit it"
                )
            network.load_state_dict(begin.state_dict())
        elif p.local_start:
            network.start_local(torch.Generator().manual_seed(p.seed))
        return network

    @property
    def network(self) -> MaskedTransformer:
        """The model without what Accelerate wrapped around it."""
        return self.accelerator.unwrap_model(self.model)

    def averaged(self) -> MaskedTransformer:
        """A model with the averaged weights, for evaluation."""
        model = MaskedTransformer(self.preset.model, self.codec.tables[: self.preset.model.codebooks]).to(
            self.accelerator.device
        )
        model.load_state_dict(self.average.state)
        return model.eval()

    def identity(self) -> dict:
        """What decides the weights that come out; a checkpoint goes on under the same alone."""
        return checkpoint.identity(self.preset) | {"codec": self.codec.hash}

    def _resume(self, state: dict) -> None:
        checkpoint.same_run(state.get("identity", {}), self.identity(), self.out)
        self.step, self.best = state["step"], state.get("best", self.best)
        self.network.load_state_dict(state["model"])
        self.average.load(state["average"], state["updates"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def save(self, best: bool = False) -> None:
        """Write the checkpoint (main process only).

        Weights, average, optimizers, and the step, from which schedule and data position follow.
        """
        if self.accelerator.is_main_process:
            state = {
                "identity": self.identity(),
                "step": self.step,
                "best": self.best,
                "model": self.network.state_dict(),
                "average": self.average.state,
                "updates": self.average.updates,
                "optimizers": [o.state_dict() for o in self.optimizers],
            }
            self.checkpoints.save(state, self.step, best)

    def train_step(self) -> dict:
        """One update; returns what to log."""
        p, processes = self.preset, self.accelerator.num_processes
        factor = rate_factor(p.schedule, self.step, p.steps, p.warmup, p.model.width)
        set_rate([getattr(o, "optimizer", o) for o in self.optimizers], factor)
        parts = [
            (codes.to(self.accelerator.device), mask.to(self.accelerator.device))
            for codes, mask in self.examples(self.step)
        ]
        # The mean is over the hidden tokens of all parts on all processes: a mean of means would weigh tokens
        # unequally.
        count = self.accelerator.reduce(sum(mask.sum() for _, mask in parts), "sum").clamp(min=1)
        self.model.train()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        total = torch.zeros((), device=self.accelerator.device)
        for number, (codes, mask) in enumerate(parts):
            # Dropout is a function of seed, step, part and process alone.
            torch.manual_seed(
                (p.seed * 1_000_003 + self.step) * 65_537 + number * processes + self.accelerator.process_index
            )
            last = number + 1 == len(parts)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.model):
                with self.accelerator.autocast():
                    loss = masked_loss(self.model, codes, mask, p.smoothing) / count
                self.accelerator.backward(loss * processes)  # DDP takes the mean over processes, we want the sum
            total += loss.detach()
        norm = total_norm(self.network.parameters(), p.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.network)
        return {"loss": float(self.accelerator.reduce(total, "sum")), "norm": norm, "rate": factor}

    def run(self, minutes: float | None = None) -> Path | None:
        """Train until the end, or for so many minutes.

        Returns the path of the finished model, or None when time ran out (and on all but the first process).
        """
        from tqdm.auto import tqdm

        p, main = self.preset, self.accelerator.is_main_process
        began = saved = time.monotonic()
        self.meter.pause()
        if main and self.step >= p.steps:
            checkpoint.finished(self.out, p.steps)
        with tqdm(total=p.steps, initial=self.step, desc=self.out.name, disable=None if main else True) as bar:
            while self.step < p.steps:
                if minutes is not None and self._any(time.monotonic() - began > minutes * 60):
                    break
                row = self.train_step()
                self.step += 1
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.3f}", **self.meter.tick())
                due = self.step % p.check_every == 0 or self.step == p.steps
                if main and due:
                    row |= self.check()
                if main and p.audio_every and self.step % p.audio_every == 0:
                    write_sounds(self.averaged(), self.codec, self.valid, self.out / "audio", self.step)
                better = due and self._better(row)
                if main:
                    self._report(row)
                if better or time.monotonic() - saved > p.save_seconds:
                    self.save(better)
                    saved = time.monotonic()
                self.meter.pause()
        self.examples.settle()
        if self.checkpoints.step() != self.step:
            self.save()
        return self.finish() if self.step >= p.steps else None

    def _any(self, flag: bool) -> bool:
        """Whether any process says so: all of them stop at the same step."""
        if self.accelerator.num_processes == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.accelerator.device), "sum") > 0)

    def _better(self, row: dict) -> bool:
        """Whether a check is the best so far.

        Mean cross entropy of the held-out stores with half of the tokens hidden.
        """
        found = [row[f"{name}_0.5"] for name in self.valid if f"{name}_0.5" in row]
        if not found or sum(found) / len(found) >= self.best:
            return False
        self.best = sum(found) / len(found)
        return True

    def _report(self, row: dict) -> None:
        self.log.write(step=self.step - 1, **row)
        if self.curves:
            self.curves.write(self.step - 1, row)

    def check(self) -> dict:
        """Cross entropy in nats of the averaged weights on held-out tokens.

        By codebook with half hidden, and by share hidden.
        """
        model, found = self.averaged(), {}
        for name, store in self.valid.items():
            codes = store.held_out(16, self.preset.model.codebooks, self.preset.frames)
            for ratio in RATIOS:
                by_codebook = masked_cross_entropy(model, codes, ratio, seed=17)
                found[f"{name}_{ratio}"] = float(by_codebook.mean())
                if ratio == 0.5:
                    found[f"{name}_codebooks"] = [round(float(x), 3) for x in by_codebook]
        return found

    def finish(self) -> Path | None:
        """Write the averaged weights as a model in half precision, and the settings beside it (main process only)."""
        if not self.accelerator.is_main_process:
            return None
        path = save_model(self.network, self.out / "model.safetensors", self.codec.hash, weights=self.average.state)
        (self.out / "settings.json").write_text(json.dumps(asdict(self.preset), indent=1), encoding="utf-8")
        return path


def train(
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
    **options,
) -> Path | None:
    """Train the "coarse" or the "fine" model on composed music and a folder of real music, resuming what is in `out`.

    preset: "ci", "laptop", "bundled", "gpu", "paper" or settings of your own. codec: a codec or its name. music: folder
    with train/ and valid/, as `vampkit data fetch` lays it out (None: composed music only). composed: number of
    composed pieces of 30 s. minutes: stop after so many, and go on with the next call.
    device: "auto" (a GPU where there is one), "cpu" or "cuda"; vampkit.train.devices tells how to use several. store,
    valid_store: token stores of `vampkit data build` to train and to check on, in place of music and composed pieces.
    stream: number of processes that compose while the model trains, in place of a fixed number of composed pieces;
    beside a store they make the composed share of each batch. start: a saved model to go on from.
    processes: how many compose the pieces made before.
    options: settings that differ from the preset's, such as accumulate=4 or tensorboard=True.
    Raises ValueError for an unknown kind or preset, VampkitError for a store of another codec.
    Notebook: 04.
    """
    from vampkit.files import cache_folder
    from vampkit.train.sources import sources

    if kind not in PRESETS:
        raise ValueError(f'there is no masked model {kind!r}; "coarse" or "fine" was expected')
    name = preset if isinstance(preset, str) else "custom"
    if isinstance(preset, str):
        if preset not in PRESETS[kind]:
            raise ValueError(f"there is no {kind} preset {preset!r}; {', '.join(PRESETS[kind])} was expected")
        preset = PRESETS[kind][preset]
    preset = replace(preset, **options)
    out = Path(out) if out else cache_folder() / "runs" / f"{kind}-{name}"
    with sources(
        codec,
        devices.chosen(device),
        music,
        composed,
        store,
        valid_store,
        stream,
        processes,
        name == "ci",
        preset.speeds,
    ) as (codec, stores, valid):
        return MaskedTraining(preset, codec, stores, out, valid, device, start).run(minutes)
