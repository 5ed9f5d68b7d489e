"""Pictures and players: `listen` to hear, the others to see.

Figures are `plotly.graph_objects.Figure`; `overview` writes a still picture where nothing interactive runs.

Names are loaded on first use. Notebook: 00.
"""

from vampkit import lazily

_HOME = {
    "figures": ("dress", "spectrogram", "waveform"),
    "grids": ("mask", "mask_over", "passes", "tokens"),
    "player": ("Player", "facts", "listen"),
    "plots": ("bars", "curves", "matrices", "schedules"),
    "static": ("overview",),
}
"""Each public name, by the module that holds it."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
