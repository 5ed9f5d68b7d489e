"""Widgets for notebooks.

Thin views of plain Python models, which work by calls as well as by hand. Each is loaded on first use.
"""

from importlib import import_module

_HOME = {
    "MaskEditor": "editor",
    "MaskModel": "mask_model",
    "PanelModel": "panel",
    "SamplerScrubber": "scrubber",
    "VampPanel": "panel",
    "VampStudio": "studio",
}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"vampkit.widgets.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
