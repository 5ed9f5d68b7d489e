"""Codec: sound to tokens and back."""

from vampkit.codec.codec import Codec
from vampkit.codec.tokens import Tokens

__all__ = ["Codec", "Tokens"]
