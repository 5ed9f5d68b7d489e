"""Prompts: what is kept of a sound, as small objects that make masks.

`a | b` keeps what either keeps, `a & b` what both keep, `~a` what a does not keep. A prompt prints as the Python that
makes it again. A new prompt type is one class below `prompt_type` in frames.py, length.py or sound.py, and its name in
that file's `__all__`: its words, its JSON, its place in the panel and its name here follow. Paper, section 3.4.
Notebook: 02, 06 to 09.
"""

from vampkit.prompts import frames, length, sound
from vampkit.prompts.base import FORMAT, Both, Dropout, Either, On, Opposite, Prompt, prompt_type
from vampkit.prompts.frames import *  # noqa: F403
from vampkit.prompts.length import *  # noqa: F403
from vampkit.prompts.presets import PRESETS
from vampkit.prompts.sound import *  # noqa: F403
from vampkit.prompts.words import parse, words_help

__all__ = ["FORMAT", "PRESETS", "Both", "Dropout", "Either", "On", "Opposite", "Prompt"]
__all__ += ["parse", "prompt_type", "words_help"]
__all__ += frames.__all__
__all__ += length.__all__
__all__ += sound.__all__
