"""Audio: clips of sound in memory, and sound that is processed block by block."""

from vampkit.audio.bundled import clips, load_clip
from vampkit.audio.clip import LEVEL, Clip

__all__ = ["LEVEL", "Clip", "clips", "load_clip"]
