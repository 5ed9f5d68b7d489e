"""A drawn mask as Python code: one call per gesture, or, if there are many gestures, the mask itself.

And the call that makes a take of it.
"""

from __future__ import annotations

import numpy as np

from vampkit.pipeline import SETTINGS
from vampkit.widgets import cells

MOST_GESTURES, MOST_LETTERS = 40, 4000  # above these limits the mask itself is shorter


def expression(tokens, base: str, gestures: list[tuple[str, bool]], mask: np.ndarray) -> str:
    """Write the Python expression that makes `mask` [K, T].

    base: the mask before the first gesture, as text. gestures: the calls, each with whether it replaces the whole mask.
    """
    start = next((i for i in reversed(range(len(gestures))) if gestures[i][1]), None)
    steps = [call for call, _ in gestures[start or 0 :]]
    if start is None and base:
        steps.insert(0, f"draw({base!r})")
    if len(steps) > MOST_GESTURES or sum(map(len, steps)) > MOST_LETTERS:
        steps = [f"draw({cells.to_text(mask)!r})"]
    t = tokens
    usual = {"rate": 44_100, "hop": 768, "entries": 1024, "length": t.frames * t.hop}
    axis = "".join(f", {name}={getattr(t, name)}" for name in usual if getattr(t, name) != usual[name])
    made = f"MaskModel({t.codebooks}, {t.frames}{axis})"
    return f"{made}.mask" if not steps else "(\n    " + "\n    .".join([made, *steps, "mask"]) + "\n)"


def call(session) -> str:
    """Write the call of `Vamp.vamp` that makes the next take of a studio's session."""
    model, settings = session.model, session.settings
    mask = model.code().replace("\n", "\n    ")
    prompt = f"Drawn{mask}" if mask.startswith("(") else f"Drawn({mask})"
    if session.circular:
        prompt = f"Loop(seconds={model.tokens.seconds!r}, prompt={prompt})"
    values = settings.flat()
    special = {s.name: values[s.name] for s in SETTINGS if s.name != "follow" and values[s.name] != s.default}
    arguments = ["clip" if session.encoded else "tokens", prompt, *(f"{name}={v!r}" for name, v in special.items())]
    if settings.follow:
        arguments.append(f"follow={session.lanes.code(session.clip)}")
    return "vamp.vamp(\n    " + ",\n    ".join(arguments) + ",\n)"
