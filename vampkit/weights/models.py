"""Loading and saving masked models: the bundled ones, or your own files."""

from __future__ import annotations

import os
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from pathlib import Path

import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import data_folder, read_safetensors, write_safetensors
from vampkit.files.outer import fields, number, path_of, shown
from vampkit.files.tensors import digest, fill, fitting
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.weights import upstream

FORMAT = "vampkit.model/1"
BUNDLED = ("coarse", "fine")


def models_folder() -> Path:
    """Folder of the bundled weights and their cards."""
    return data_folder() / "models"


def save_model(
    model: MaskedTransformer,
    path: str | os.PathLike,
    codec: str,
    weights: dict[str, Tensor] | None = None,
    dtype: torch.dtype = torch.float16,
) -> Path:
    """Write a masked model with its config and the hash of its codec.

    Parameters
    ----------
    model : MaskedTransformer
        The model.
    path : str or PathLike
        A .safetensors file.
    codec : str
        Hash of the codec whose tokens the model was trained on.
    weights : dict of str to Tensor, optional
        Another state dict to write instead of the model's own, such as an average; same names and shapes [..].
    dtype : torch.dtype
        torch.float16, torch.bfloat16, torch.float32, or torch.int8: matrices in 8 bits with a scale a row, as the
        bundled models are.

    Returns
    -------
    Path
        The file.
    """
    state = model.state_dict() if weights is None else weights
    header = {"config": asdict(model.config), "codec": codec}
    header |= {"licence": model.licence} if model.licence else {}
    return write_safetensors(state, path, FORMAT, header, dtype=dtype)


def load_model(name: str | os.PathLike, codec: Codec) -> MaskedTransformer:
    """Load a masked model for a codec's tokens.

    Notebook: 03

    Parameters
    ----------
    name : str or PathLike
        "coarse" or "fine" (bundled), or the path of a saved model, also one of the published VampNet (.pth). The
        adapters in such a file are added to its weights once.
    codec : Codec
        The codec whose tokens the model is for.

    Returns
    -------
    MaskedTransformer
        The model in evaluation mode, without gradients.

    Raises
    ------
    FileNotFoundError
        For an unknown name or a missing file.
    VampkitError
        For a file that is not a model, or a model that was trained on another codec's tokens.
    """
    path = models_folder() / f"{name}.safetensors" if str(name) in BUNDLED else path_of(name)
    if path.suffix == "" and not os.path.exists(path):
        raise FileNotFoundError(
            f"there is no model called {shown(str(name))}; {', '.join(BUNDLED)} or the path of one was expected"
        )
    if upstream.is_upstream(path):
        return _published(path, codec)
    header, weights = read_safetensors(path, FORMAT)
    fields(f"the header of {path.name}", header, ("config", "codec"), hint="save the model again with vampkit")
    if header["codec"] != codec.hash:
        raise VampkitError(
            f"{path.name} was trained on tokens of codec {str(header['codec'])[:8]}, the codec given is "
            f"{codec.hash[:8]} ({codec.name}); use the codec it was trained with, or train a model for this one"
        )
    config = config_of(header["config"], path)
    tables = codec.tables[: config.codebooks]
    if tuple(tables.shape) != (config.codebooks, config.entries, config.latent):
        raise VampkitError(f"{path.name} is for other codebooks than {codec!r} has; use the codec it was trained with")
    fitting(lambda: MaskedTransformer(config, tables), weights, path, "do not fit their settings ({}); save them again")
    model = MaskedTransformer(config, tables)
    fill(model, weights, path, "do not fit their settings ({}); train or fetch them again")
    return _under(model, header.get("licence", ""))


def _published(path: Path, codec: Codec) -> MaskedTransformer:
    """A model from a file of the reference code."""
    config, weights, adapters = upstream.read_masked(path)
    sizes = config.codebooks, config.entries, config.latent
    there = codec.codebooks, codec.entries, codec.tables.shape[-1]
    if sizes[0] > there[0] or sizes[1:] != there[1:]:
        raise VampkitError(
            f"{path.name} reads {sizes[0]} codebooks of {sizes[1]} entries with {sizes[2]} numbers each, the codec "
            f"({codec.name}) has {there[0]} of {there[1]} with {there[2]}; use the codec.pth that came with it"
        )
    weights = upstream.added(path, weights, adapters, upstream.base_of(path))
    model = MaskedTransformer(config, codec.tables[: config.codebooks])
    fill(model, weights, path, "do not fit their settings ({}); fetch them again")
    return _under(model, upstream.LICENCE)


def _under(model: MaskedTransformer, licence: str) -> MaskedTransformer:
    """The model ready for use. Its licence is said, if it has one of its own, and kept for records."""
    if licence == upstream.LICENCE:
        upstream.say_licence()
    model.licence = licence
    return model.eval().requires_grad_(False)


BOUNDS = {
    "codebooks": (1, 64),
    "conditioning": (0, 63),
    "layers": (1, 256),
    "width": (1, 16_384),
    "heads": (1, 256),
    "entries": (2, 65_536),
    "latent": (1, 1024),
    "buckets": (4, 4096),
    "max_distance": (2, 2**20),
}
"""Smallest and largest value of each size in a model's settings."""


def config_of(settings: dict, path: Path) -> ModelConfig:
    """Make a model's config from the settings in a file. Raises VampkitError for sizes that make no model."""
    what = f"the config in {path.name}"
    names = [field.name for field in dataclass_fields(ModelConfig)]
    fields(what, settings, ("codebooks", "layers", "width", "heads"), names)
    try:
        sizes = {
            n: number(f"{n} is ", settings[n], *BOUNDS[n], whole=True) for n in names if n in settings.keys() & BOUNDS
        }
        return ModelConfig(**sizes, dropout=number("dropout is ", settings.get("dropout", 0.0), 0, 1))
    except (TypeError, ValueError) as error:
        raise VampkitError(f"in {what}, {error}; save it again") from None


def model_hash(model: MaskedTransformer) -> str:
    """Compute a hash of a model's config and weights in half precision. Adapters name their model by it.

    Notebook: 12

    Parameters
    ----------
    model : MaskedTransformer
        The model.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    config = {k: v for k, v in asdict(model.config).items() if k != "dropout"}
    return digest(model.state_dict(), start=config, dtype=torch.float16)
