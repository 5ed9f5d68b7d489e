"""Checkpoints: all that is needed to continue a training exactly. They are saved as safetensors, never as a pickle."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors, written
from vampkit.files.texts import write_text
from vampkit.files.written import room_for

FORMAT = "vampkit.checkpoint/1"
HOW = {"accumulate", "precision", "compile", "save_seconds", "keep", "check_every", "audio_every", "tensorboard"}
"""Settings that do not affect the trained weights. They may be changed when a run is continued."""


def _flatten(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[k, _flatten(v, f"{name}.{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [_flatten(v, f"{name}.{i}", tensors) for i, v in enumerate(value)]
        return {"list": items, "tuple": isinstance(value, tuple)}
    return {"value": value}


def _unflatten(node: dict, tensors: dict[str, Tensor]) -> Any:
    if "tensor" in node:
        return tensors[node["tensor"]]
    if "dict" in node:
        return {k: _unflatten(v, tensors) for k, v in node["dict"]}
    if "list" in node:
        items = [_unflatten(v, tensors) for v in node["list"]]
        return tuple(items) if node["tuple"] else items
    return node["value"]


def save(state: dict[str, Any], path: str | os.PathLike) -> Path:
    """Write nested dicts and lists of tensors and plain values as one safetensors file, flushed to the disk.

    Raises VampkitError if the disk is full.
    """
    tensors: dict[str, Tensor] = {}
    tree = _flatten(state, "state", tensors)
    return write_safetensors(tensors, path, FORMAT, tree, durable=True)


def load(path: str | os.PathLike) -> dict[str, Any]:
    """Read what `save` wrote. Raises FileNotFoundError, or VampkitError for another kind of file or a damaged one."""
    tree, tensors = read_safetensors(path, FORMAT)
    try:
        state = _unflatten(tree, tensors)
    except (KeyError, TypeError, ValueError):  # the tree is no longer the one that `_flatten` gave
        state = None
    if not isinstance(state, dict):
        raise VampkitError(
            f"{Path(path).name} is damaged, a whole checkpoint was expected; delete it, or save it again"
        )
    return state


def identity(preset: Any) -> dict[str, Any]:
    """The settings of a preset that determine the trained weights."""
    return {name: value for name, value in asdict(preset).items() if name not in HOW}


def same_run(saved: dict[str, Any], now: dict[str, Any], folder: str | os.PathLike) -> None:
    """Raise VampkitError if a run was begun with other settings. The message names the settings that differ."""
    if changed := list(_changes(saved, now)):
        raise VampkitError(
            f"{folder} holds a run with other settings ({'; '.join(changed)}); "
            "go on with the same ones, or choose another folder"
        )


def _changes(saved: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for name, value in now.items():
        if isinstance(value, dict):
            yield from _changes(saved.get(name, {}), value)
        elif name in saved and saved[name] != value:
            yield f"{name} {saved[name]} then, {value} now"


class Checkpoints:
    """The checkpoints of a training: the newest, FOLDER/state-STEP.safetensors, and the best, best.safetensors.

    keep: how many of the newest are kept.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 2):
        self.folder, self.keep = Path(folder), max(1, keep)
        self.best = self.folder / "best.safetensors"

    def paths(self) -> list[Path]:
        """All checkpoints except the best, oldest first."""
        return sorted(self.folder.glob("state-*.safetensors"))

    def save(self, state: dict[str, Any], step: int, best: bool = False) -> Path:
        """Write the checkpoint of a step, and delete those that are too old.

        Raises VampkitError if the disk is full. Then no old checkpoint is deleted.
        """
        path = self.folder / f"state-{step:08}.safetensors"
        save(state, self.best if best else path)
        if best:  # first, so that a run that is killed between the two files does the step again, and then both
            path.unlink(missing_ok=True)
            try:
                os.link(self.best, path)  # a hard link, if the file system has them
            except OSError:
                with written(path) as part:
                    shutil.copyfile(self.best, part)
        self.forget()
        return path

    def forget(self) -> None:
        """Delete the checkpoints that are too old."""
        for old in self.paths()[: -self.keep]:
            old.unlink()

    def step(self) -> int | None:
        """Step of the newest checkpoint; None if there is none."""
        paths = self.paths()
        return int(paths[-1].stem.removeprefix("state-")) if paths else None

    def latest(self) -> dict[str, Any] | None:
        """Read the newest checkpoint, or the best if there is no other; None if there is none at all.

        If it is damaged, a message is printed and the one before it is read. Raises VampkitError if all are damaged.
        """
        paths = self.paths() or [self.best] * self.best.is_file()
        for path in reversed(paths):
            try:
                return load(path)
            except VampkitError as error:
                print(f"{error} (going back to the checkpoint before it)")
        if paths:
            raise VampkitError(
                f"no checkpoint in {self.folder} can be read; start again in another folder, or delete them"
            )
        return None


class Log:
    """The log of a training: a JSON-lines file with one row per update.

    If a run is continued, rows from `step` on are removed, since these updates are done again.
    """

    def __init__(self, path: str | os.PathLike, step: int):
        self.path = Path(path)
        kept = []
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    if json.loads(line)["step"] < step:
                        kept.append(line)
                except (ValueError, TypeError, KeyError):
                    continue  # an incomplete line, after the run was killed
        write_text(self.path, "".join(line + "\n" for line in kept))

    def write(self, **row) -> None:
        """Append one row. It must have the field `step`."""
        with room_for(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}) + "\n")
