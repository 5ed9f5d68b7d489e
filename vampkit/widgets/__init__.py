"""Widgets for notebooks: thin views of plain Python objects. Use them by hand, or by calling their methods.

A widget stays open until `close()`, or until the cell that made it is run again. Each is loaded on first use.
"""

from vampkit import lazily

_HOME = {
    "editor": ("MaskEditor",),
    "explorer": ("Explorer",),
    "mask_model": ("MaskModel",),
    "panel": ("PanelModel", "VampPanel"),
    "prediction": ("Prediction",),
    "scrubber": ("SamplerScrubber",),
    "studio": ("VampStudio",),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
