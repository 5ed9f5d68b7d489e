"""Loading codecs: the bundled one, one from a file, or one published by others."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.codec.codec import FORMAT
from vampkit.codec.network import build, settings_names
from vampkit.errors import VampkitError
from vampkit.files import data_folder, read_safetensors
from vampkit.weights.download import download

PUBLISHED = {
    "dac-44khz": (
        "https://github.com/descriptinc/descript-audio-codec/releases/download/0.0.1/weights.pth",
        "weights_44khz_8kbps_0.0.1.pth",
    ),
}


def load_codec(name: str | os.PathLike = "tiny", device: str = "cpu") -> Codec:
    """Load a codec by name.

    Notebook: 01

    Parameters
    ----------
    name : str or PathLike
        "tiny" (bundled; codebooks and frame rate as in the paper), "dac-44khz" (published by Descript, downloaded
        once), or the path of a saved codec.
    device : str
        Device for the network, such as "cpu" or "cuda".

    Returns
    -------
    Codec
        The codec.

    Raises
    ------
    FileNotFoundError
        For an unknown name or a missing file.
    VampkitError
        For a file of another kind, or one that cannot be downloaded.
    """
    if str(name) == "tiny":
        return _read(data_folder() / "models" / "codec.safetensors", "tiny").to(device)
    if str(name) in PUBLISHED:
        return _read_published(str(name)).to(device)
    path = Path(name)
    if path.suffix == "" and not path.exists():
        raise FileNotFoundError(
            f'there is no codec called {str(name)!r}; "tiny", "dac-44khz" or the path of a saved codec was expected'
        )
    return _read(path, path.stem).to(device)


def _read(path: Path, name: str) -> Codec:
    settings, weights = read_safetensors(path, FORMAT)
    model = build(settings)
    _fill(model, weights, path)
    return Codec(model, name)


def _fill(model: torch.nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Load weights into a network. Raises VampkitError with a short reason if they do not fit."""
    try:
        model.load_state_dict({k: v.float() for k, v in weights.items()})
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise VampkitError(
            f"the weights in {path.name} do not fit their settings ({first}); fetch or save the file again"
        ) from None


def _read_published(name: str) -> Codec:
    url, file = PUBLISHED[name]
    path = download(os.environ.get("VAMPKIT_DAC_URL", url), file)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        settings, weights = saved["metadata"]["kwargs"], saved["state_dict"]
    except Exception as error:
        raise VampkitError(
            f"{path} cannot be opened as plain weights ({type(error).__name__}); the published file of "
            "descript-audio-codec was expected; delete it and try again"
        ) from None
    settings = {k: v for k, v in settings.items() if k in settings_names()}
    model = build(settings)
    _fill(model, weights, path)
    return Codec(model, name)
