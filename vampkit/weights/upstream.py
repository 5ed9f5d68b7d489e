"""The published VampNet's own files: masked models, codec (LAC) and adapters, in the reference code's format.

Names and shapes are checked against the arguments that the file gives before a model is made, so a file cannot ask for
more memory than its own size. The masked models carry adapters (LoRA); they are added to the weights, W + B A / rank.

Source: VampNet's repository, its model files and `lac`. Notebook: 03.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vampkit.model import ModelConfig
from vampkit.weights.pickled import read_pickled, refused

LICENCE = "CC BY-NC-SA 4.0"
"""Licence of the published weights, and so of what is fine-tuned from them."""

Pairs = dict[str, tuple[Tensor, Tensor]]
"""Adapters: the matrices A [rank, inputs] and B [outputs, rank] of each linear layer, by the layer's name."""

MOST = {"n_heads": 256, "n_layers": 256, "n_codebooks": 128, "latent_dim": 256, "embedding_dim": 16384}
MOST |= {"vocab_size": 2**17, "encoder_dim": 4096, "decoder_dim": 16384, "codebook_size": 2**17, "codebook_dim": 256}
MOST |= {"sample_rate": 10**6}
"""Largest whole numbers that the arguments of a file may hold."""

ADAPTED = ("self_attn.w_qs", "self_attn.w_vs", "self_attn.fc", "feed_forward.w_1", "feed_forward.w_2")
"""Layers of a block that have adapters in the reference code."""

_SAID: ContextVar[set[str] | None] = ContextVar("said", default=None)


def is_upstream(path: str | os.PathLike) -> bool:
    """Whether a file is one of the reference code's, by its ending."""
    return Path(path).suffix in (".pth", ".pt")


def read_masked(path: str | os.PathLike) -> tuple[ModelConfig, dict[str, Tensor], Pairs]:
    """Read a masked model: coarse.pth, c2f.pth, or a fine-tune of them.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    config : ModelConfig
        The shape of the model.
    weights : dict of str to Tensor
        Its weights without the adapters.
    adapters : dict of str to (Tensor, Tensor)
        The adapters that the file holds; empty if it holds none.

    Raises
    ------
    VampkitError
        For a file of another kind, or weights that do not fit the file's own arguments.
    """
    path = Path(path)
    kwargs, tensors = read_pickled(path)
    if kwargs is None:
        raise refused(path, "holds tensors without the arguments of a model; adapters alone are given as `adapters`")
    config = _config(path, kwargs)
    adapters = _pairs(path, tensors)
    weights = {name: value for name, value in tensors.items() if ".lora_" not in name}
    shapes = masked_shapes(config)
    _check(path, weights, shapes)
    for name, (a, b) in adapters.items():
        known = name.startswith("transformer.layers.") and name.split(".", 3)[-1] in ADAPTED
        if not known or f"{name}.weight" not in shapes or (b.shape[0], a.shape[1]) != shapes[f"{name}.weight"]:
            raise refused(path, f"holds an adapter of {name!r} that does not fit its model")
    return config, weights, adapters


def read_adapters(path: str | os.PathLike) -> Pairs:
    """Read adapters that were saved alone, as lora.pth.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    dict of str to (Tensor, Tensor)
        The adapters.

    Raises
    ------
    VampkitError
        For a file that holds none.
    """
    path = Path(path)
    _, tensors = read_pickled(path)
    adapters = _pairs(path, tensors)
    if not adapters:
        raise refused(path, "holds no adapters")
    return adapters


def holds_codec(path: str | os.PathLike) -> bool:
    """Whether a file of the reference code holds a codec, not a masked model or adapters."""
    kwargs, _ = read_pickled(path)
    return kwargs is not None and "encoder_rates" in kwargs


