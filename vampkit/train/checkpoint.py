"""Checkpoints: all that a training needs to go on as if nothing had happened, as safetensors and JSON, never as a
pickle.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from vampkit.errors import VampkitError

FORMAT = "vampkit.checkpoint/1"
HOW = {"accumulate", "precision", "compile", "save_seconds", "keep", "check_every", "audio_every", "tensorboard"}
"""Settings of how a run is carried out, which may change at a stop; the others decide what comes out."""


def _flatten(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[k, _flatten(v, f"{name}.{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return {
            "list": [_flatten(v, f"{name}.{i}", tensors) for i, v in enumerate(value)],
            "tuple": isinstance(value, tuple),
        }
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
    """Write nested dicts and lists of tensors and plain values as one safetensors file.

    Beside first, flushed to the disk, then renamed.

    A kill at any moment leaves either the old file or the new one, never half of one. Raises VampkitError where the
    disk is full.
    """
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    tree = _flatten(state, "state", tensors)
    part = path.with_name(path.name + ".part")
    with _room_for(path):
        try:
            save_file(tensors, part, metadata={"format": FORMAT, "settings": json.dumps(tree)})
            with part.open("rb") as file:
                os.fsync(file.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    part.replace(path)
    return path


@contextlib.contextmanager
def _room_for(path: Path) -> Iterator[None]:
    """One clear sentence where the disk is full, which safetensors reports in an error of its own."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        full = (errno.ENOSPC, errno.EDQUOT)
        if getattr(error, "errno", None) not in full and not any(f"os error {code}" in str(error) for code in full):
            raise
        raise VampkitError(
            f"{path} could not be written, the disk is full; what was saved before is whole: make room and run the same command again"
        ) from None


def load(path: str | os.PathLike) -> dict[str, Any]:
    """What `save` wrote. Raises FileNotFoundError, VampkitError for another kind of file."""
    from vampkit.files import read_safetensors

    tree, tensors = read_safetensors(path, FORMAT)
    return _unflatten(tree, tensors)


def identity(preset: Any) -> dict[str, Any]:
    """Those settings of a preset that decide what comes out of its run."""
    return {name: value for name, value in asdict(preset).items() if name not in HOW}


def same_run(saved: dict[str, Any], now: dict[str, Any], folder: str | os.PathLike) -> None:
    """Refuse to go on with a run that other settings began.

    Half of each would be neither. Raises VampkitError that names what differs.
    """
    if changed := list(_changes(saved, now)):
        raise VampkitError(
            f"{folder} holds a run with other settings ({'; '.join(changed)}); go on with the same ones, or choose another folder"
        )


def _changes(saved: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for name, value in now.items():
        if isinstance(value, dict):
            yield from _changes(saved.get(name, {}), value)
        elif name in saved and saved[name] != value:
            yield f"{name} {saved[name]} then, {value} now"


def finished(folder: str | os.PathLike, steps: int) -> None:
    """Say that a run had ended before it was called again, lest its result be taken for a new one's."""
    print(
        f"{folder} holds a run that is finished ({steps} steps): nothing was trained. For a new run choose another folder, or delete this one."
    )


class Checkpoints:
    """The newest checkpoints of a training, and the best.

    FOLDER/state-00001234.safetensors by step, FOLDER/best.safetensors.

    keep: how many of the newest stay.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 2):
        self.folder, self.keep = Path(folder), max(1, keep)

    def paths(self) -> list[Path]:
        """All but the best, oldest first; a state.safetensors without a number counts as the oldest."""
        return sorted(self.folder.glob("state*.safetensors"), key=lambda path: int(path.stem.partition("-")[2] or -1))

    def save(self, state: dict[str, Any], step: int, best: bool = False) -> Path:
        """Write the checkpoint of a step, and let the oldest go.

        Raises VampkitError where the disk is full, with all older ones still there.
        """
        path = save(state, self.folder / f"state-{step:08}.safetensors")
        if best:
            part = self.folder / "best.safetensors.part"
            part.unlink(missing_ok=True)
            with _room_for(self.folder / "best.safetensors"):
                try:
                    os.link(path, part)  # two names of one file, where the disk can
                except OSError:
                    shutil.copyfile(path, part)
            part.replace(self.folder / "best.safetensors")
        for old in self.paths()[: -self.keep]:
            old.unlink()
        return path

    def step(self) -> int | None:
        """Step of the newest checkpoint; None where there is none."""
        paths = self.paths()
        return int(paths[-1].stem.partition("-")[2] or -1) if paths else None

    def latest(self) -> dict[str, Any] | None:
        """The newest checkpoint that can be read.

        None where there is none. One that is damaged is named, and the one before it taken.

        Raises VampkitError where all are damaged.
        """
        paths = self.paths()
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
    """A JSON-lines file of what a training measured.

    On resuming, what lies beyond the checkpoint is dropped, as it will be written again.
    """

    def __init__(self, path: str | os.PathLike, step: int):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = []
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    continue  # a kill in the middle of a line leaves half of one
                if row["step"] < step:
                    kept.append(line)
        part = self.path.with_name(self.path.name + ".part")
        part.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        part.replace(self.path)

    def write(self, **row) -> None:
        """Append one row; the field `step` is needed."""
        with _room_for(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}) + "\n")
