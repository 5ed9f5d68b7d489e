"""Pictures and players: `listen` to hear, the others to see. Each is loaded on first use.

Figures are `plotly.graph_objects.Figure`; `overview` writes a still picture where nothing interactive runs.
"""

from importlib import import_module

_HOME = {
    "listen": "player",
    "Player": "player",
    "facts": "player",
    "spectrogram": "figures",
    "waveform": "figures",
    "tokens": "figures",
    "mask": "figures",
    "mask_over": "figures",
    "passes": "figures",
    "dress": "figures",
    "curves": "plots",
    "bars": "plots",
    "matrices": "plots",
    "schedules": "plots",
    "overview": "static",
}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
