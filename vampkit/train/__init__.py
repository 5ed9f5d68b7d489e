"""Training: a codec, the two masked models on its tokens, adapters, the tagger, and the data for all of them.

Names are loaded on first use. Notebook: 04
"""

from importlib import import_module

_HOME = {
    "Training": "training",
    "CODEC_PRESETS": "codec_presets", "CodecPreset": "codec_presets", "CodecTraining": "codec", "train_codec": "codec",
    "MASKED_PRESETS": "masked_presets", "MaskedPreset": "masked_presets", "MaskedTraining": "masked",
    "masked_loss": "masked", "train_masked": "masked", "Examples": "examples",
    "TAGGER_PRESETS": "tagger", "TaggerPreset": "tagger", "TaggerTraining": "tagger", "train_tagger": "tagger",
    "AdapterPreset": "finetuning", "AdapterTraining": "finetuning", "Finetuned": "finetuning", "finetune": "finetuning",
    "split_store": "finetuning",
    "Pool": "pool", "build_pool": "pool", "compose_pool": "pool", "fetch_music": "fetch",
    "ExcerptStore": "tokens", "TokenSource": "tokens", "TokenStore": "store", "build_store": "store",
    "TokenStream": "stream",
    "launch": "devices", "local_bias": "start", "operations": "meter", "start_local": "start",
}  # fmt: skip
"""Each public name and the module that holds it."""

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"vampkit.train has no {name!r}; its names are: {', '.join(__all__)}")
    value = getattr(import_module(f"vampkit.train.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
