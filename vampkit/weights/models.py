"""Where masked models come from.

Bundled with the package, a file of one's own, or the names upstream gives its weights.
"""

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
    """Write a masked model as safetensors in half precision, with its configuration and the hash of the codec whose
    tokens it speaks.

    weights: another state dict to write, such as an average (None: the model's own). Beside first, then renamed.
    """
    state = model.state_dict() if weights is None else weights
    return write_safetensors(state, path, FORMAT, {"config": asdict(model.config), "codec": codec}, dtype=torch.float16)


def load_model(name: str | os.PathLike, codec: Codec) -> MaskedTransformer:
    """A masked model for a codec's tokens: "coarse" or "fine" (bundled), or the path of one that was saved.

    Raises FileNotFoundError for an unknown name, VampkitError where the file is no model or was trained on another
    codec's tokens. Notebook: 03.
    """
    path = models_folder() / f"{name}.safetensors" if str(name) in BUNDLED else Path(name)
    if path.suffix == "" and not path.exists():
        raise FileNotFoundError(
            f"there is no model called {str(name)!r}; {', '.join(BUNDLED)} or the path of a saved model was expected"
        )
    header, weights = read_safetensors(path, FORMAT)
    if header["codec"] != codec.hash:
        raise VampkitError(
            f"{path.name} was trained on tokens of codec {header['codec'][:8]}, the codec given is {codec.hash[:8]} ({codec.name}); use the codec "
            "it was trained with, or train a model for this one"
        )
    config = ModelConfig(**header["config"])
    model = MaskedTransformer(config, codec.tables[: config.codebooks])
    try:
        model.load_state_dict({k: v.float() for k, v in weights.items()})
    except RuntimeError as error:
        raise VampkitError(
            f"the weights in {path.name} do not fit their settings ({str(error).splitlines()[-1].strip()}); train or fetch them again"
        ) from None
    return model.eval().requires_grad_(False)


def model_hash(model: MaskedTransformer) -> str:
    """A hash over shape and weights, as they are stored: what adapters name the model by that they belong to."""
    config = {k: v for k, v in asdict(model.config).items() if k != "dropout"}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode() + weight.detach().cpu().to(torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
