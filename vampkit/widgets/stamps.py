"""Prompts as stamps: what they hide of a sound that stays as it is, and whether their Python hides the same."""

from __future__ import annotations

import numpy as np
import torch

from vampkit import masks, prompts


def hidden(prompt: prompts.Prompt, tokens, clip) -> torch.Tensor:
    """What a prompt hides, bool [K, T]. Raises ValueError where it would change the length, or move what is there."""
    made, mask = prompt.prepare(tokens, clip)
    if made.frames == tokens.frames and torch.equal(made.codes, tokens.codes):
        return mask
    change = f"makes {made.frames} frames of {tokens.frames}" if made.frames != tokens.frames else "moves the frames"
    raise ValueError(
        f"{prompt!r} {change}, and a stamp leaves the sound as it is; "
        "stamp another prompt, or make a take with vamp.vamp(clip, prompt) and open that"
    )


def repeats(prompt, tokens, stamp: np.ndarray) -> bool:
    """Whether the prompt, printed as Python and made again, gives the mask `stamp` [K, T] without the sound."""
    blank = tokens.replace(
        codes=torch.zeros_like(tokens.codes), codec="", source_rate=tokens.rate, gains=(0.0,), name="", credit=""
    )
    try:
        made = eval(repr(prompt), vars(prompts).copy()).mask(blank)
        return bool((masks.as_mask(made).numpy() == stamp).all())
    except Exception:  # it looks at the sound, or does not print as Python: the mask is printed in its place
        return False
