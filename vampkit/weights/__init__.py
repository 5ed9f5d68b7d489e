"""Weights: loading, saving and converting codecs, models and adapters."""

from vampkit.weights.adapters import load_adapters, merged, save_adapters
from vampkit.weights.codecs import load_codec
from vampkit.weights.convert import convert
from vampkit.weights.hub import finetunes
from vampkit.weights.models import load_model, model_hash, save_model

__all__ = ["convert", "finetunes", "load_adapters", "load_codec", "load_model", "merged", "model_hash"]
__all__ += ["save_adapters", "save_model"]
