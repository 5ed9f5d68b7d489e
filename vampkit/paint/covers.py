"""The painter of true covers: a caption and a seed make a picture of 32 x 32 pixels, by rules that are all known.

A plate stands on a striped ground. The motif on it is the genre, its size the energy. The ground's colour is the tonic,
with neighbours in the circle of fifths as neighbours in the circle of colours; it is light in major and dark in minor.
The tempo says how close the stripes are. What no word says is drawn by the seed: the direction of the stripes, and
whether the plate stands left, right or in the middle.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from vampkit.paint.captions import ENERGIES, SLOTS, TEMPI, TONICS, Caption

SIDE = 32
PERIODS = dict(zip(TEMPI, (8, 4, 2), strict=True))
"""Pixels from stripe to stripe. The first stripe begins at the edge: where broad ones began by chance, tokens of 4 x 4
pixels that were drawn at once did not agree where."""
RADII = dict(zip(ENERGIES, (6, 9, 12), strict=True))
"""Half the size of the motif, in pixels."""
PLATE, INK = (246, 240, 222), (32, 28, 44)
"""Colours of the plate and of the motif."""
SHADES = {"major": ((0.42, 0.98), (0.62, 0.84)), "minor": ((0.72, 0.54), (0.80, 0.36))}
"""Saturation and value of the two kinds of stripes."""
EDGE, SHIFT = 4, 4
"""Pixels above and below the plate, and how far it may stand off the middle, left or right."""

Grid = np.ndarray
Motif = Callable[[Grid, Grid], Grid]


def _heart(x: Grid, y: Grid) -> Grid:
    lobes = (np.abs(x) - 0.45) ** 2 + (y + 0.35) ** 2 < 0.55**2
    return lobes | ((y > -0.4) & (np.abs(x) < 0.95 * (0.95 - y) / 1.25))


def _bolt(x: Grid, y: Grid) -> Grid:
    upper = (y <= 0.1) & (np.abs(x + 0.25 + 0.55 * y) < 0.34)
    return upper | ((y > -0.15) & (np.abs(x - 0.25 + 0.55 * y) < 0.36 * (1.1 - y)))


def _house(x: Grid, y: Grid) -> Grid:
    walls = (np.abs(x) < 0.7) & (y > -0.15) & ~((np.abs(x) < 0.22) & (y > 0.35))
    return walls | ((y <= -0.15) & (np.abs(x) < (y + 1) * 1.2))


def _drop(x: Grid, y: Grid) -> Grid:
    return (x**2 + (y - 0.35) ** 2 < 0.62**2) | ((y < 0.35) & (np.abs(x) < 0.5 * (y + 1)))


def _star(x: Grid, y: Grid) -> Grid:
    angle, radius = np.arctan2(x, -y), np.hypot(x, y)
    turn = np.abs((angle + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    return radius * np.cos(turn - 2 * np.pi / 5) < 0.36


def _note(x: Grid, y: Grid) -> Grid:
    head = ((x + 0.3) / 0.5) ** 2 + ((y - 0.65) / 0.36) ** 2 < 1
    stem = (np.abs(x - 0.14) < 0.13) & (np.abs(y + 0.15) < 0.83)
    return head | stem | ((x > 0.1) & (x < 0.8) & (np.abs(y + 0.98 - 0.75 * x) < 0.26))


def _flower(x: Grid, y: Grid) -> Grid:
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    return (radius < 0.35 + 0.65 * np.abs(np.cos(2 * angle)) ** 1.5) & (radius > 0.2)


def _tree(x: Grid, y: Grid) -> Grid:
    crown = ((y < -0.1) & (np.abs(x) < 0.65 * (y + 1))) | ((y >= -0.35) & (y < 0.55) & (np.abs(x) < 0.85 * (y + 0.6)))
    return crown | ((np.abs(x) < 0.17) & (y > 0))


MOTIFS: dict[str, Motif] = {
    "pop": _heart,
    "rock": _bolt,
    "house": _house,
    "bossa": lambda x, y: np.hypot(x, y) < 0.9,
    "waltz": lambda x, y: (y < 0.75) & (np.abs(x) < 0.6 * (y + 0.95)),
    "blues": _drop,
    "funk": _star,
    "reggae": lambda x, y: np.abs(x) + np.abs(y) < 1,
    "drum and bass": lambda x, y: (np.hypot(x, y) < 0.95) & (np.hypot(x, y) > 0.5),
    "hip-hop": lambda x, y: (np.minimum(np.abs(x - y), np.abs(x + y)) < 0.42) & (np.maximum(abs(x), abs(y)) < 0.9),
    "ambient": lambda x, y: (np.hypot(x, y) < 0.95) & (np.hypot(x - 0.45, y) > 0.75),
    "jazz": _note,
    "minimal": lambda x, y: np.maximum(np.abs(x), np.abs(y)) < 0.75,
    "salsa": _flower,
    "baroque": lambda x, y: (np.abs(y) < 0.9) & (np.abs(x) < 0.16 + 0.8 * np.abs(y)),
    "folk": _tree,
}
"""For each genre whether a point belongs to its motif; x and y run from -1 to 1, y downwards."""


def colours(caption: Caption) -> Float[np.ndarray, "2 3"]:
    """Compute the colours of the two kinds of stripes, 0 to 1. The caption names tonic and mode."""
    hue = 7 * TONICS.index(caption.tonic) % len(TONICS) / len(TONICS)
    return np.array([colorsys.hsv_to_rgb(hue, *shade) for shade in SHADES[caption.mode]])


def paint_cover(caption: Caption, seed: int) -> UInt8[np.ndarray, "32 32 3"]:
    """Paint the cover that a caption asks for.

    Notebook: 15

    Parameters
    ----------
    caption : Caption
        What is said. Words that are left unsaid are drawn by the seed.
    seed : int
        Draws what the caption does not say.

    Returns
    -------
    ndarray
        uint8 [32, 32, 3]: rows from the top, columns from the left, red, green and blue.
    """
    rng = np.random.default_rng(seed)
    drawn = {slot: str(rng.choice(words)) for slot, words in SLOTS.items()}
    caption = Caption(**{slot: getattr(caption, slot) or word for slot, word in drawn.items()})
    period = PERIODS[caption.tempo]
    stripe = np.broadcast_to(np.arange(SIDE) % period < period // 2, (SIDE, SIDE))
    if rng.random() < 0.5:
        stripe = stripe.T
    picture = (255 * colours(caption)).round().astype(np.uint8)[stripe.astype(int)]
    shift = SHIFT * int(rng.integers(-1, 2))
    y, x = np.indices((SIDE, SIDE)) - SIDE / 2 + 0.5 - np.array([0, shift])[:, None, None]
    picture[np.maximum(np.abs(x), np.abs(y)) < SIDE / 2 - EDGE] = PLATE
    x, y = x / RADII[caption.energy], y / RADII[caption.energy]
    picture[MOTIFS[caption.genre](x, y) & (np.maximum(np.abs(x), np.abs(y)) < 1)] = INK
    return picture


def paint_covers(captions: Sequence[Caption], seeds: Sequence[int]) -> UInt8[np.ndarray, "covers 32 32 3"]:
    """Paint one cover for each caption and seed.

    Notebook: 15

    Parameters
    ----------
    captions : sequence of Caption
        What each cover is to show.
    seeds : sequence of int
        As many seeds.

    Returns
    -------
    ndarray
        uint8 [covers, 32, 32, 3].
    """
    return np.stack([paint_cover(caption, seed) for caption, seed in zip(captions, seeds, strict=True)])
