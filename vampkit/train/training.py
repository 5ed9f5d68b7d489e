"""What all trainings have in common: the loop of updates, checks, checkpoints, and continuing a stopped run."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vampkit import __version__
from vampkit.errors import VampkitError
from vampkit.files import cache_folder
from vampkit.files.outer import fields
from vampkit.files.texts import write_text
from vampkit.files.written import alone
from vampkit.train import checkpoint
from vampkit.train.optim import Average

KEPT = ("identity", "step", "model", "average", "updates", "optimizers")
"""What each checkpoint holds. Those of some trainings hold more."""


class Training:
    """A training that can be stopped and continued. Base class of `CodecTraining`, `MaskedTraining`, `TaggerTraining`.

    A subclass makes `model` and `optimizers`, calls `_begin`, and defines one update (`train_step`), the measurements
    on held-out data (`check`), and the result (`_write_result`). An update depends only on the settings and on `step`,
    so a run that was stopped and continued gives the same weights as one that was not stopped.

    Parameters
    ----------
    preset : CodecPreset, MaskedPreset or TaggerPreset
        The settings.
    out : str or PathLike
        Folder for checkpoints, log.jsonl, settings.json and the result.
    steps : int
        Total number of updates.
    keep : int
        How many of the newest checkpoints are kept.
    """

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]

    def __init__(self, preset: Any, out: str | os.PathLike, steps: int, keep: int = 2):
        self.preset, self.out, self.steps = preset, Path(out), steps
        self.checkpoints = checkpoint.Checkpoints(self.out, keep)
        self.step = 0
        torch.manual_seed(preset.seed)

    def _begin(self) -> None:
        """Continue from the newest checkpoint in `out`, if any. Raises VampkitError if its settings differ."""
        self.average = Average(self.network, self.preset.average)
        if (state := self.checkpoints.latest()) is not None:
            hint = "choose another folder, or delete its checkpoints"
            fields(f"the checkpoint in {self.out}", state, KEPT, hint=hint)
            checkpoint.same_run(state["identity"], self._identity(), self.out)
            self._restore(state)
        elif there := [path for path in self.out.glob("*.safetensors") if path.is_file()]:
            raise VampkitError(
                f"{self.out} holds {there[0].name} but no run to go on with, an empty folder was expected; choose "
                "another folder, or move that file away"
            )

    @property
    def network(self) -> nn.Module:
        """The model without wrappers."""
        return self.model

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files. Of several training processes only the first one does."""
        return True

    def _identity(self) -> dict[str, Any]:
        """The settings that determine the trained weights. A checkpoint is only continued if they are the same."""
        return checkpoint.identity(self.preset)

    def _settings(self) -> dict[str, Any]:
        """The content of settings.json."""
        return asdict(self.preset)

    def _state(self) -> dict[str, Any]:
        """The content of a checkpoint. The learning rate and the position in the data follow from the step."""
        return {
            "identity": self._identity(),
            "step": self.step,
            "model": self.network.state_dict(),
            "average": self.average.state,
            "updates": self.average.updates,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        """Restore a state that `_state` gave."""
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
            Also store it as best.safetensors.
        """
        if self.is_main:
            self.checkpoints.save(self._state(), self.step, best)

    def train_step(self) -> dict[str, Any]:
        """Do one update.

        Returns
        -------
        dict
            Values to log, by name. "loss" must be one of them.
        """
        raise NotImplementedError

    def _zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def _update(self) -> None:
        """Let the optimizers change the weights, and update the average of the weights."""
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update(self.network)

    def check(self) -> dict[str, Any]:
        """Measure the averaged weights on held-out data.

        Returns
        -------
        dict
            Values to log, by name.
        """
        raise NotImplementedError

    def _with_average(self, model: nn.Module) -> nn.Module:
        """Give a new network the averaged weights."""
        model.load_state_dict(self.average.state)
        return model.eval()

    def _write_result(self) -> Path:
        """Write the averaged weights in half precision. Returns the file."""
        raise NotImplementedError

    def _milestone(self) -> bool:
        """Whether this update must be followed by a check and a checkpoint, as the last one."""
        return self.step == self.steps

    def _is_best(self, row: dict[str, Any]) -> bool:
        """Whether the check in this row of the log is the best so far."""
        return False

    def _report(self, row: dict[str, Any]) -> None:
        """Log the values of an update and, if there was one, of a check (main process only)."""
        self.log.write(step=self.step - 1, **row)

    def _progress(self, row: dict[str, Any]) -> dict[str, str]:
        """The values of a row of the log that the progress bar shows."""
        return {"loss": f"{row['loss']:.3f}"}

    def _any_process(self, flag: bool) -> bool:
        """Whether the flag is true in any process. Used so that all processes stop at the same step."""
        return flag

    def run(self, minutes: float | None = None) -> Path | None:
        """Train to the end, or until the time is up.

        Parameters
        ----------
        minutes : float, optional
            Stop after this time. A later run with the same settings continues.

        Returns
        -------
        Path or None
            The file of the result. None if the time was up, and in all processes except the main one.

        Raises
        ------
        VampkitError
            If another process trains in the folder.
        """
        with alone(self.out) if self.is_main else contextlib.nullcontext():
            if self.is_main:
                self.log = checkpoint.Log(self.out / "log.jsonl", self.step)
            self._updates(minutes)
            if self.checkpoints.step() != self.step:
                self.save()
            if self.is_main:
                self.checkpoints.forget()  # those that a killed run could no longer delete
            return self.finish() if self.step >= self.steps else None

    def _updates(self, minutes: float | None) -> None:
        """Do the updates that are left, or as many as there is time for."""
        from vampkit.files.bars import progress_bar

        began = saved = time.monotonic()
        if self.is_main and self.step >= self.steps:
            print(
                f"{self.out} holds a run that is finished ({self.steps} steps): nothing was trained. "
                "For a new run choose another folder, or delete this one."
            )
        disable = None if self.is_main else True
        with progress_bar(total=self.steps, initial=self.step, desc=self.out.name, disable=disable) as bar:
            while self.step < self.steps:
                if minutes is not None and self._any_process(time.monotonic() - began > minutes * 60):
                    break
                row = self.train_step()
                self.step += 1
                bar.update()
                bar.set_postfix(self._progress(row))
                due = self._milestone()
                best = False
                if self.is_main:
                    if due or self.step % self.preset.check_every == 0:
                        row |= self.check()
                        best = self._is_best(row)
                    self._report(row)
                if due or best or time.monotonic() - saved > self.preset.save_seconds:
                    self.save(best)
                    saved = time.monotonic()

    def finish(self) -> Path | None:
        """Write the averaged weights and the settings (main process only).

        Returns
        -------
        Path or None
            The file of the weights; None in other processes.
        """
        if not self.is_main:
            return None
        write_text(self.out / "settings.json", json.dumps({"vampkit": __version__} | self._settings(), indent=1))
        return self._write_result()


def chosen_run(presets: dict[str, Any], preset: Any, what: str, out: str | os.PathLike | None) -> tuple[Any, str, Path]:
    """Look up a preset if it is given by name. Returns the preset, its name (else "custom"), and the folder of the run.

    Raises ValueError for an unknown name.
    """
    name = preset if isinstance(preset, str) else "custom"
    if isinstance(preset, str):
        if preset not in presets:
            raise ValueError(f"there is no {what} preset {preset!r}; {', '.join(presets)} was expected")
        preset = presets[preset]
    return preset, name, Path(out) if out else cache_folder() / "runs" / f"{what}-{name}"
