"""Metrics: measures of quality, and how certain they are.

Report each of them with its interval and the number of clips.

Names are loaded on first use. Notebook: 01.
"""

from vampkit import lazily

_HOME = {
    "agreement": ("beat_f", "beat_times", "chroma", "chroma_similarity", "onset_f", "onset_times"),
    "distances": ("frechet_distance", "frechet_interval", "frechet_ratio"),
    "embedding": ("codec_latents", "log_mel", "logmel_statistics"),
    "kernel": ("KernelDistance", "bandwidth_of", "kernel_difference", "kernel_distance"),
    "listening": ("abx_scores", "mushra_difference", "mushra_scores", "read_listening", "screened"),
    "mauve": ("mauve_divergence",),
    "opus": ("opus_round_trip",),
    "reconstruction": ("mel_distance", "paper_mel_error", "si_sdr"),
    "statistics": ("Estimate", "bootstrap", "jackknife"),
    "tagger": ("Tagger", "load_tagger", "save_tagger", "tagger_embedding", "tags"),
    "tokens": (
        *("entries_used", "entry_counts", "masked_accuracy", "masked_cross_entropy"),
        *("perplexity", "unigram_cross_entropy"),
    ),
    "vggish": ("VGGish", "load_vggish", "vggish_embedding"),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
