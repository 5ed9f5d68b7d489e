"""Widgets for notebooks: thin views of plain Python models, which work by calls as well as by hand.

A widget stays open until `close()`, or until the cell that made it is run again. Each is loaded on first use.
"""

from vampkit import lazily

_HOME = {
    "editor": ("MaskEditor",),
    "mask_model": ("MaskModel",),
    "panel": ("PanelModel", "VampPanel"),
    "scrubber": ("SamplerScrubber",),
    "studio": ("VampStudio",),
}
"""Each public name, by the module that holds it."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
