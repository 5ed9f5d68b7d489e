"""Pictures and players: `listen` plays clips, all other functions draw.

Figures are `plotly.graph_objects.Figure` and carry a still picture for pages that run no scripts; `overview` writes one
to a file.

Names are loaded on first use. Notebook: 00.
"""

from vampkit import lazily

_HOME = {
    "figures": ("dress", "spectrogram", "waveform"),
    "grids": ("mask", "mask_over", "passes", "tokens"),
    "listening": ("listening_test", "low_pass"),
    "player": ("Player", "facts", "listen"),
    "plots": ("bars", "curves", "matrices", "schedules"),
    "sheets": ("Sheet", "sheet"),
    "static": ("overview",),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
