"""What is measured, and how sure one can be of it.

Every figure of quality carries an interval and the number of clips behind it.

Names are loaded on first use. Notebook: 01.
"""

from vampkit import lazily

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
        "entries_used",
        "entry_counts",
        "masked_accuracy",
        "masked_cross_entropy",
        "perplexity",
        "unigram_cross_entropy",
    ),
}
"""Each public name, by the module that holds it."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
