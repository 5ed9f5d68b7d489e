"""What a take follows, frame by frame: rhythm, harmony, loudness; and the adapters that tell the model.

A prompt says what is kept, a control what is followed. Notebook: 14.
"""

from vampkit import lazily

_HOME = {
    "adapters": ("AdapterConfig", "Adapters", "Following"),
    "kinds": ("Control", "Harmony", "Loudness", "Rhythm"),  # the base too, so that all kinds are known where it is
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME, {"curves": "curves"})
