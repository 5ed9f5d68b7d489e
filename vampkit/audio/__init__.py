"""Audio: clips of sound in memory, and sound that is processed block by block."""

from vampkit.audio.bundled import clips, load_clip
from vampkit.audio.clip import LEVEL, Clip
from vampkit.audio.opening import opens_with_attack

__all__ = ["LEVEL", "Clip", "clips", "load_clip", "opens_with_attack"]
