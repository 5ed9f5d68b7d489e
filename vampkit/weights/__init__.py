"""Weights: loading and saving codecs, models and adapters."""

from vampkit.weights.adapters import load_adapters, merged, save_adapters
from vampkit.weights.codecs import load_codec
from vampkit.weights.models import load_model, model_hash, save_model

__all__ = ["load_adapters", "load_codec", "load_model", "merged", "model_hash", "save_adapters", "save_model"]
