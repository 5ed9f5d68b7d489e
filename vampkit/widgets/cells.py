"""Computations on the editor's grid: strokes, snapping, masks as text. geometry.js does the same in the page."""

from __future__ import annotations

import operator
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vampkit.codec import Tokens
from vampkit.masks import runs

_BLOCK = re.compile(r"\s*(\d+):(\d+)((?:\s+\d+:\d+)+)\s*")


def to_text(mask: np.ndarray) -> str:
    """Write a mask [K, T] as readable text, such as `0:4 10:20 30:40; 4:14 0:575`.

    This text hides frames 10 to 19 and 30 to 39 of codebooks 0 to 3, and frames 0 to 574 of codebooks 4 to 13. Ranges
    are as in Python: they count from 0, and the end is not included. Equal rows that follow each other are written
    once. A mask that hides nothing is "".
    """
    rows = [" ".join(f"{a}:{b}" for a, b in runs(row)) for row in mask]
    blocks, first = [], 0
    for row in range(1, len(rows) + 1):
        if row == len(rows) or rows[row] != rows[first]:
            if rows[first]:
                blocks.append(f"{first}:{row} {rows[first]}")
            first = row
    return "; ".join(blocks)


def from_text(text: str, codebooks: int, frames: int) -> np.ndarray:
    """Read a mask [codebooks, frames] from text. Raises ValueError for other text, or for ranges outside the grid."""
    mask = np.zeros((codebooks, frames), bool)
    for block in text.split(";") if text.strip() else []:
        found = _BLOCK.fullmatch(block)
        if not found:
            raise ValueError(
                f"{block.strip()!r} is no part of a mask, codebooks and frames such as '0:4 10:20 30:40' were expected"
            )
        top, bottom = int(found[1]), int(found[2])
        for span in found[3].split():
            first, end = (int(n) for n in span.split(":"))
            if not (0 <= top < bottom <= codebooks and 0 <= first < end <= frames):
                raise ValueError(
                    f"{block.strip()!r} leaves the grid, codebooks 0:{codebooks} and frames 0:{frames} were expected"
                )
            mask[top:bottom, first:end] = True
    return mask


def whole(name: str, value, low: int, high: int) -> int:
    """Check that a value is a whole number from low to high, and return it. Raises TypeError or ValueError."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, a whole number was expected") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise ValueError(f"{name} is {value!r}, a whole number from {low} to {high} was expected")
    return number


def span(name: str, given: tuple[int, int] | None, most: int) -> tuple[int, int]:
    """Check a range (first, end) inside 0 to `most`, end not included; None is all. Raises TypeError or ValueError."""
    first, end = (0, most) if given is None else given
    first, end = whole(f"the first of the {name}", first, 0, most - 1), whole(f"the end of the {name}", end, 1, most)
    if first >= end:
        raise ValueError(
            f"{name} {first} to {end} were given, an end after the first was expected (it is not included)"
        )
    return first, end


def line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The cells (codebook, frame) on the straight line from one cell to another, both included."""
    (r0, f0), (r1, f1) = start, end
    n = max(abs(r1 - r0), abs(f1 - f0))
    if n == 0:
        return [start]
    return [
        ((2 * (r0 * n + (r1 - r0) * i) + n) // (2 * n), (2 * (f0 * n + (f1 - f0) * i) + n) // (2 * n))
        for i in range(n + 1)
    ]


def stroke(codebooks: int, frames: int, path: Sequence[tuple[int, int]], width: int = 1, height: int = 1) -> np.ndarray:
    """The cells that a brush of `width` frames and `height` codebooks covers, bool [codebooks, frames].

    path: cells (codebook, frame) in the order of the stroke; the brush moves in straight lines between them. If the
    width (or height) is even, the brush covers one cell more after the path than before. Raises ValueError for an empty
    path.
    """
    if not len(path):
        raise ValueError("the path of the stroke is empty, at least one cell (codebook, frame) was expected")
    # Cells outside the grid are not painted. Points far outside are moved closer, since long lines take long.
    far = frames + codebooks
    points = [(min(max(operator.index(r), -far), 2 * far), min(max(operator.index(f), -far), 2 * far)) for r, f in path]
    cells = np.zeros((codebooks, frames), bool)
    up, left = (height - 1) // 2, (width - 1) // 2
    way = points[:1] + [cell for a, b in pairwise(points) for cell in line(a, b)[1:]]
    for row, frame in dict.fromkeys(way):
        cells[max(0, row - up) : max(0, row - up + height), max(0, frame - left) : max(0, frame - left + width)] = True
    return cells


def segment(points: Sequence[int], frame: int) -> tuple[int, int]:
    """The two neighbouring points that a frame lies between.

    points: sorted frames. The first is 0, the last is the number of frames.
    """
    place = min(max(bisect_right(points, frame), 1), len(points) - 1)
    return points[place - 1], points[place]


def nearest(points: Sequence[int], frame: int) -> int:
    """The point nearest to a frame; if two are equally near, the earlier one."""
    before, after = segment(points, frame)
    return before if frame - before <= after - frame else after


def snap_range(points: Sequence[int], first: int, end: int) -> tuple[int, int]:
    """Move both ends of a range of frames to the nearest points.

    If that would make the range empty, the range between the two points around it is used.
    """
    a, b = nearest(points, first), nearest(points, end)
    return (a, b) if a < b else segment(points, first)


def first_of(tokens: Tokens) -> Tokens:
    """The tokens of one sound. From a batch the first item is taken."""
    return tokens if tokens.codes.ndim == 2 else tokens.replace(codes=tokens.codes[0], gains=tokens.gains[:1])
