"""Training: a codec, the two masked models for its tokens, adapters, the tagger, and the data for all of them.

Names are loaded on first use. Notebook: 04
"""

from vampkit import lazily

_HOME = {
    "codec": ("CodecTraining", "train_codec"),
    "codec_presets": ("CODEC_PRESETS", "CodecPreset"),
    "controls": ("CONTROL_PRESETS", "ControlPreset", "ControlTraining", "train_controls"),
    "devices": ("launch",),
    "examples": ("Examples",),
    "fetch": ("fetch_music",),
    "finetuning": ("AdapterPreset", "AdapterTraining", "Finetuned", "finetune", "split_store"),
    "masked": ("MaskedTraining", "masked_loss", "train_masked"),
    "masked_presets": ("MASKED_PRESETS", "MaskedPreset"),
    "meter": ("operations",),
    "painter": ("PAINTER_PRESETS", "PainterPreset", "train_painter"),
    "pool": ("Pool", "build_pool", "compose_pool"),
    "start": ("local_bias", "start_local"),
    "store": ("TokenStore", "build_store"),
    "stream": ("TokenStream",),
    "tagger": ("TAGGER_PRESETS", "TaggerPreset", "TaggerTraining", "train_tagger"),
    "tokens": ("ExcerptStore", "TokenSource"),
    "training": ("Training",),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
