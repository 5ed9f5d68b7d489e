"""vampkit: VampNet small enough to read in an afternoon.

    clip --encode--> tokens --prompt--> mask --sample(model)--> tokens --decode--> clip

Names are loaded on first use, so `import vampkit as vk` is quick. Notebook: 00.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

__version__ = "1.0.0"


def lazily(package: str, homes: dict[str, tuple[str, ...]], modules: dict[str, str] | None = None) -> tuple:
    """Let a package load its public names on first use.

    Parameters
    ----------
    package : str
        Its name.
    homes : dict of str to tuple of str
        For each module of the package, the public names that it holds.
    modules : dict of str to str, optional
        Modules that are public themselves, by their public names.

    Returns
    -------
    tuple
        The package's `__getattr__`, `__dir__` and `__all__`.
    """
    found, modules = {name: home for home, names in homes.items() for name in names}, modules or {}
    public = sorted([*found, *modules])

    def load(name: str) -> Any:
        if name in found:
            value = getattr(import_module(f"{package}.{found[name]}"), name)
        elif name in modules:
            value = import_module(f"{package}.{modules[name]}")
        else:
            raise AttributeError(f"{package} has no {name!r}; its names are: {', '.join(public)}")
        setattr(sys.modules[package], name, value)
        return value

    names: Callable[[], list[str]] = lambda: public  # noqa: E731
    return load, names, public


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
"""For each module, the public names that it holds."""

_MODULES = {
    name: name for name in ("check", "controls", "masks", "metrics", "music", "probes", "prompts", "schedules", "show")
}
"""Modules that are public themselves: `vk.masks.periodic`, `vk.show.spectrogram`."""

__getattr__, __dir__, __all__ = lazily("vampkit", _HOME, _MODULES | {"beats": "prompts.beats"})
__all__ = [*__all__, "__version__"]
