"""A drawn mask as Python: the gestures that made it, one call a line, or the mask itself where the story is long."""

from __future__ import annotations

import numpy as np
import torch

from vampkit import prompts
from vampkit.show.spectra import mask_array
from vampkit.widgets import cells

MOST_GESTURES, MOST_LETTERS = 40, 4000  # beyond them the mask is shorter to read than its story


def repeats(prompt, tokens, stamp: np.ndarray) -> bool:
    """Whether the prompt, printed as Python and made again, gives the mask `stamp` [K, T] without the sound."""
    blank = tokens.replace(codes=torch.zeros_like(tokens.codes), codec="", source_rate=tokens.rate, gains=(0.0,), name="", credit="")
    try:
        return bool((mask_array(eval(repr(prompt), vars(prompts).copy()).mask(blank)) == stamp).all())
    except Exception:  # it looks at the sound, or does not print as Python: the mask is printed in its place
        return False


def expression(tokens, base: str, gestures: list[tuple[str, bool]], mask: np.ndarray) -> str:
    """The expression that makes `mask` [K, T]: base is what was hidden at first, gestures are calls and whether each forgets all before it."""
    start = next((i for i in reversed(range(len(gestures))) if gestures[i][1]), None)
    steps = [call for call, _ in gestures[start or 0 :]]
    if start is None and base:
        steps.insert(0, f"draw({base!r})")
    if len(steps) > MOST_GESTURES or sum(map(len, steps)) > MOST_LETTERS:
        steps = [f"draw({cells.to_text(mask)!r})"]
    t = tokens
    usual = (("rate", t.rate, 44_100), ("hop", t.hop, 768), ("entries", t.entries, 1024), ("length", t.length, t.frames * t.hop))
    made = f"MaskModel({t.codebooks}, {t.frames}" + "".join(f", {name}={value}" for name, value, plain in usual if value != plain) + ")"
    return f"{made}.mask" if not steps else "(\n    " + "\n    .".join([made, *steps, "mask"]) + "\n)"
