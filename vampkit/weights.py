"""Where masked models come from: bundled with the package, a file of one's own, or the names upstream gives its weights."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.tokens import read_safetensors

FORMAT = "vampkit.model/1"
BUNDLED = ("coarse", "c2f")


def models_folder() -> Path:
    """Folder of the bundled weights and their cards."""
    from vampkit._data import data_folder

    return data_folder() / "models"


def save_model(model: MaskedTransformer, path: str | os.PathLike, codec: str, weights: dict[str, Tensor] | None = None) -> Path:
    """Write a masked model as safetensors in half precision, with its configuration and the hash of the codec whose tokens it speaks.

    weights: another state dict to write, such as an average (None: the model's own). Beside first, then renamed.
    """
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    state = model.state_dict() if weights is None else weights
    part = path.with_name(path.name + ".part")
    header = {"config": asdict(model.config), "codec": codec}
    save_file({k: v.detach().cpu().to(torch.float16).contiguous() for k, v in state.items()}, part, metadata={"format": FORMAT, "settings": json.dumps(header)})
    part.replace(path)
    return path


def load_model(name: str | os.PathLike, codec: Codec) -> MaskedTransformer:
    """A masked model for a codec's tokens: "coarse" or "c2f" (bundled), or the path of one that was saved.

    Raises FileNotFoundError for an unknown name, VampkitError where the file is no model or was trained on another codec's tokens.
    Notebook: 03.
    """
    path = models_folder() / f"{name}.safetensors" if str(name) in BUNDLED else Path(name)
    if path.suffix == "" and not path.exists():
        raise FileNotFoundError(f"there is no model called {str(name)!r}; {', '.join(BUNDLED)} or the path of a saved model was expected")
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
        raise VampkitError(f"the weights in {path.name} do not fit their settings ({str(error).splitlines()[-1].strip()}); train or fetch them again") from None
    return model.eval().requires_grad_(False)
