"""Prompts: small objects that say what is kept of a sound. They make masks.

`a | b` keeps what a or b keeps, `a & b` what both keep, `~a` what a does not keep. A prompt prints as the Python code
that makes it.

To add a prompt type, write one class with the decorator `prompt_type` in frames.py, length.py or sound.py, and add its
name to that file's `__all__`. Then the command line, JSON, the panel and this package know it.

Paper, section 3.4. Notebook: 02, 06 to 09.
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
