"""The network inside a codec: a `dac.DAC` or LAC, its settings, and a hash of the parts that determine the tokens."""

from __future__ import annotations

import inspect
import math
import warnings

import torch

from vampkit.errors import VampkitError
from vampkit.files.tensors import digest


def build(settings: dict) -> torch.nn.Module:
    """Make an untrained `dac.DAC` with these settings, or a LAC if they hold decoder = "lac".

    Raises VampkitError for unknown settings.
    """
    from vampkit.codec.descript import dac, quick

    plain = {name: value for name, value in settings.items() if name not in ("decoder", "licence")}
    try:
        with warnings.catch_warnings():
            # dac uses the older of torch's two weight norms, and the names in its state dicts depend on that.
            warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
            if settings.get("decoder") == "lac":
                from vampkit.codec.lac import build_lac

                return quick(build_lac(**plain))
            return quick(dac.DAC(**plain))
    except TypeError as error:
        raise VampkitError(
            f"the codec's settings do not fit dac.DAC ({error}); was the file written by another version?"
        ) from None


def settings_names() -> list[str]:
    """Names of the arguments that `dac.DAC` takes."""
    from vampkit.codec.descript import dac

    return list(inspect.signature(dac.DAC).parameters)


def settings_of(model: torch.nn.Module) -> dict:
    """The settings with which `build` made a codec, as plain numbers."""
    names = [name for name in settings_names() if name != "quantizer_dropout"]
    plain = {name: getattr(model, name) for name in names}
    found = {k: [int(x) for x in v] if isinstance(v, (list, tuple)) else int(v) for k, v in plain.items()}
    return found | ({"decoder": "lac"} if is_lac(model) else {})


def is_lac(model: torch.nn.Module) -> bool:
    """Whether a codec's decoder is LAC's."""
    from vampkit.codec.lac import Decoder

    return isinstance(model.decoder, Decoder)


def token_hash(model: torch.nn.Module) -> str:
    """A hash of encoder and quantizer, which determine the meaning of the tokens.

    The decoder is left out: it can be trained further, and old tokens stay valid.
    """
    state = {n: value for n, value in model.state_dict().items() if n.startswith(("encoder.", "quantizer."))}
    return digest(state, start=settings_of(model))


def context_frames(model: torch.nn.Module) -> int:
    """How many frames of context a window needs on each side, so that cutting does not change its codes and samples.

    This is half the receptive field of the encoder or the decoder, whichever is larger. Each residual unit sees
    3 x dilation steps to both sides, and each stride makes the steps of all later layers longer.
    """

    def side(rates: list[int]) -> int:
        reach, step = 3, 1
        for rate in rates:
            reach += step * (3 * (1 + 3 + 9)) + step * rate
            step *= rate
        return reach + step * 3

    if is_lac(model):
        from vampkit.codec.lac import reach

        return math.ceil(max(side(list(model.encoder_rates)) / int(model.hop_length), reach(model.decoder_rates))) + 1
    samples = max(side(list(model.encoder_rates)), side(list(reversed(model.decoder_rates))))
    return math.ceil(samples / int(model.hop_length)) + 1
