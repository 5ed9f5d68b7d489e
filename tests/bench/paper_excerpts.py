"""The excerpts of notebook 11: composed pieces and recordings that no model was trained on, and other tracks."""

from functools import cache

from tests.bench.bench_codec import real
from tests.bench.paper_training import COUNT, long_tracks, middle
from vampkit import music

HELD_OUT, OTHERS = 1_000_000, 1_001_000
"""First seeds of the composed excerpts, and of the composed pieces that stand for other tracks."""
MOST = 200
"""Excerpts there can be."""


@cache
def recordings(folder):
    """Recordings of one split, one of each artist in turn."""
    return real(folder, MOST // 4)


def piece(seed):
    """A composed piece of 10 s at -24 LUFS."""
    return music.render(music.compose(seed, genre="training", seconds=10.0)).at_loudness()


def excerpt(folder, number):
    """Kind, track and sound of an excerpt of 10 s at -24 LUFS: composed, valid, composed, test, and so on.

    So any first part of them is half composed, and its recordings come from both splits.
    """
    if number % 2 == 0:
        seed = HELD_OUT + number // 2
        return "composed", f"composed/{seed}", piece(seed)
    split = ("valid", "test")[number // 2 % 2]
    clip, name = recordings(folder / split)[number // 4]
    return split, f"{split}/{name}", clip


def other(folder, number):
    """An excerpt of another track: composed for even numbers, else the middle of a recording of the train split.

    They come after those which the rival models learned from, one of each artist in turn.
    """
    if number % 2 == 0:
        return piece(OTHERS + number // 2)
    return middle(long_tracks(folder / "train")[COUNT + number // 2], 10.0)
