"""Loading codecs: the bundled one, one from a file, or one published by others."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch
from torch import Tensor

from vampkit.codec import Codec
from vampkit.codec.codec import FORMAT
from vampkit.codec.network import build, settings_names
from vampkit.errors import VampkitError
from vampkit.files import data_folder, read_safetensors
from vampkit.files.outer import MOST_RATE, fields, number, path_of, shown, word
from vampkit.files.tensors import fill, fitting
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
    path = path_of(name)
    title = path.stem
    if str(name) in PUBLISHED:
        path, settings, weights = _published(str(name))
    elif str(name) == hub.NAME or upstream.is_upstream(path):
        path = hub.fetched("codec.pth") if str(name) == hub.NAME else path
        settings, weights = upstream.read_codec(path)
    else:
        if str(name) == "tiny":
            path = data_folder() / "models" / "codec.safetensors"
        elif path.suffix == "" and not os.path.exists(path):
            raise FileNotFoundError(
                f'there is no codec called {shown(str(name))}; "tiny", "vampnet", "dac-44khz" or the path of a saved '
                "codec was expected"
            )
        settings, weights = read_safetensors(path, FORMAT)
    settings = checked_settings(settings, path)
    fitting(lambda: build(settings), weights, path, "do not fit their settings ({}); fetch or save the file again")
    model = build(settings)
    fill(model, weights, path, "do not fit their settings ({}); fetch or save the file again", line=1)
    if settings.get("decoder") == "lac":
        upstream.say_licence()
    return Codec(model, title).to(device)


BOUNDS = {
    "encoder_dim": (1, 1024),
    "decoder_dim": (1, 16_384),
    "latent_dim": (1, 16_384),
    "n_codebooks": (1, 64),
    "codebook_size": (2, 65_536),
    "codebook_dim": (1, 1024),
    "sample_rate": (1000, MOST_RATE),
}
"""Smallest and largest value of each size in a codec's settings."""


def checked_settings(settings: dict, path: Path) -> dict:
    """Check the settings of a codec in a file. Raises VampkitError for sizes that make no codec."""
    what = f"the codec in {path.name}"
    fields(what, settings, ("encoder_rates", "decoder_rates"), [*settings_names(), "decoder", "licence"])
    try:
        word("decoder is ", settings.get("decoder", "dac"), ("dac", "lac"))
        for name in settings.keys() & BOUNDS:
            value = settings[name]
            for size in value if name == "codebook_dim" and isinstance(value, list) and value else [value]:
                number(f"{name} is ", size, *BOUNDS[name], whole=True, optional=name == "latent_dim")
        sizes = settings.get("codebook_dim")
        if isinstance(sizes, list) and len(sizes) != settings.get("n_codebooks", 9):
            raise ValueError(f"codebook_dim is {shown(sizes)}, one size a codebook was expected; save it again")
        for name in ("encoder_rates", "decoder_rates"):
            if not isinstance(settings[name], list) or not 1 <= len(settings[name]) <= 8:
                raise ValueError(f"{name} is {shown(settings[name])}, 1 to 8 rates were expected; save it again")
            for rate in settings[name]:
                number(f"a rate of {name} is ", rate, 1, 64, whole=True)
        if math.prod(settings["encoder_rates"]) != math.prod(settings["decoder_rates"]):
            raise ValueError("encoder and decoder have other rates, equal products were expected; save it again")
        if settings.get("encoder_dim", 64) * 2 ** len(settings["encoder_rates"]) > 65_536:
            raise ValueError("its encoder is too wide, at most 65536 channels were expected; save it again")
    except (TypeError, ValueError) as error:
        raise VampkitError(f"in {what}, {error}") from None
    return settings


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
