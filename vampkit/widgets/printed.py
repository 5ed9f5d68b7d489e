"""A drawn mask as Python: the gestures that made it, one call a line, or the mask itself where the story is long."""

from __future__ import annotations

import numpy as np

from vampkit.widgets import cells

MOST_GESTURES, MOST_LETTERS = 40, 4000  # beyond them the mask is shorter to read than its story


def expression(tokens, base: str, gestures: list[tuple[str, bool]], mask: np.ndarray) -> str:
    """The expression that makes `mask` [K, T].

    Base is what was hidden at first, gestures are calls and whether each forgets all before it.
    """
    start = next((i for i in reversed(range(len(gestures))) if gestures[i][1]), None)
    steps = [call for call, _ in gestures[start or 0 :]]
    if start is None and base:
        steps.insert(0, f"draw({base!r})")
    if len(steps) > MOST_GESTURES or sum(map(len, steps)) > MOST_LETTERS:
        steps = [f"draw({cells.to_text(mask)!r})"]
    t = tokens
    usual = (
        ("rate", t.rate, 44_100),
        ("hop", t.hop, 768),
        ("entries", t.entries, 1024),
        ("length", t.length, t.frames * t.hop),
    )
    made = (
        f"MaskModel({t.codebooks}, {t.frames}"
        + "".join(f", {name}={value}" for name, value, plain in usual if value != plain)
        + ")"
    )
    return f"{made}.mask" if not steps else "(\n    " + "\n    .".join([made, *steps, "mask"]) + "\n)"
