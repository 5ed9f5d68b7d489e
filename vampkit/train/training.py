"""What every training has in common: going on where it was left, the loop of updates, checks and checkpoints."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vampkit.files import cache_folder, written
from vampkit.train import checkpoint
from vampkit.train.optim import Average


class Training:
    """A run that goes on exactly where it was left. `CodecTraining`, `MaskedTraining` and `TaggerTraining` are such.

    A subclass makes `model` and `optimizers`, calls `_begin`, and says what an update is (`train_step`), what is
    measured (`check`) and what is written at the end (`_write_result`). An update is a function of the settings and of
    `step` alone, so a run that was stopped gives the same weights as one that was not.

    Parameters
    ----------
    preset : CodecPreset, MaskedPreset or TaggerPreset
        The settings.
    out : str or PathLike
        Folder for checkpoints, log.jsonl, settings.json and the result.
    steps : int
        Updates in all.
    keep : int
        How many of the newest checkpoints stay.
    """

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]

    def __init__(self, preset: Any, out: str | os.PathLike, steps: int, keep: int = 2):
        self.preset, self.out, self.steps = preset, Path(out), steps
        self.checkpoints = checkpoint.Checkpoints(self.out, keep)
        self.step = 0
        torch.manual_seed(preset.seed)

    def _begin(self) -> None:
        """Go on from the newest checkpoint in `out`, where there is one. Raises VampkitError for other settings."""
        self.average = Average(self.network, self.preset.average)
        if (state := self.checkpoints.latest()) is not None:
            checkpoint.same_run(state["identity"], self._identity(), self.out)
            self._restore(state)
        self.log = checkpoint.Log(self.out / "log.jsonl", self.step) if self.is_main else None

    @property
    def network(self) -> nn.Module:
        """The model without anything wrapped around it."""
        return self.model

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files: the first of a training in several processes."""
        return True

    def _identity(self) -> dict[str, Any]:
        """What decides the weights that come out; a checkpoint goes on under the same alone."""
        return checkpoint.identity(self.preset)

    def _settings(self) -> dict[str, Any]:
        """What settings.json holds."""
        return asdict(self.preset)

    def _state(self) -> dict[str, Any]:
        """All that a checkpoint holds; schedule and position in the data follow from the step."""
        return {
            "identity": self._identity(),
            "step": self.step,
            "model": self.network.state_dict(),
            "average": self.average.state,
            "updates": self.average.updates,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        """Take up what `_state` gave."""
        self.step = state["step"]
        self.network.load_state_dict(state["model"])
        self.average.load(state["average"], state["updates"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def save(self, best: bool = False) -> None:
        """Write a checkpoint (main process only).

        Parameters
        ----------
        best : bool
            Keep it as best.safetensors too.
        """
        if self.is_main:
            self.checkpoints.save(self._state(), self.step, best)

    def train_step(self) -> dict[str, Any]:
        """One update.

        Returns
        -------
        dict
            What to log, by name; "loss" is among it.
        """
        raise NotImplementedError

    def _zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def _update(self) -> None:
        """Change the weights by their gradients, and their average."""
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.network)

    def check(self) -> dict[str, Any]:
        """Measure the averaged weights on what is held out.

        Returns
        -------
        dict
            What to log, by name.
        """
        raise NotImplementedError

    def _write_result(self) -> Path:
        """Write the averaged weights in half precision; returns their file."""
        raise NotImplementedError

    def _milestone(self) -> bool:
        """Whether a check and a checkpoint are due after an update whatever the clock says, as after the last."""
        return self.step == self.steps

    def _is_best(self, row: dict[str, Any]) -> bool:
        """Whether what `check` put into a row of the log is the best so far."""
        return False

    def _report(self, row: dict[str, Any]) -> None:
        """Log what an update gave, and a check where it was due (main process only)."""
        self.log.write(step=self.step - 1, **row)

    def _progress(self, row: dict[str, Any]) -> dict[str, str]:
        """What the progress bar shows of a row of the log."""
        return {"loss": f"{row['loss']:.3f}"}

    def _any_process(self, flag: bool) -> bool:
        """Whether any process says so, since all of them stop at the same step."""
        return flag

    def run(self, minutes: float | None = None) -> Path | None:
        """Train until the end, or for so many minutes.

        Parameters
        ----------
        minutes : float, optional
            When to stop; another run with the same settings goes on.

        Returns
        -------
        Path or None
            The result's file. None when time ran out, and on all but the main process.
        """
        from tqdm.auto import tqdm

        began = saved = time.monotonic()
        if self.is_main and self.step >= self.steps:
            checkpoint.finished(self.out, self.steps)
        disable = None if self.is_main else True
        with tqdm(total=self.steps, initial=self.step, desc=self.out.name, disable=disable) as bar:
            while self.step < self.steps:
                if minutes is not None and self._any_process(time.monotonic() - began > minutes * 60):
                    break
                row = self.train_step()
                self.step += 1
                bar.update()
                bar.set_postfix(self._progress(row))
                border = self._milestone()
                best = False
                if self.is_main:
                    if border or self.step % self.preset.check_every == 0:
                        row |= self.check()
                        best = self._is_best(row)
                    self._report(row)
                if border or best or time.monotonic() - saved > self.preset.save_seconds:
                    self.save(best)
                    saved = time.monotonic()
        if self.checkpoints.step() != self.step:
            self.save()
        return self.finish() if self.step >= self.steps else None

    def finish(self) -> Path | None:
        """Write the averaged weights, and the settings beside them (main process only).

        Returns
        -------
        Path or None
            The weights' file; None on other processes.
        """
        if not self.is_main:
            return None
        with written(self.out / "settings.json") as part:
            part.write_text(json.dumps(self._settings(), indent=1), encoding="utf-8")
        return self._write_result()


def chosen_run(presets: dict[str, Any], preset: Any, what: str, out: str | os.PathLike | None) -> tuple[Any, str, Path]:
    """A preset by its name or as it was given, its name or "custom", and the folder of its run.

    Raises ValueError for a name that is not there.
    """
    name = preset if isinstance(preset, str) else "custom"
    if isinstance(preset, str):
        if preset not in presets:
            raise ValueError(f"there is no {what} preset {preset!r}; {', '.join(presets)} was expected")
        preset = presets[preset]
    return preset, name, Path(out) if out else cache_folder() / "runs" / f"{what}-{name}"
