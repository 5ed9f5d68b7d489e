"""Where masked models come from: bundled with the package, a file of one's own, or the names upstream gives its weights."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.errors import VampkitError
from vampkit.model import MaskedTransformer, ModelConfig
from vampkit.tokens import read_safetensors

if TYPE_CHECKING:
    from vampkit.pipeline import Vamp

FORMAT = "vampkit.model/1"
ADAPTERS = "vampkit.adapters/1"
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


def model_hash(model: MaskedTransformer) -> str:
    """A hash over shape and weights, as they are stored: what adapters name the model by that they belong to."""
    config = {k: v for k, v in asdict(model.config).items() if k != "dropout"}
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode() + weight.detach().cpu().to(torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def save_adapters(adapters: dict[str, tuple[Tensor, Tensor]], path: str | os.PathLike, base: str, scale: float) -> Path:
    """Write LoRA adapters as safetensors in half precision. Beside first, then renamed.

    adapters: A [rank, inputs] and B [outputs, rank] by the name of the linear layer. base: hash of the model they change. scale: of B A.
    """
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = {f"{name}.{letter}": w for name, pair in adapters.items() for letter, w in zip("AB", pair, strict=True)}
    tensors = {name: w.detach().cpu().to(torch.float16).contiguous() for name, w in flat.items()}
    part = path.with_name(path.name + ".part")
    save_file(tensors, part, metadata={"format": ADAPTERS, "settings": json.dumps({"base": base, "scale": scale})})
    part.replace(path)
    return path


def load_adapters(path: str | os.PathLike, model: MaskedTransformer) -> MaskedTransformer:
    """A copy of the model with adapters added to its weights once: W + scale B A; the model given stays as it is.

    Raises FileNotFoundError where the file is missing, VampkitError where the adapters belong to another model or are in this one already.
    Notebook: 12.
    """
    header, tensors = read_safetensors(path, ADAPTERS)
    if model_hash(model) != header["base"]:
        raise VampkitError(
            f"the adapters in {Path(path).name} belong to the model {header['base']}, this one is {model_hash(model)}: it is another, or has adapters "
            "already; load the model they were trained on, and add them once"
        )
    adapters = {name[:-2]: (tensors[name].float(), tensors[name[:-2] + ".B"].float()) for name in tensors if name.endswith(".A")}
    return merged(model, adapters, header["scale"])


def merged(model: MaskedTransformer, adapters: dict[str, tuple[Tensor, Tensor]], scale: float) -> MaskedTransformer:
    """A copy of the model in which the weight of each named linear layer is W + scale B A."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for name, (a, b) in adapters.items():
            weight = model.get_submodule(name).weight
            weight += scale * (b @ a).to(weight)
    return model


def adapt(vamp: Vamp, folder: str | os.PathLike) -> Vamp:
    """A pipeline with the adapters that `vampkit finetune` left in a folder; the one given stays as it is.

    folder: holds coarse.safetensors, c2f.safetensors or both. Raises FileNotFoundError where it holds neither, VampkitError for adapters of other models.
    Notebook: 12.
    """
    folder = Path(folder)
    found = {kind: folder / f"{kind}.safetensors" for kind in BUNDLED if (folder / f"{kind}.safetensors").is_file()}
    if not found:
        raise FileNotFoundError(f"there are no adapters in {folder}; make some with `vampkit finetune DIR --out {folder}`")
    coarse, fine = (load_adapters(found[kind], model) if kind in found else model for kind, model in (("coarse", vamp.coarse), ("c2f", vamp.fine)))
    return type(vamp)(vamp.codec, coarse, fine, f"{vamp.name} with {folder.name}")
