"""What is measured, and how sure one can be of it.

Every figure of quality carries an interval and the number of clips behind it.

Names are loaded on first use. Notebook: 01.
"""

from importlib import import_module

_HOME = {
    "mel_distance": "reconstruction", "si_sdr": "reconstruction",
    "opus_round_trip": "opus",
    "logmel_statistics": "embedding", "codec_latents": "embedding", "log_mel": "embedding",
    "tagger_embedding": "tagger", "tags": "tagger", "load_tagger": "tagger", "save_tagger": "tagger", "Tagger": "tagger",
    "frechet_distance": "distances", "frechet_interval": "distances", "frechet_ratio": "distances",
    "KernelDistance": "kernel", "kernel_distance": "kernel", "kernel_difference": "kernel", "bandwidth_of": "kernel",
    "beat_times": "agreement", "beat_f": "agreement",
    "onset_times": "agreement", "onset_f": "agreement", "chroma": "agreement", "chroma_similarity": "agreement",
    "Estimate": "statistics", "bootstrap": "statistics", "jackknife": "statistics",
    "masked_cross_entropy": "tokens", "masked_accuracy": "tokens", "unigram_cross_entropy": "tokens", "entry_counts": "tokens",
    "entries_used": "tokens", "perplexity": "tokens",
}  # fmt: skip
"""Each public name and the module that holds it."""

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"vampkit.metrics has no {name!r}; its names are: {', '.join(__all__)}")
    value = getattr(import_module(f"vampkit.metrics.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
