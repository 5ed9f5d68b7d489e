"""Where masked models come from: bundled with the package, or a file of one's own."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.files import data_folder, read_safetensors, write_safetensors
from vampkit.model import MaskedTransformer, ModelConfig

FORMAT = "vampkit.model/1"
BUNDLED = ("coarse", "fine")


def models_folder() -> Path:
    """Folder of the bundled weights and their cards."""
    return data_folder() / "models"


def save_model(
    model: MaskedTransformer, path: str | os.PathLike, codec: str, weights: dict[str, Tensor] | None = None
) -> Path:
    """Write a masked model in half precision, with its shape and the codec whose tokens it speaks.

    Parameters
    ----------
    model : MaskedTransformer
        The model.
    path : str or PathLike
        A .safetensors file.
    codec : str
        Hash of the codec.
    weights : dict of str to Tensor, optional
        Another state dict to write, such as an average, in the shapes [..] of the model's own.

    Returns
    -------
    Path
        The file.
    """
    state = model.state_dict() if weights is None else weights
    return write_safetensors(state, path, FORMAT, {"config": asdict(model.config), "codec": codec}, dtype=torch.float16)


def load_model(name: str | os.PathLike, codec: Codec) -> MaskedTransformer:
    """Load a masked model for a codec's tokens.

    Notebook: 03

    Parameters
    ----------
    name : str or PathLike
        "coarse" or "fine" (bundled), or the path of one that was saved.
    codec : Codec
        Whose tokens it is to speak.

    Returns
    -------
    MaskedTransformer
        Ready to be asked: no dropout, no gradients.

    Raises
    ------
    FileNotFoundError
        For another name.
    VampkitError
        For a file that is no model, or was trained on another codec's tokens.
    """
    path = models_folder() / f"{name}.safetensors" if str(name) in BUNDLED else Path(name)
    if path.suffix == "" and not path.exists():
        raise FileNotFoundError(
            f"there is no model called {str(name)!r}; {', '.join(BUNDLED)} or the path of a saved model was expected"
        )
    header, weights = read_safetensors(path, FORMAT)
    if header["codec"] != codec.hash:
        raise VampkitError(
            f"{path.name} was trained on tokens of codec {header['codec'][:8]}, the codec given is {codec.hash[:8]} "
            f"({codec.name}); use the codec it was trained with, or train a model for this one"
        )
    config = ModelConfig(**header["config"])
    model = MaskedTransformer(config, codec.tables[: config.codebooks])
    try:
        model.load_state_dict({k: v.float() for k, v in weights.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise VampkitError(
            f"the weights in {path.name} do not fit their settings ({reason}); train or fetch them again"
        ) from None
    return model.eval().requires_grad_(False)


def model_hash(model: MaskedTransformer) -> str:
    """A hash over shape and weights as they are stored, by which adapters name their model.

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
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode() + weight.detach().cpu().to(torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
