"""Tensors and their settings in safetensors files. Unlike a pickle, such a file cannot run code when it is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vampkit import __version__
from vampkit.errors import VampkitError
from vampkit.files.outer import json_of, shown
from vampkit.files.texts import existing
from vampkit.files.written import usable, written

SCALE = ":scale"
"""End of the name of a matrix's scales."""


def write_safetensors(
    tensors: Mapping[str, Tensor],
    path: str | os.PathLike,
    kind: str,
    settings: Any,
    *,
    dtype: torch.dtype | None = None,
    durable: bool = False,
) -> Path:
    """Write tensors and their settings into one file, safely (see `written`), with the version of vampkit.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        The tensors by name, in any shape [..].
    path : str or PathLike
        The file to write.
    kind : str
        Name of the format, such as "vampkit.model/1". `read_safetensors` checks it.
    settings : JSON data
        Settings to store with the tensors.
    dtype : torch.dtype, optional
        Convert all tensors to this type. torch.int8: matrices become whole numbers of 8 bits with a scale a row, all
        else half precision; they are read as float32.
    durable : bool
        See `written`.

    Returns
    -------
    Path
        The file.
    """
    from safetensors.torch import save_file

    if dtype is torch.int8:
        tensors = {name: part for whole in tensors.items() for name, part in _in_rows(*whole).items()}
        dtype = None
    plain = {name: t.detach().cpu().to(dtype or t.dtype).contiguous() for name, t in tensors.items()}
    with written(path, durable) as part:
        save_file(plain, part, metadata={"format": kind, "settings": json.dumps(settings), "vampkit": __version__})
        _order_header(part)
    return Path(path)


def _order_header(path: Path) -> None:
    """Put the format before the settings in a file's header, so that equal contents give equal files.

    safetensors writes them in an order of chance.
    """
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        ordered = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode().ljust(size)
        if len(ordered) == size:
            file.seek(8)
            file.write(ordered)


def read_safetensors(path: str | os.PathLike, kind: str) -> tuple[Any, dict[str, Tensor]]:
    """Read the settings and tensors that `write_safetensors` wrote.

    Parameters
    ----------
    path : str or PathLike
        The file.
    kind : str
        Name of the expected format.

    Returns
    -------
    settings : JSON data
        As they were written.
    tensors : dict of str to Tensor
        The tensors by name. They are memory-mapped, so only what is used is read from the disk.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For a pickle, a damaged file, or another format.
    """
    from safetensors import SafetensorError, safe_open

    path = existing(path)
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no plain mapping)
    except (SafetensorError, OSError, RecursionError, MemoryError):
        with usable(path), path.open("rb") as file:
            start = file.read(4)
        pickled = start[:2] in (b"PK", b"\x80\x02", b"\x80\x04")
        what = "a pickle, which can run code when it is opened" if pickled else "no safetensors file or a damaged one"
        raise VampkitError(
            f"{path.name} is {what}; a safetensors file of kind {kind} was expected; save it again with vampkit"
        ) from None
    if metadata.get("format") != kind:
        found = metadata.get("format", "unknown")
        raise VampkitError(f"{path.name} is of kind {found}, {kind} was expected; choose another file")
    if "settings" not in metadata:
        raise VampkitError(f"{path.name} lacks its settings, which were expected in its header; save it again")
    settings = json_of(metadata["settings"], f"the header of {path.name}", "its settings", "save it again", True)
    return settings, _whole(tensors, path)


def _in_rows(name: str, weight: Tensor) -> dict[str, Tensor]:
    """A weight as whole numbers of 8 bits and a scale for each of its rows. A vector only becomes half as precise."""
    if weight.ndim < 2:
        return {name: weight.half()}
    rows = weight.detach().float().flatten(1)
    scale = (rows.abs().amax(1) / 127).clamp(min=1e-7).half()
    numbers = (rows / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return {name: numbers.view_as(weight), name + SCALE: scale}


def _whole(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Multiply what `_in_rows` took apart. Other tensors stay as they are."""
    scales = {name.removesuffix(SCALE): tensors.pop(name) for name in list(tensors) if name.endswith(SCALE)}
    for name, scale in scales.items():
        if name not in tensors or tensors[name].ndim < 2 or scale.shape != tensors[name].shape[:1]:
            raise VampkitError(
                f"{path.name} holds scales for {shown(name)} that fit no matrix, one a row was expected; save it again"
            )
        numbers = tensors[name].float()
        tensors[name] = numbers * scale.float().view(-1, *[1] * (numbers.ndim - 1))
    return tensors


def part_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `name` and a dot, by the rest of their names."""
    return {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}


def digest(*states: Mapping[str, Tensor], start: Any = None, dtype: torch.dtype = torch.float32) -> str:
    """Sixteen hexadecimal digits that stand for weights, as numbers of type `dtype`, and JSON data before them."""
    found = hashlib.sha256(b"" if start is None else json.dumps(start, sort_keys=True).encode())
    for state in states:
        for name, value in sorted(state.items()):
            found.update(name.encode() + value.detach().cpu().to(dtype).contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def fitting(make: Callable[[], nn.Module], weights: Mapping[str, Tensor], path: Path, refusal: str) -> None:
    """Check, before memory is taken for a network, that the weights of a file fit it. Raises VampkitError if not.

    make: makes the network. refusal: what is said then, with a place for the reason.
    """
    with torch.device("meta"):
        expected = make().state_dict()
    for name in sorted({*expected, *weights}):
        found, wanted = (tuple(given[name].shape) if name in given else None for given in (weights, expected))
        if found != wanted:
            reason = f"{shown(name)} is {found or 'missing'}, not {wanted or 'known'}"
            raise VampkitError(f"the weights in {path.name} {refusal.format(reason)}")


def fill(model: nn.Module, weights: Mapping[str, Tensor], path: Path, refusal: str, line: int = -1) -> None:
    """Load weights into a network, in single precision. Raises VampkitError if they do not fit.

    refusal: what is said then, with a place for the reason; line: which line of torch's message gives it.
    """
    if bad := [name for name, weight in weights.items() if weight.is_floating_point() and not weight.isfinite().all()]:
        raise VampkitError(
            f"the weights in {path.name} hold NaN or infinite numbers ({shown(bad[0])}), finite ones were expected; "
            "fetch or save the file again"
        )
    try:
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
    except RuntimeError as error:
        lines = str(error).splitlines()
        reason = lines[min(line, len(lines) - 1)].strip()
        raise VampkitError(f"the weights in {path.name} {refusal.format(reason)}") from None
