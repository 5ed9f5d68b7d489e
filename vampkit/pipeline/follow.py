"""What a run follows: controls and the adapters that tell the coarse model of them. Notebook: 14."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from pathlib import Path

import torch
from torch import Tensor

from vampkit.controls import AdapterConfig, Adapters, Control, Following
from vampkit.controls.kinds import stacked
from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.files.outer import fields, number, shown
from vampkit.files.tensors import fill, fitting
from vampkit.model import MaskedTransformer
from vampkit.pipeline.windows import Window, cut
from vampkit.weights import model_hash

FORMAT = "vampkit.controls/1"


class Follow:
    """The curves of a run, and the adapters that read them.

    Parameters
    ----------
    adapters : Adapters
        Adapters for the coarse model.
    controls : sequence of Control
        What is followed, at most one of a kind.
    frames : int
        Frames of the result.
    strength : float
        0 follows nothing, 1 as trained.

    Raises
    ------
    TypeError, ValueError
        For controls that do not fit.
    """

    def __init__(self, adapters: Adapters, controls: Sequence[Control], frames: int, strength: float = 1.0):
        self.adapters, self.strength = adapters, strength
        self.curves = torch.from_numpy(stacked(controls, frames))

    def within(self, model: MaskedTransformer, window: Window) -> Following:
        """The model, told of the curves inside a window."""
        return Following(model, self.adapters, cut(self.curves, window)[None], self.strength)


def save_controls(
    adapters: Adapters, path: str | os.PathLike, base: MaskedTransformer, weights: dict[str, Tensor] | None = None
) -> Path:
    """Write control adapters: matrices as whole numbers of 8 bits with a scale a row, biases in half precision.

    What the adapters add changes by less than a hundredth of itself; the file is half as large as in half precision.

    Parameters
    ----------
    adapters : Adapters
        The adapters.
    path : str or PathLike
        A .safetensors file.
    base : MaskedTransformer
        The model that they are for.
    weights : dict of str to Tensor, optional
        Another state dict to write, such as an average; same names and shapes [..].

    Returns
    -------
    Path
        The file.
    """
    state = adapters.state_dict() if weights is None else weights
    header = {"config": asdict(adapters.config), "base": model_hash(base)}
    return write_safetensors(state, path, FORMAT, header, dtype=torch.int8)


def load_controls(path: str | os.PathLike, base: MaskedTransformer) -> Adapters:
    """Load control adapters for a model.

    Parameters
    ----------
    path : str or PathLike
        What `save_controls` wrote.
    base : MaskedTransformer
        The model that they are for.

    Returns
    -------
    Adapters
        In evaluation mode, without gradients.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For adapters of another model, or a file that holds none.
    """
    header, weights = read_safetensors(path, FORMAT)
    fields(f"the header of {Path(path).name}", header, ("config", "base"), hint="save the controls again with vampkit")
    if header["base"] != model_hash(base):
        raise VampkitError(
            f"{Path(path).name} was trained for model {str(header['base'])[:8]}, this one is {model_hash(base)[:8]}; "
            "load the model it was trained for, or train controls for this one"
        )
    config, refusal = _config(header["config"], Path(path)), "are no adapters of these settings ({}); fetch them again"
    fitting(lambda: Adapters(config), weights, Path(path), refusal)
    adapters = Adapters(config)
    fill(adapters, weights, Path(path), refusal)
    return adapters.eval().requires_grad_(False)


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
