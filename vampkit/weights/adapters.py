"""Adapters (LoRA): small matrices that are trained in place of a model's weights and then added to them."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.files.outer import fields, number, shown
from vampkit.model import MaskedTransformer
from vampkit.weights import upstream
from vampkit.weights.models import model_hash

FORMAT = "vampkit.adapters/1"


def save_adapters(
    adapters: dict[str, tuple[Tensor, Tensor]],
    path: str | os.PathLike,
    base: str,
    scale: float,
    dtype: torch.dtype = torch.float16,
) -> Path:
    """Write LoRA adapters.

    Parameters
    ----------
    adapters : dict of str to (Tensor, Tensor)
        The matrices A [rank, inputs] and B [outputs, rank] of each linear layer, by the layer's name.
    path : str or PathLike
        A .safetensors file.
    base : str
        Hash of the model that the adapters are for.
    scale : float
        Factor of the product B A.
    dtype : torch.dtype
        Type of the stored numbers.

    Returns
    -------
    Path
        The file.
    """
    flat = {f"{name}.{letter}": w for name, pair in adapters.items() for letter, w in zip("AB", pair, strict=True)}
    return write_safetensors(flat, path, FORMAT, {"base": base, "scale": scale}, dtype=dtype)


def load_adapters(path: str | os.PathLike, model: MaskedTransformer) -> MaskedTransformer:
    """Copy a model and add adapters to its weights: W + scale B A.

    Notebook: 12

    Parameters
    ----------
    path : str or PathLike
        What `save_adapters` wrote, or a .pth file of the reference code that holds adapters. The latter does not say
        to which model it belongs; only its shapes are checked.
    model : MaskedTransformer
        The model that the adapters belong to. It is not changed.

    Returns
    -------
    MaskedTransformer
        The adapted copy.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    VampkitError
        If the adapters belong to another model, or were already added to this one.
    """
    if upstream.is_upstream(path):
        pairs = upstream.read_adapters(path)
        if not _fit(pairs, model):
            raise VampkitError(
                f"the adapters in {Path(path).name} do not fit this model of {model.config.layers} layers and width "
                f"{model.config.width}; load the model they were trained on"
            )
        return merged(model, {name: (a, b / len(a)) for name, (a, b) in pairs.items()}, 1.0)
    header, tensors = read_safetensors(path, FORMAT)
    fields(f"the header of {Path(path).name}", header, ("base", "scale"), hint="save the adapters again with vampkit")
    if model_hash(model) != header["base"]:
        raise VampkitError(
            f"the adapters in {Path(path).name} belong to the model {header['base']}, this one is "
            f"{model_hash(model)}: it is another, or has adapters already; load the model they were trained on, "
            "and add them once"
        )
    try:
        scale = number("its scale is ", header["scale"], -1e4, 1e4)
        return merged(model, _pairs(model, tensors), scale)
    except (TypeError, ValueError) as error:
        raise VampkitError(f"the adapters in {Path(path).name} do not fit: {error}") from None


def _pairs(model: MaskedTransformer, tensors: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """The matrices A and B of each layer, from a file. Raises ValueError for any that do not fit the model."""
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    pairs = {}
    for name in sorted({name[:-2] for name in tensors}):
        a, b = tensors.get(f"{name}.A"), tensors.get(f"{name}.B")
        if name not in layers or a is None or b is None or len(tensors) % 2:
            raise ValueError(
                f"{shown(name)} is no layer of this model with both matrices, A and B of a linear layer were expected; "
                "train or fetch them again"
            )
        outputs, inputs = layers[name].weight.shape
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != inputs or b.shape != (outputs, len(a)):
            raise ValueError(
                f"{name} has matrices of shape {tuple(a.shape)} and {tuple(b.shape)}, [rank, {inputs}] and "
                f"[{outputs}, rank] were expected; train or fetch them again"
            )
        pairs[name] = (a.float(), b.float())
        if not all(matrix.isfinite().all() for matrix in pairs[name]):
            raise ValueError(
                f"{name} holds NaN or infinite numbers, finite ones were expected; train or fetch it again"
            )
    if not pairs:
        raise ValueError("the file holds none, matrices of at least one layer were expected; train or fetch them again")
    return pairs


def adapter_files(place: Path, coarse: MaskedTransformer, fine: MaskedTransformer | None) -> dict[str, Path]:
    """Find the adapters of a pipeline.

    Parameters
    ----------
    place : Path
        A folder with coarse.safetensors, fine.safetensors, coarse.pth or c2f.pth; or a single .pth file.
    coarse, fine : MaskedTransformer
        The models; a single file belongs to the one that it fits.

    Returns
    -------
    dict of str to Path
        The files for "coarse" and "fine"; those that are missing are left out.

    Raises
    ------
    VampkitError
        For a single file that fits neither model, or both.
    """
    models = {"coarse": coarse} | ({} if fine is None else {"fine": fine})
    if place.is_file():
        fitting = [stage for stage, model in models.items() if _fit(upstream.read_adapters(place), model)]
        if len(fitting) != 1:
            raise VampkitError(
                f"the adapters in {place.name} fit {' and '.join(fitting) or 'none'} of these models; put the file "
                "into a folder as coarse.pth or c2f.pth and give the folder"
            )
        return {fitting[0]: place}
    theirs = {"coarse": "coarse.pth", "fine": "c2f.pth"}
    choices = {stage: [place / f"{stage}.safetensors", place / theirs[stage]] for stage in models}
    found = {stage: [path for path in paths if path.is_file()] for stage, paths in choices.items()}
    return {stage: paths[0] for stage, paths in found.items() if paths}


def _fit(adapters: dict[str, tuple[Tensor, Tensor]], model: MaskedTransformer) -> bool:
    """Whether adapters are those of all layers of a model, in its shapes."""
    shapes = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    fits = all(shapes.get(f"{name}.weight") == (b.shape[0], a.shape[1]) for name, (a, b) in adapters.items())
    layers = {name.split(".")[2] for name in adapters if name.startswith("transformer.layers.")}
    return fits and len(layers) == model.config.layers


def merged(model: MaskedTransformer, adapters: dict[str, tuple[Tensor, Tensor]], scale: float) -> MaskedTransformer:
    """Copy a model, with W + scale B A as the weight of each named linear layer.

    Notebook: 12

    Parameters
    ----------
    model : MaskedTransformer
        The model. It is not changed.
    adapters : dict of str to (Tensor, Tensor)
        The matrices A [rank, inputs] and B [outputs, rank] of each linear layer, by the layer's name.
    scale : float
        Factor of the product B A.

    Returns
    -------
    MaskedTransformer
        The copy.
    """
    model = copy.deepcopy(model)
    with torch.no_grad():
        for name, (a, b) in adapters.items():
            weight = model.get_submodule(name).weight
            weight += scale * (b @ a).to(weight)
    return model
