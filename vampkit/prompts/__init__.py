"""Prompts: what is kept of a sound, as small objects that make masks.

`a | b` keeps what either keeps, `a & b` what both keep, `~a` what a does not keep. A prompt prints as the Python that
makes it again. Paper: section 3.4. Notebook: 02, 06 to 09.
"""

from vampkit.prompts.base import FORMAT, Both, Dropout, Either, On, Opposite, Prompt, prompt_type
from vampkit.prompts.frames import (
    Compression,
    Drawn,
    Everything,
    Inpaint,
    Nothing,
    Periodic,
    Prefix,
    Random,
    RandomShare,
    Suffix,
)
from vampkit.prompts.length import Continuation, Loop, Outpaint, Stretch
from vampkit.prompts.presets import PRESETS
from vampkit.prompts.sound import Beats, Onsets
from vampkit.prompts.words import parse

__all__ = [
    "FORMAT", "PRESETS", "Beats", "Both", "Compression", "Continuation", "Drawn", "Dropout", "Either", "Everything", "Inpaint", "Loop", "Nothing", "On",
    "Onsets", "Opposite", "Outpaint", "Periodic", "Prefix", "Prompt", "Random", "RandomShare", "Stretch", "Suffix", "parse", "prompt_type",
]  # fmt: skip
