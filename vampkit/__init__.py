"""vampkit: VampNet small enough to read in an afternoon.

    clip --encode--> tokens --prompt--> mask --sample(model)--> tokens --decode--> clip

Names are loaded on first use, so `import vampkit as vk` is quick. Notebook: 00.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "audio": ("Clip", "clips", "load_clip"),
    "codec": ("Codec", "Tokens"),
    "errors": ("VampkitError",),
    "model": ("MaskedTransformer", "ModelConfig"),
    "pipeline": ("Take", "TakeSettings", "Vamp", "load_vamp"),
    "prompts": (
        *("Beats", "Compression", "Continuation", "Drawn", "Everything", "Inpaint", "Loop", "Nothing", "Onsets"),
        *("Outpaint", "Periodic", "Prefix", "Prompt", "Random", "RandomShare", "Stretch", "Suffix"),
    ),
    "prompts.beats": ("BeatGrid", "LibrosaBeats"),
    "sampling": ("Settings", "Step", "sample"),
    "show": ("listen",),
    "weights": ("load_codec", "load_model"),
}
"""Where each public name lives."""

_MODULES = {"beats": "prompts.beats"} | {
    name: name for name in ("check", "masks", "metrics", "music", "prompts", "schedules", "show")
}
"""Modules that are public as they are: `vk.masks.periodic`, `vk.show.spectrogram`."""

_FOUND = {name: home for home, names in _HOME.items() for name in names}

__all__ = sorted([*_FOUND, *_MODULES, "__version__"])


def __getattr__(name: str):
    if name in _FOUND:
        value = getattr(import_module(f"vampkit.{_FOUND[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"vampkit.{_MODULES[name]}")
    else:
        raise AttributeError(f"vampkit has no {name!r}; its names are: {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
