"""Reading the weight files of the reference code, which are pickles, without running anything.

A .pth file is a zip archive: a small pickle that describes the tensors, and their numbers beside it. The archive is
checked before torch opens it: nothing is compressed, the pickle is small and names only what tensors are made of.
Then torch reads it as plain weights. The numbers stay on the disk until they are used.
"""

from __future__ import annotations

import os
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vampkit.errors import VampkitError
from vampkit.files.texts import existing

NAMES = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    *(f"torch {kind}Storage" for kind in ("Float", "Half", "BFloat16", "Double")),
}
"""All that the pickle of plain weights names."""

PICKLE_MOST = 4 * 2**20
"""Largest pickle in bytes. That of the published coarse model takes about 70 kB."""

ZIP = b"PK\x03\x04"


def is_pickled(path: str | os.PathLike) -> bool:
    """Whether a file is a zip archive, as torch writes them. False also if there is no file."""
    path = Path(path)
    return path.is_file() and path.open("rb").read(4) == ZIP


def read_pickled(path: str | os.PathLike) -> tuple[dict[str, Any] | None, dict[str, Tensor]]:
    """Read a file in the format of the published weights.

    Parameters
    ----------
    path : str or PathLike
        A .pth file: a dict of state_dict and metadata, or of tensors alone, such as lora.pth.

    Returns
    -------
    kwargs : dict, optional
        The arguments that the model was made with; None if the file holds tensors alone.
    tensors : dict of str to Tensor
        The tensors by name, memory-mapped. The prefix `_orig_mod.` of compiled models is taken off, and the names of
        weight-normed layers are those of torch's older weight norm.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For a file that is damaged, that holds anything but plain weights, or whose tensors are larger than the file.
    """
    path = existing(path)
    _check_archive(path)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        raise refused(path, f"cannot be read as plain weights ({type(error).__name__})") from None
    return _taken_apart(path, saved)


def refused(path: Path, what: str) -> VampkitError:
    """Make the error for a file that is not what it should be."""
    return VampkitError(
        f"{path.name} {what}; a pickle of plain weights as VampNet's reference code saves them was expected, so fetch "
        "the file again or save it again with the reference code"
    )


def _check_archive(path: Path) -> None:
    """Refuse an archive that could run code or take more memory than its size, before torch opens it."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            pickles = [entry for entry in entries if entry.filename.split("/")[-1] == "data.pkl"]
            if len(pickles) != 1:
                raise refused(path, f"holds {len(pickles)} pickles named data.pkl instead of one")
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise refused(path, "is compressed, which torch's own files never are")
            if pickles[0].file_size > PICKLE_MOST:
                raise refused(path, f"describes its tensors in {pickles[0].file_size} bytes, which is far too long")
            pickled = archive.read(pickles[0])
        named = {str(word) for code, word, _ in pickletools.genops(pickled) if code.name in ("GLOBAL", "INST")}
        dynamic = any(code.name == "STACK_GLOBAL" for code, _, _ in pickletools.genops(pickled))
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        raise refused(path, "is damaged or incomplete") from None
    if strange := sorted(named - NAMES) or (["names made while it is read"] if dynamic else []):
        raise refused(path, f"asks for {strange[0]!r}, which no tensor needs and which may run code")


def _taken_apart(path: Path, saved: Any) -> tuple[dict[str, Any] | None, dict[str, Tensor]]:
    """The arguments and the tensors of what was read."""
    kwargs, state = None, saved
    if isinstance(saved, dict) and "state_dict" in saved:
        state, metadata = saved["state_dict"], saved.get("metadata")
        kwargs = metadata.get("kwargs") if isinstance(metadata, dict) else None
        if not isinstance(kwargs, dict):
            raise refused(path, "lacks metadata.kwargs, the arguments of its model")
    if not (isinstance(state, dict) and state and all(isinstance(name, str) for name in state)):
        raise refused(path, "holds no tensors by name")
    room, tensors = path.stat().st_size, {}
    for name, value in state.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise refused(path, f"holds {name!r}, which is no tensor of floating-point numbers")
        room -= value.numel() * value.element_size()
        if room < 0 or not value.is_contiguous():
            raise refused(path, f"holds {name!r} in a shape that does not fit the file")
        tensors[_plain(name)] = value.detach()
    if len(tensors) != len(state):
        raise refused(path, "holds two tensors of one name")
    return kwargs, tensors


def _plain(name: str) -> str:
    """A tensor's name without the prefix of a compiled model, and with weight norm's older names."""
    name = name.removeprefix("_orig_mod.")
    for new, old in (("0", "weight_g"), ("1", "weight_v")):
        name = name.replace(f"parametrizations.weight.original{new}", old)
    return name
