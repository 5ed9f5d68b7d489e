"""Widgets for notebooks: thin views of plain Python models, which work by calls as well as by hand.

Each is loaded on first use.
"""

from importlib import import_module

_HOME = {
    "editor": ("MaskEditor",),
    "mask_model": ("MaskModel",),
    "panel": ("PanelModel", "VampPanel"),
    "scrubber": ("SamplerScrubber",),
    "studio": ("VampStudio",),
}
"""Where each public name lives."""

_FOUND = {name: home for home, names in _HOME.items() for name in names}

__all__ = sorted(_FOUND)


def __getattr__(name: str):
    if name not in _FOUND:
        raise AttributeError(f"vampkit.widgets has no {name!r}; its names are: {', '.join(__all__)}")
    return getattr(import_module(f"vampkit.widgets.{_FOUND[name]}"), name)


def __dir__() -> list[str]:
    return __all__
