"""Checkpoints: all that a training needs to go on as if nothing had happened, as safetensors and JSON, never as a pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FORMAT = "vampkit.checkpoint/1"


def _flatten(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[k, _flatten(v, f"{name}.{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list": [_flatten(v, f"{name}.{i}", tensors) for i, v in enumerate(value)], "tuple": isinstance(value, tuple)}
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
    """Write nested dicts and lists of tensors and plain values as one safetensors file; beside first, flushed to the disk, then renamed.

    A kill at any moment leaves either the old file or the new one, never half of one.
    """
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    tree = _flatten(state, "state", tensors)
    part = path.with_name(path.name + ".part")
    try:
        save_file(tensors, part, metadata={"format": FORMAT, "settings": json.dumps(tree)})
        with part.open("rb") as file:
            os.fsync(file.fileno())
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)
    return path


def load(path: str | os.PathLike) -> dict[str, Any]:
    """What `save` wrote. Raises FileNotFoundError, VampkitError for another kind of file."""
    from vampkit.tokens import read_safetensors

    tree, tensors = read_safetensors(path, FORMAT)
    return _unflatten(tree, tensors)


class Log:
    """A JSON-lines file of what a training measured; on resuming, what lies beyond the checkpoint is dropped, as it will be written again."""

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
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}) + "\n")


def rng_state() -> Tensor:
    """State of torch's CPU generator, for a checkpoint."""
    return torch.get_rng_state()
