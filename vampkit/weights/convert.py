"""Converting the reference code's files to safetensors, which load faster and cannot run code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files.tensors import fill
from vampkit.model import MaskedTransformer
from vampkit.weights import upstream
from vampkit.weights.adapters import save_adapters
from vampkit.weights.codecs import load_codec
from vampkit.weights.models import load_model, model_hash, save_model

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bf16": torch.bfloat16}
"""Types that weights can be stored in."""

THEIRS = {"coarse": "coarse.pth", "fine": "c2f.pth"}
"""Names of the models in the reference code's folders."""


def convert(
    source: str | os.PathLike,
    target: str | os.PathLike,
    dtype: str = "float32",
    adapters: bool = False,
    codec: str | os.PathLike | None = None,
) -> list[Path]:
    """Write files of the reference code anew, as safetensors that `load_vamp`, `load_codec` and `load_model` read.

    Notebook: 03

    Parameters
    ----------
    source : str or PathLike
        A folder with codec.pth, coarse.pth and c2f.pth, or one such file.
    target : str or PathLike
        For a folder, the folder for codec.safetensors, coarse.safetensors and fine.safetensors; for a file, a
        .safetensors file.
    dtype : str
        "float32" is exact. "float16" and "bf16" take half the space and round the weights, float16 less than bf16; the
        codec is rounded too, so its codes change a little.
    adapters : bool
        Keep the adapters of the models out of the weights, in files of their own: adapters/coarse.safetensors and
        adapters/fine.safetensors, for `load_vamp(target, adapters=...)`.
    codec : str or PathLike, optional
        The codec of a single model; None: the codec.pth or codec.safetensors beside it.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    ValueError
        For an unknown dtype.
    FileNotFoundError
        If there is nothing to convert.
    VampkitError
        For files of another kind.
    """
    if dtype not in DTYPES:
        raise ValueError(f"the type {dtype!r} was asked for, one of {', '.join(DTYPES)} was expected")
    return list(_converted(Path(source), Path(target), DTYPES[dtype], adapters, codec))


def _converted(
    source: Path, target: Path, dtype: torch.dtype, adapters: bool, codec: str | os.PathLike | None
) -> Iterator[Path]:
    if source.is_dir():
        yield from _folder(source, target, dtype, adapters)
        return
    if not upstream.is_upstream(source):
        raise VampkitError(f"{source.name} is no .pth file of the reference code, there is nothing to convert")
    if target.suffix != ".safetensors":
        raise ValueError(f"{target.name} was given as the target of one file, a name in .safetensors was expected")
    if upstream.holds_codec(source):
        yield load_codec(source).save(target, dtype)
        return
    given = codec or _codec_beside(source.parent)
    if not given:
        raise FileNotFoundError(f"there is no codec.pth beside {source}; give the codec of the model with --codec")
    yield from _model(source, target, dtype, adapters, load_codec(given))


def _folder(source: Path, target: Path, dtype: torch.dtype, adapters: bool) -> Iterator[Path]:
    """Convert the codec and the models of a folder."""
    found, beside = [s for s, name in THEIRS.items() if (source / name).is_file()], _codec_beside(source)
    if not found or beside is None:
        raise FileNotFoundError(
            f"there is nothing to convert in {source}; codec.pth with coarse.pth, c2f.pth or both was expected"
        )
    made = load_codec(beside).save(target / "codec.safetensors", dtype)
    yield made
    codec = load_codec(made)  # the models must know the codec as it was stored
    for stage in found:
        yield from _model(source / THEIRS[stage], target / f"{stage}.safetensors", dtype, adapters, codec)


def _codec_beside(folder: Path) -> Path | None:
    """The codec of the models in a folder, or of the fine-tunes in loras/NAME."""
    places = [folder] + ([folder.parent.parent] if folder.parent.name == "loras" else [])
    found = [place / name for place in places for name in ("codec.safetensors", "codec.pth")]
    return next((path for path in found if path.is_file()), None)


def _model(source: Path, target: Path, dtype: torch.dtype, adapters: bool, codec: Codec) -> Iterator[Path]:
    """Convert one masked model, and its adapters."""
    if not adapters:
        yield save_model(load_model(source, codec), target, codec.hash, dtype=dtype)
        return
    config, weights, pairs = upstream.read_masked(source)
    if not pairs:
        raise VampkitError(f"{source.name} holds no adapters; leave --adapters out")
    if upstream.added_already(weights, pairs, upstream.base_of(source)):
        weights = upstream.sums(weights, {name: (a, -b) for name, (a, b) in pairs.items()})
    model = MaskedTransformer(config, codec.tables[: config.codebooks])
    fill(model, weights, source, "do not fit their settings ({}); fetch them again")
    model.licence = upstream.LICENCE
    yield save_model(model, target, codec.hash, dtype=dtype)
    base = model_hash(load_model(target, codec))
    scaled = {name: (a, b / len(a)) for name, (a, b) in pairs.items()}
    yield save_adapters(scaled, target.parent / "adapters" / target.name, base, 1.0, dtype)
