"""Audio: a piece of sound and what one does with it, whole or block by block."""

from vampkit.audio.bundled import clips, load_clip
from vampkit.audio.clip import LEVEL, Clip

__all__ = ["LEVEL", "Clip", "clips", "load_clip"]
