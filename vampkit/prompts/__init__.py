"""Prompts: what is kept of a sound, as small objects that make masks.

`a | b` keeps what either keeps, `a & b` what both keep, `~a` what a does not keep. A prompt prints as the Python that
makes it again. A new prompt type is one class below `prompt_type` in frames.py, length.py or sound.py: its words, its
JSON, its place in the panel and its name here follow from it. Paper, section 3.4. Notebook: 02, 06 to 09.
"""

from vampkit.prompts import frames, length, sound  # noqa: F401  (all prompt types, in the order of the panel)
from vampkit.prompts.base import FORMAT, Prompt, prompt_type
from vampkit.prompts.presets import PRESETS
from vampkit.prompts.words import parse, words_help

__all__ = ["FORMAT", "PRESETS", "Prompt", "parse", "prompt_type", "words_help", *Prompt.kinds]

globals().update(Prompt.kinds)
