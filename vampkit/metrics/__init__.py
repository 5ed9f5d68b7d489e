"""What is measured, and how sure one can be of it.

Every figure of quality carries an interval and the number of clips behind it.

Names are loaded on first use. Notebook: 01.
"""

from importlib import import_module

_HOME = {
    "agreement": ("beat_f", "beat_times", "chroma", "chroma_similarity", "onset_f", "onset_times"),
    "distances": ("frechet_distance", "frechet_interval", "frechet_ratio"),
    "embedding": ("codec_latents", "log_mel", "logmel_statistics"),
    "kernel": ("KernelDistance", "bandwidth_of", "kernel_difference", "kernel_distance"),
    "opus": ("opus_round_trip",),
    "reconstruction": ("mel_distance", "si_sdr"),
    "statistics": ("Estimate", "bootstrap", "jackknife"),
    "tagger": ("Tagger", "load_tagger", "save_tagger", "tagger_embedding", "tags"),
    "tokens": (
        *("entries_used", "entry_counts", "masked_accuracy", "masked_cross_entropy", "perplexity"),
        "unigram_cross_entropy",
    ),
}
"""Where each public name lives."""

_FOUND = {name: home for home, names in _HOME.items() for name in names}

__all__ = sorted(_FOUND)


def __getattr__(name: str):
    if name not in _FOUND:
        raise AttributeError(f"vampkit.metrics has no {name!r}; its names are: {', '.join(__all__)}")
    value = getattr(import_module(f"vampkit.metrics.{_FOUND[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
