"""The network inside a codec: a `dac.DAC`, what it is made of, and what of it decides the tokens."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import warnings

import torch

from vampkit.errors import VampkitError


def build(settings: dict) -> torch.nn.Module:
    """An untrained `dac.DAC` of these settings. Raises VampkitError for settings it does not know."""
    from vampkit.codec.descript import dac, quick

    try:
        with warnings.catch_warnings():
            # dac still uses the older of torch's two weight norms; its state dicts depend on it.
            warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
            return quick(dac.DAC(**settings))
    except TypeError as error:
        raise VampkitError(
            f"the codec's settings do not fit dac.DAC ({error}); was the file written by another version?"
        ) from None


def settings_names() -> set[str]:
    """Names of the arguments that `dac.DAC` takes."""
    from vampkit.codec.descript import dac

    return set(inspect.signature(dac.DAC.__init__).parameters) - {"self"}


def settings_of(model: torch.nn.Module) -> dict:
    """The constructor's arguments of a `dac.DAC`, as plain numbers."""
    names = (
        "encoder_dim",
        "encoder_rates",
        "latent_dim",
        "decoder_dim",
        "decoder_rates",
        "n_codebooks",
        "codebook_size",
        "codebook_dim",
        "sample_rate",
    )
    plain = {name: getattr(model, name) for name in names}
    return {k: [int(x) for x in v] if isinstance(v, (list, tuple)) else int(v) for k, v in plain.items()}


def token_hash(model: torch.nn.Module) -> str:
    """What the tokens mean.

    A hash over encoder and quantizer. A decoder may be trained further without making old tokens worthless.
    """
    digest = hashlib.sha256(json.dumps(settings_of(model), sort_keys=True).encode())
    for name, value in sorted(model.state_dict().items()):
        if name.startswith(("encoder.", "quantizer.")):
            digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def context_frames(model: torch.nn.Module) -> int:
    """Frames of surroundings after which a window's codes and samples no longer depend on where it was cut.

    Half the receptive field of encoder and decoder: each residual unit sees 3 x dilation to both sides, each stride
    multiplies what follows.
    """

    def side(rates: list[int]) -> int:
        reach, step = 3, 1
        for rate in rates:
            reach += step * (3 * (1 + 3 + 9)) + step * rate
            step *= rate
        return reach + step * 3

    samples = max(side(list(model.encoder_rates)), side(list(reversed(model.decoder_rates))))
    return math.ceil(samples / int(model.hop_length)) + 1
