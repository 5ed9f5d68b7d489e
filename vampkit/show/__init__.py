"""Pictures and players: `listen` to hear, the others to see.

Figures are `plotly.graph_objects.Figure`; `overview` writes a still picture where nothing interactive runs.

Names are loaded on first use. Notebook: 00.
"""

from importlib import import_module

_HOME = {
    "figures": ("dress", "spectrogram", "waveform"),
    "grids": ("mask", "mask_over", "passes", "tokens"),
    "player": ("Player", "facts", "listen"),
    "plots": ("bars", "curves", "matrices", "schedules"),
    "static": ("overview",),
}
"""Where each public name lives."""

_FOUND = {name: home for home, names in _HOME.items() for name in names}

__all__ = sorted(_FOUND)


def __getattr__(name: str):
    if name not in _FOUND:
        raise AttributeError(f"vampkit.show has no {name!r}; its names are: {', '.join(__all__)}")
    value = getattr(import_module(f"vampkit.show.{_FOUND[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
