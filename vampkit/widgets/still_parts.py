"""What pictures of widgets are made of: a sheet that is filled from above, and the controls on it.

In the page's light colours; `vampkit.widgets.still` puts whole widgets together.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np

WIDTH, MARGIN, LABELS = 900, 16, 96  # pixels; the labels stand left of sound and grid
GROUND, SOFT, LINE, EDGE = (255, 255, 255), (241, 244, 247), (211, 218, 226), (133, 146, 163)
INK, QUIET, ACCENT, WRONG = (30, 41, 59), (75, 90, 110), (11, 107, 109), (180, 35, 24)
HATCH, TINT = (15, 139, 141), (183, 220, 221)
COLOURS = 128  # of the palette
HIGH, GAP = 26, 8  # pixels of a control, and between two


@lru_cache(maxsize=8)
def font(size: int = 12, bold: bool = False):
    """The font that matplotlib brings along."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), size)


class Sheet:
    """A white sheet that is filled from above; `y` is where the next row begins."""

    def __init__(self):
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", (WIDTH, 3000), GROUND)
        self.pen, self.y = ImageDraw.Draw(self.image), MARGIN

    def text(self, x: float, y: float, text: str, colour=INK, size: int = 12, bold: bool = False, anchor="lm") -> float:
        """Write, and return where the text ends."""
        self.pen.text((x, y), text, colour, font(size, bold), anchor)
        return x + font(size, bold).getlength(text)

    def row(self, *controls, left: int = MARGIN) -> None:
        """Draw controls side by side; those that find no place go to the next line."""
        x = left
        for control in controls:
            if x > left and x + control.width > WIDTH - MARGIN:
                x, self.y = left, self.y + HIGH + 6
            control.draw(self, x)
            x += control.width + GAP
        self.y += HIGH + GAP

    def paste(self, pixels: np.ndarray, x: int) -> None:
        """Lay RGB pixels [height, width, 3] on the sheet, the next row below them."""
        from PIL import Image

        self.image.paste(Image.fromarray(pixels.astype(np.uint8)), (x, self.y))
        self.y += len(pixels)

    def png(self) -> bytes:
        """The sheet in a frame, as bytes."""
        from PIL import Image

        self.pen.rounded_rectangle((0, 0, WIDTH - 1, self.y + 5), 10, None, LINE)
        image = self.image.crop((0, 0, WIDTH, self.y + 6))
        file = io.BytesIO()
        image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        return file.getvalue()


class Button:
    """A button; a main or pressed one is filled, one that does nothing now is pale."""

    def __init__(self, text: str, on: bool = False, idle: bool = False):
        self.text, self.on, self.idle = text, on, idle
        self.width = font(12, on).getlength(text) + 14

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        fill, edge, colour = (ACCENT, ACCENT, GROUND) if self.on else (GROUND, EDGE, INK)
        if self.idle:
            edge, colour = LINE, EDGE
        sheet.pen.rounded_rectangle((x, sheet.y, x + self.width, sheet.y + HIGH), 5, fill, edge)
        sheet.text(x + self.width / 2, sheet.y + HIGH / 2, self.text, colour, bold=self.on, anchor="mm")


class Choice:
    """Buttons without a gap, one of them pressed."""

    def __init__(self, chosen: str, *words: str):
        self.buttons = [Button(word, word.lower() == chosen.lower()) for word in words]
        self.width = sum(button.width for button in self.buttons)

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        for button in self.buttons:
            button.draw(sheet, x)
            x += button.width


class Field:
    """A label and a framed value; `menu` adds a menu's arrow."""

    def __init__(self, label: str, value, menu: bool = False, width: float = 0):
        self.label, self.value, self.menu = label, "" if value is None else str(value), menu
        self.start = font().getlength(label) + 7 if label else 0
        self.box = max(font().getlength(self.value) + (34 if menu else 20), width, 40)
        self.width = self.start + self.box

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        middle, left, right = sheet.y + HIGH / 2, x + self.start, x + self.width
        sheet.text(x, middle, self.label, QUIET)
        sheet.pen.rounded_rectangle((left, sheet.y, right, sheet.y + HIGH), 5, GROUND, EDGE)
        sheet.text(left + 9, middle, self.value)
        if self.menu:
            sheet.pen.polygon([(right - 18, middle - 2), (right - 8, middle - 2), (right - 13, middle + 4)], QUIET)


class Words:
    """Text: quiet or strong, or a quiet name with a strong value."""

    def __init__(self, text: str, value: str = "", strong: bool = False, colour=None):
        self.text, self.value, self.strong, self.colour = text, value, strong, colour or (INK if strong else QUIET)
        self.start = font(12, strong).getlength(text) + (7 if value else 0)
        self.width = self.start + font(13, True).getlength(value) + (12 if value else 0)

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        sheet.text(x, sheet.y + HIGH / 2, self.text, self.colour, bold=self.strong)
        sheet.text(x + self.start, sheet.y + HIGH / 2, self.value, INK, 13, True)


class Check:
    """A box to tick, with its words."""

    def __init__(self, text: str, on: bool = False):
        self.words, self.on = Words(text), on
        self.width = self.words.width + 20

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        top = sheet.y + HIGH / 2 - 7
        sheet.pen.rounded_rectangle((x, top, x + 14, top + 14), 3, ACCENT if self.on else GROUND, EDGE)
        if self.on:
            sheet.pen.line([(x + 3, top + 7), (x + 6, top + 10), (x + 11, top + 3)], GROUND, 2)
        self.words.draw(sheet, x + 20)


class Slider:
    """A slider with its value in words behind it; without a colour a grey one with a white knob."""

    def __init__(self, part: float, text: str = "", width: float = 280, colour=None):
        self.part, self.words, self.track, self.colour = min(max(part, 0.0), 1.0), Words(text), width, colour
        self.width = width + 12 + self.words.width

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        middle, place = sheet.y + HIGH / 2, x + 8 + self.part * (self.track - 16)
        sheet.pen.rounded_rectangle((x, middle - 2, x + self.track, middle + 2), 2, LINE)
        if self.colour:
            sheet.pen.rounded_rectangle((x, middle - 2, place, middle + 2), 2, self.colour)
        sheet.pen.ellipse((place - 7, middle - 7, place + 7, middle + 7), self.colour or GROUND, EDGE)
        self.words.draw(sheet, x + self.track + 12)


class Swatch:
    """A colour of the grid and what it means."""

    def __init__(self, colour, text: str, hatched: bool = False):
        self.words = Words(text)
        self.pixels = np.broadcast_to(np.array(colour, float), (12, 16, 3)).copy()
        if hatched:
            self.pixels = hatched_over(self.pixels, np.ones((12, 16), bool))
        self.width = self.words.width + 22

    def draw(self, sheet: Sheet, x: float) -> None:
        """Draw it with its left edge at x."""
        from PIL import Image

        sheet.image.paste(Image.fromarray(self.pixels.astype(np.uint8)), (int(x), sheet.y + 7))
        sheet.pen.rectangle((int(x), sheet.y + 7, int(x) + 15, sheet.y + 18), None, EDGE)
        self.words.draw(sheet, x + 22)


def hatched_over(pixels: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Pixels [height, width, 3] with slanted lines where they are hidden."""
    y, x = np.indices(hidden.shape)
    lines = np.where(((x + y) % 7 < 2)[..., None], HATCH, TINT)
    return np.where(hidden[..., None], lines, pixels)
