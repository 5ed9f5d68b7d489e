"""Pictures and players: `listen` to hear, the others to see.

Figures are `plotly.graph_objects.Figure` and carry a still picture for pages that run no scripts; `overview` writes one
to a file.

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
