"""Covers for music: Muse in small. A caption paints a picture by the loop that writes music.

`paint_cover` paints by rule, `load_painter()` gives the models that learned from such covers. Notebook: 15.
"""

from vampkit import lazily

_HOME = {
    "captions": ("SLOTS", "WORDS", "Caption", "caption_of", "draw_captions", "read_caption"),
    "covers": ("MOTIFS", "paint_cover", "paint_covers"),
    "gallery": ("save_gallery",),
    "model": ("CoverModel", "Told"),
    "painter": ("FINE_PASSES", "PASSES", "Painter", "load_painter", "save_painter"),
    "reader": ("Reader", "agreement"),
    "tokenizer": ("Tokenizer", "blocks", "grid_of"),
}
"""For each module, the public names that it holds."""

__getattr__, __dir__, __all__ = lazily(__name__, _HOME)
