"""What a run follows: controls and the adapters that tell the models of them. Notebook: 14."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from functools import partial
from pathlib import Path

import torch
from torch import nn

from vampkit.controls import AdapterConfig, Adapters, Control, Following
from vampkit.controls.kinds import stacked
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.files.outer import fields, number, shown
from vampkit.files.tensors import fill, fitting, part_of
from vampkit.model import MaskedTransformer
from vampkit.pipeline.windows import Window, cut
from vampkit.weights import model_hash

FORMAT = "vampkit.controls/2"


class Follow:
    """The curves of a run, and the adapters that read them.

    Parameters
    ----------
    adapters : ModuleDict
        Adapters by the name of their model, "coarse" and "fine"; a model without adapters follows nothing.
    controls : sequence of Control
        What is followed, at most one of a kind.
    frames : int
        Frames of the result.
    strength : float
        0 follows nothing, 1 as trained.
    guidance : float
        Guidance of the coarse model, see `Following`. The fine model has none.

    Raises
    ------
    TypeError, ValueError
        For controls that do not fit.
    """

    def __init__(
        self,
        adapters: nn.ModuleDict,
        controls: Sequence[Control],
        frames: int,
        strength: float = 1.0,
        guidance: float = 1.0,
    ):
        self.adapters, self.strength, self.guidance = adapters, strength, guidance
        self.curves = torch.from_numpy(stacked(controls, frames))

    def within(self, name: str, model: MaskedTransformer, window: Window) -> MaskedTransformer | Following:
        """The model called `name`, told of the curves inside a window."""
        if name not in self.adapters:
            return model
        guidance = self.guidance if name == "coarse" else 1.0
        return Following(model, self.adapters[name], cut(self.curves, window)[None], self.strength, guidance)


def save_controls(
    adapters: Mapping[str, Adapters], path: str | os.PathLike, models: Mapping[str, MaskedTransformer]
) -> Path:
    """Write control adapters: matrices as whole numbers of 8 bits with a scale a row, biases in half precision.

    What the adapters add changes by less than a hundredth of itself; the file is half as large as in half precision.

    Parameters
    ----------
    adapters : mapping of str to Adapters
        The adapters by the name of their model, "coarse" and "fine".
    path : str or PathLike
        A .safetensors file.
    models : mapping of str to MaskedTransformer
        The models that they are for.

    Returns
    -------
    Path
        The file.
    """
    header = {
        name: {"config": asdict(part.config), "base": model_hash(models[name])} for name, part in adapters.items()
    }
    tensors = {f"{name}.{key}": w for name, part in adapters.items() for key, w in part.state_dict().items()}
    return write_safetensors(tensors, path, FORMAT, header, dtype=torch.int8)


def load_controls(path: str | os.PathLike, models: Mapping[str, MaskedTransformer]) -> nn.ModuleDict:
    """Load control adapters for models.

    Parameters
    ----------
    path : str or PathLike
        What `save_controls` wrote.
    models : mapping of str to MaskedTransformer
        The models that they are for: "coarse" and "fine".

    Returns
    -------
    ModuleDict
        Adapters by the name of their model, in evaluation mode, without gradients.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For adapters of other models, or a file that holds none.
    """
    header, weights = read_safetensors(path, FORMAT)
    fields(f"the header of {Path(path).name}", header, (), models, hint="save the controls again with vampkit")
    parts: dict[str, Adapters] = {}
    for name, about in header.items():
        what = f"the header of {Path(path).name}"
        fields(what, about, ("config", "base"), hint="save the controls again with vampkit")
        if about["base"] != model_hash(models[name]):
            raise VampkitError(
                f"{Path(path).name} was trained for the {name} model {str(about['base'])[:8]}, this one is "
                f"{model_hash(models[name])[:8]}; load the models it was trained for, or train controls for these"
            )
        config, own = _config(about["config"], Path(path)), part_of(weights, name)
        refusal = "are no adapters of these settings ({}); fetch them again"
        fitting(partial(Adapters, config), own, Path(path), refusal)
        parts[name] = Adapters(config)
        fill(parts[name], own, Path(path), refusal)
    strange = sorted(key for key in weights if key.partition(".")[0] not in parts)
    if strange or not parts:
        raise VampkitError(
            f"{Path(path).name} holds {shown(strange)}, adapters of the models named in its header were expected; "
            "fetch it again"
        )
    return nn.ModuleDict(parts).eval().requires_grad_(False)


def _config(settings: dict, path: Path) -> AdapterConfig:
    """Make the adapters' config from the settings in a file. Raises VampkitError for sizes that make none."""
    what, names = f"the config in {path.name}", [field.name for field in dataclass_fields(AdapterConfig)]
    fields(what, settings, names, names)
    kernels = settings["kernels"]
    try:
        if not isinstance(kernels, list) or len(kernels) != 2:
            raise ValueError(f"kernels is {shown(kernels)}, two lengths were expected; save the controls again")
        for name, size in [*settings.items(), ("a kernel", kernels[0]), ("a kernel", kernels[1])]:
            if name != "kernels":
                number(f"{name} is ", size, 1, 257 if name in ("a kernel", "layers") else 16_384, whole=True)
    except (TypeError, ValueError) as error:
        raise VampkitError(f"in {what}, {error}") from None
    return AdapterConfig(**settings | {"kernels": tuple(kernels)})