def read_codec(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the codec: LAC's codec.pth, or a DAC in the same format.

    Parameters
    ----------
    path : str or PathLike
        The file.

    Returns
    -------
    settings : dict
        What `vampkit.codec.network.build` takes.
    weights : dict of str to Tensor
        Its weights.

    Raises
    ------
    VampkitError
        For a file of another kind, or weights that do not fit the file's own arguments.
    """
    from vampkit.codec.network import build, settings_names

    path = Path(path)
    kwargs, tensors = read_pickled(path)
    if kwargs is None or "encoder_rates" not in kwargs:
        raise refused(path, "holds no codec with its arguments")
    settings = {name: value for name, value in kwargs.items() if name in settings_names() and value is not None}
    for name in ("encoder_dim", "decoder_dim", "n_codebooks", "codebook_size", "codebook_dim", "sample_rate"):
        _whole(path, settings, name)
    if "latent_dim" in settings:
        settings["latent_dim"] = _bounded(path, "latent_dim", settings["latent_dim"], MOST["decoder_dim"])
    for name in ("encoder_rates", "decoder_rates"):
        rates = settings.get(name)
        if not isinstance(rates, (list, tuple)) or not 1 <= len(rates) <= 12:
            raise refused(path, f"gives {name} as {rates!r}, which are no rates")
        settings[name] = [_bounded(path, name, rate, 64) for rate in rates]
    if math.prod(settings["encoder_rates"]) != math.prod(settings["decoder_rates"]):
        raise refused(path, "has encoder and decoder rates of different products, so its sound would change its length")
    if settings.get("decoder_dim", 1536) < 2 ** len(settings["decoder_rates"]):
        raise refused(path, f"has a decoder_dim of {settings['decoder_dim']}, too small to be halved at each rate")
    settings["quantizer_dropout"] = False  # of training alone
    if any(".mrf_blocks." in name for name in tensors):
        settings["decoder"] = "lac"
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in build(settings).state_dict().items()}
    _check(path, tensors, shapes)
    return settings, tensors


def masked_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The name and shape of each weight of a masked model.

    Parameters
    ----------
    config : ModelConfig
        The shape of the model.

    Returns
    -------
    dict of str to tuple of int
        Shapes by name.
    """
    from vampkit.model import MaskedTransformer

    with torch.device("meta"):
        tables = torch.empty(config.codebooks, config.entries, config.latent)
        model = MaskedTransformer(config, tables)
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def added_already(weights: dict[str, Tensor], adapters: Pairs, base: dict[str, Tensor] | None = None) -> bool | None:
    """Find out whether the weights of a file already contain its adapters.

    The reference code saves fine-tuned models after it has added the adapters to the weights, and adds them a second
    time when it loads them. Here they are added once. The weights of the base model decide it. Without these, the
    weights' share of the adapters' own direction does: about 1 if they were added, else about 0, because the weights
    of a base model know nothing of the adapters.

    Parameters
    ----------
    weights : dict of str to Tensor
        Weights of the model.
    adapters : dict of str to (Tensor, Tensor)
        The adapters in the same file.
    base : dict of str to Tensor, optional
        Weights of the model that was fine-tuned.

    Returns
    -------
    bool, optional
        None if it cannot be told.
    """
    along = square = noise = 0.0
    for name, (a, b) in adapters.items():
        product, weight = (b.double() @ a.double()) / len(a), weights[f"{name}.weight"].double()
        rest = weight - (base[f"{name}.weight"].double() if base else 0)
        along += float((rest * product).sum())
        square += float(product.square().sum())
        noise += float(rest.square().mean() * product.square().sum())  # variance of the sum if nothing is in common
    if not square or (not base and square < 10 * noise**0.5):
        return None
    share = along / square
    return None if min(abs(share), abs(share - 1)) > 0.3 else share > 0.5


def added(
    path: Path, weights: dict[str, Tensor], adapters: Pairs, base: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Add a file's adapters to its weights, once. Says so if the file already contained them.

    Parameters
    ----------
    path : Path
        The file, for the message.
    weights : dict of str to Tensor
        Weights of the model.
    adapters : dict of str to (Tensor, Tensor)
        The adapters in the same file.
    base : dict of str to Tensor, optional
        Weights of the model that was fine-tuned, see `added_already`.

    Returns
    -------
    dict of str to Tensor
        The weights with their adapters.
    """
    already = added_already(weights, adapters, base) if any(bool(b.any()) for _, b in adapters.values()) else False
    if already:
        say(
            f"{path.name} already contains its adapters: the reference code saved them merged and would add them a "
            "second time; here they count once"
        )
        return weights
    if already is None:
        say(
            f"whether {path.name} already contains its adapters cannot be told; they are added as the reference code "
            f"does, put the base model beside it to be sure"
        )
    return sums(weights, adapters)


def sums(weights: dict[str, Tensor], adapters: Pairs) -> dict[str, Tensor]:
    """Add adapters to weights: W + B A / rank.

    Parameters
    ----------
    weights : dict of str to Tensor
        Weights of the model; they are not changed.
    adapters : dict of str to (Tensor, Tensor)
        The adapters.

    Returns
    -------
    dict of str to Tensor
        New weights.
    """
    made = {f"{name}.weight": (b.float() @ a.float()) / len(a) for name, (a, b) in adapters.items()}
    return {name: value.float() + made[name] if name in made else value for name, value in weights.items()}


def finite(path: Path, weights: dict[str, Tensor]) -> None:
    """Refuse weights that are not all finite.

    Parameters
    ----------
    path : Path
        The file, for the message.
    weights : dict of str to Tensor
        Weights of a model.

    Raises
    ------
    VampkitError
        If one holds NaN or infinity.
    """
    for name, value in weights.items():
        if not bool(value.isfinite().all()):
            raise refused(path, f"holds numbers in {name!r} that are not finite")


@contextmanager
def once() -> Iterator[None]:
    """Inside, `say` says each sentence only once. For a pipeline, whose parts are loaded one after another."""
    token = _SAID.set(set())
    try:
        yield
    finally:
        _SAID.reset(token)


def say(sentence: str) -> None:
    """Print a sentence on standard error; see `once`."""
    said = _SAID.get()
    if said is None or sentence not in said:
        print(sentence, file=sys.stderr, flush=True)
    if said is not None:
        said.add(sentence)


def say_licence() -> None:
    """Say under which licence the published weights are."""
    say(
        f"VampNet's published weights, and what is fine-tuned from them, are under {LICENCE}: name the authors, "
        "no commercial use, share alike"
    )


def base_of(path: Path) -> dict[str, Tensor] | None:
    """Weights of the model that a fine-tune started from, if it lies where the reference code has it.

    Parameters
    ----------
    path : Path
        The fine-tune, such as loras/NAME/coarse.pth; its base is the file of the same name beside loras.

    Returns
    -------
    dict of str to Tensor, optional
        None if there is no such file.
    """
    base = path.parent.parent.parent / path.name
    if path.parent.parent.name != "loras" or not base.is_file():
        return None
    config, weights, _ = read_masked(base)
    return weights if config == read_masked(path)[0] else None


def _config(path: Path, kwargs: dict[str, Any]) -> ModelConfig:
    """The arguments of the reference's class as our config."""
    defaults = {"n_heads": 20, "n_layers": 16, "n_codebooks": 9, "latent_dim": 8, "embedding_dim": 1280}
    given = defaults | {"vocab_size": 1024, "n_conditioning_codebooks": 0, "dropout": 0.1} | kwargs
    for name in (*defaults, "vocab_size"):
        _whole(path, given, name)
    conditioning, dropout = given["n_conditioning_codebooks"] or 0, given["dropout"]
    if isinstance(conditioning, bool) or not isinstance(conditioning, int):
        raise refused(path, f"gives n_conditioning_codebooks as {conditioning!r}, which is no whole number")
    if not 0 <= conditioning < given["n_codebooks"]:
        raise refused(path, f"has {conditioning} conditioning codebooks of {given['n_codebooks']}, which leaves none")
    if given["embedding_dim"] % given["n_heads"]:
        raise refused(path, f"has {given['n_heads']} heads, which do not divide its width {given['embedding_dim']}")
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
        raise refused(path, f"has a dropout of {dropout!r}, which is no probability below 1")
    for name, usual in (("flash_attn", False), ("noise_mode", "mask")):
        if kwargs.get(name, usual) != usual:
            raise refused(path, f"has {name} {kwargs[name]!r}, and models with {usual!r} are known here")
    for name in ("r_cond_dim", "cond_dim", "ctrl_dims"):
        if kwargs.get(name):
            raise refused(path, f"has {name} {kwargs[name]!r}, and models without conditions are known here")
    return ModelConfig(
        codebooks=given["n_codebooks"],
        conditioning=conditioning,
        layers=given["n_layers"],
        width=given["embedding_dim"],
        heads=given["n_heads"],
        entries=given["vocab_size"],
        latent=given["latent_dim"],
        dropout=float(dropout),
    )


def _pairs(path: Path, tensors: dict[str, Tensor]) -> Pairs:
    """The adapters among tensors. Raises VampkitError if one lacks its other half."""
    halves: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        layer, _, letter = name.rpartition(".lora_")
        if layer:
            halves.setdefault(layer, {})[letter] = value
    for layer, pair in halves.items():
        if set(pair) != {"A", "B"}:
            raise refused(path, f"holds one half of the adapter of {layer!r}")
        a, b = pair["A"], pair["B"]
        if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1] or not 1 <= a.shape[0] <= a.shape[1]:
            raise refused(path, f"holds an adapter of {layer!r} whose halves do not fit together")
    finite(path, {f"{layer}.lora_{letter}": half for layer, pair in halves.items() for letter, half in pair.items()})
    return {layer: (pair["A"], pair["B"]) for layer, pair in halves.items()}


def _check(path: Path, weights: dict[str, Tensor], shapes: dict[str, tuple[int, ...]]) -> None:
    """Compare names and shapes with what the arguments ask for, and look for numbers that are not finite."""
    missing, extra = [n for n in shapes if n not in weights], [n for n in weights if n not in shapes]
    if missing or extra:
        what = f"lacks {missing[0]!r}" if missing else f"holds {extra[0]!r}, which its model does not have"
        raise refused(path, f"{what} ({len(missing)} names are missing, {len(extra)} are too many)")
    for name, shape in shapes.items():
        if tuple(weights[name].shape) != shape:
            raise refused(path, f"holds {name!r} in shape {list(weights[name].shape)} instead of {list(shape)}")
    finite(path, weights)


def _whole(path: Path, given: dict[str, Any], name: str) -> None:
    if name in given:
        given[name] = _bounded(path, name, given[name], MOST[name])


def _bounded(path: Path, name: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise refused(path, f"gives {name} as {value!r}, which is no whole number from 1 to {most}")
    return value
