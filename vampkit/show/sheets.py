"""A sheet of small pictures with a label under each, as one PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

WIDTH = 720
"""Pixels of a sheet, as of the stills of figures."""
GAP, LINE = 10, 15


class Sheet:
    """Small pictures in rows, a label under each. It shows as a PNG, and prints as its title and labels.

    Parameters
    ----------
    pictures : UInt8[ndarray, "pictures rows columns 3"]
        Pictures, red, green and blue.
    labels : sequence of str
        One for each picture, or none at all. A line break makes a second line.
    columns : int
        Pictures in a row.
    title : str
        Written above.
    zoom : int
        Pixels of the screen for each pixel of a picture, along each axis.

    Raises
    ------
    ValueError
        If there are no pictures, as many labels as pictures are not given, or a row is wider than a page.
    """

    def __init__(
        self,
        pictures: UInt8[np.ndarray, "pictures rows columns 3"],
        labels: Sequence[str] = (),
        columns: int = 8,
        title: str = "",
        zoom: int = 2,
    ):
        self.pictures, self.labels, self.title = np.asarray(pictures), tuple(map(str, labels)), title
        self.columns, self.zoom = columns, zoom
        if not len(self.pictures) or len(self.labels) not in (0, len(self.pictures)):
            raise ValueError(
                f"{len(self.pictures)} pictures and {len(self.labels)} labels were given, "
                "at least one picture and a label for each or for none was expected"
            )
        needed = columns * (self.pictures.shape[2] * zoom + GAP) + GAP
        if needed > WIDTH:
            raise ValueError(
                f"{columns} pictures in a row take {needed} pixels, at most {WIDTH} were expected; "
                "lower columns or zoom"
            )

    def __repr__(self) -> str:
        shown = ", ".join(" ".join(label.split()) for label in self.labels)
        return f"{self.title or 'Pictures'} ({len(self.pictures)}{': ' if shown else ''}{shown})"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/png": base64.b64encode(self.png()).decode("ascii")}

    def png(self) -> bytes:
        """Draw the sheet.

        Returns
        -------
        bytes
            A PNG, 720 pixels wide.
        """
        from matplotlib import get_data_path
        from PIL import Image, ImageDraw, ImageFont

        face = str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
        font, heading = ImageFont.truetype(face, 10), ImageFont.truetype(face, 14)
        high, wide = (self.zoom * side for side in self.pictures.shape[1:3])
        step = high + GAP + LINE * max((label.count("\n") + 1 for label in self.labels), default=0)
        top = 30 if self.title else GAP
        image = Image.new("RGB", (WIDTH, top + step * -(-len(self.pictures) // self.columns)), "white")
        pen = ImageDraw.Draw(image)
        pen.text((GAP, 7), self.title, "black", heading)
        for i, picture in enumerate(self.pictures):
            row, column = divmod(i, self.columns)
            x, y = GAP + column * (wide + GAP), top + row * step
            image.paste(Image.fromarray(picture).resize((wide, high), Image.Resampling.NEAREST), (x, y))
            if self.labels:
                pen.multiline_text((x, y + high + 1), self.labels[i], "black", font, spacing=2)
        file = io.BytesIO()
        few = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(file, "PNG", optimize=True)
        return file.getvalue()


def sheet(pictures, labels=(), columns: int = 8, title: str = "", zoom: int = 2) -> Sheet:
    """Lay small pictures out on a sheet.

    Notebook: 15

    Parameters
    ----------
    pictures : ndarray
        uint8 [pictures, rows, columns, 3].
    labels : sequence of str
        One for each picture, or none at all. A line break makes a second line.
    columns : int
        Pictures in a row.
    title : str
        Written above.
    zoom : int
        Pixels of the screen for each pixel of a picture, along each axis.

    Returns
    -------
    Sheet
        It shows as a PNG in a cell.

    Raises
    ------
    ValueError
        See `Sheet`.
    """
    return Sheet(pictures, labels, columns, title, zoom)
