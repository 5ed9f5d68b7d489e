"""Prompts as stamps on a mask: what a prompt hides, and whether its Python code gives the same mask."""

from __future__ import annotations

import numpy as np
import torch

from vampkit import masks, prompts


def hidden(prompt: prompts.Prompt, tokens, clip) -> torch.Tensor:
    """The mask of a prompt, bool [K, T]. Raises ValueError if the prompt changes the length or moves frames."""
    made, mask = prompt.prepare(tokens, clip)
    if made.frames == tokens.frames and torch.equal(made.codes, tokens.codes):
        return mask
    change = f"makes {made.frames} frames of {tokens.frames}" if made.frames != tokens.frames else "moves the frames"
    raise ValueError(
        f"{prompt!r} {change}, and a stamp leaves the sound as it is; "
        "stamp another prompt, or make a take with vamp.vamp(clip, prompt) and open that"
    )


def repeats(prompt, tokens, stamp: np.ndarray) -> bool:
    """Whether the prompt, made again from its Python code, gives the mask `stamp` [K, T] without the sound."""
    plain = dict(codec="", source_rate=tokens.rate, gains=(0.0,), name="", credit="")
    blank = tokens.replace(codes=torch.zeros_like(tokens.codes), **plain)
    try:
        made = eval(repr(prompt), vars(prompts).copy()).mask(blank)
        return bool((masks.as_mask(made).numpy() == stamp).all())
    except Exception:  # it needs the sound, or its repr is not Python; then the mask itself is printed
        return False
