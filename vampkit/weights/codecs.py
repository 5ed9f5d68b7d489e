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
from vampkit.files.tensors import fill
from vampkit.weights import hub, upstream
from vampkit.weights.download import cached, download

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
        "tiny" (bundled; codebooks and frame rate as in the paper), "vampnet" (the paper's own codec, downloaded once;
        its weights are under CC BY-NC-SA 4.0), "dac-44khz" (published by Descript, downloaded once), or the path of a
        saved codec (.safetensors) or of a published one (.pth).
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
    path, title = Path(name), Path(name).stem
    if str(name) in PUBLISHED:
        path, settings, weights = _published(str(name))
    elif str(name) == hub.NAME or upstream.is_upstream(path):
        path = hub.fetched("codec.pth") if str(name) == hub.NAME else path
        settings, weights = upstream.read_codec(path)
    else:
        if str(name) == "tiny":
            path = data_folder() / "models" / "codec.safetensors"
        elif path.suffix == "" and not path.exists():
            raise FileNotFoundError(
                f'there is no codec called {str(name)!r}; "tiny", "vampnet", "dac-44khz" or the path of a saved codec '
                "was expected"
            )
        settings, weights = read_safetensors(path, FORMAT)
    model = build(settings)
    fill(model, weights, path, "do not fit their settings ({}); fetch or save the file again", line=1)
    if settings.get("decoder") == "lac":
        upstream.say_licence()
    return Codec(model, title).to(device)


def _published(name: str) -> tuple[Path, dict, dict[str, Tensor]]:
    """The file of a published codec, its settings and its weights."""
    url, file = PUBLISHED[name]
    path = download(os.environ.get("VAMPKIT_DAC_URL", url), cached(file))
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        settings, weights = saved["metadata"]["kwargs"], saved["state_dict"]
    except Exception as error:
        raise VampkitError(
            f"{path} cannot be opened as plain weights ({type(error).__name__}); the published file of "
            "descript-audio-codec was expected; delete it and try again"
        ) from None
    return path, {k: v for k, v in settings.items() if k in settings_names()}, weights
