"""vampkit: VampNet small enough to read in an afternoon.

    clip --encode--> tokens --prompt--> mask --sample(model)--> tokens --decode--> clip

Names are loaded on first use, so `import vampkit as vk` is quick. Notebook: 00.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "Clip": "audio", "clips": "audio", "load_clip": "audio",
    "Tokens": "tokens",
    "Codec": "codec", "load_codec": "codec",
    "Prompt": "prompts", "Beats": "prompts", "Compression": "prompts", "Continuation": "prompts", "Drawn": "prompts", "Everything": "prompts",
    "Inpaint": "prompts", "Loop": "prompts", "Nothing": "prompts", "Onsets": "prompts", "Outpaint": "prompts", "Periodic": "prompts",
    "Prefix": "prompts", "Random": "prompts", "RandomShare": "prompts", "Stretch": "prompts", "Suffix": "prompts",
    "BeatGrid": "beats", "LibrosaBeats": "beats",
    "MaskedTransformer": "model", "ModelConfig": "model",
    "Step": "sampling", "sample": "sampling",
    "Take": "takes", "Vamp": "pipeline", "load_vamp": "pipeline",
    "load_model": "weights",
    "VampkitError": "errors",
    "listen": "show",
}  # fmt: skip
"""Each public name and the module that holds it."""

_MODULES = ("beats", "check", "masks", "metrics", "music", "prompts", "schedules", "show")
"""Modules that are public as they are: `vk.masks.periodic`, `vk.show.spectrogram`."""

__all__ = sorted([*_HOME, *_MODULES, "__version__"])


def __getattr__(name: str):
    if name in _HOME:
        value = getattr(import_module(f"vampkit.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"vampkit.{name}")
    else:
        raise AttributeError(f"vampkit has no {name!r}; its names are: {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
