"""Probes: what a masked model knows about music.

Hidden states and attention are read by hooks, small readers are trained on them, and a reader's direction steers.

Names are loaded on first use. Notebook: 13.
"""

from vampkit import lazily

_HOME = {
    "features": ("Heard", "around", "hear", "pooled", "smoothed", "tempogram"),
    "probe": ("Probe", "check_split", "linked", "skill", "split", "train_probe"),
    "questions": ("PLAYERS", "QUESTIONS", "Question", "truth"),
    "states": ("attention", "hidden_share", "hidden_states", "layers_of", "steered", "untrained"),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
