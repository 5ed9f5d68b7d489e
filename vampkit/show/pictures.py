"""Small still pictures as bytes: spectrogram as WebP, mask and codes as PNG, the waveform as an SVG path."""

from __future__ import annotations

import base64
import io

import numpy as np

from vampkit.show.spectra import RANGE, Spectrum, entry_colour_index, entry_colours

ACCENT = (15, 139, 141)  # a teal that can be seen on white and on black


def uri(data: bytes, kind: str) -> str:
    """Bytes as a data URI; `kind` is a MIME type such as "image/png"."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _png(image, **settings) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True, **settings)
    return file.getvalue()


def _palette(name: str, count: int) -> list[int]:
    from matplotlib import colormaps

    return (colormaps[name](np.linspace(0, 1, count))[:, :3] * 255).round().astype(int).ravel().tolist()


def spectrogram_webp(spectrum: Spectrum, low: int) -> bytes:
    """Draw a spectrum as a WebP picture, high frequencies on top. Colours range from `low` to `low` + 80 dB.

    Here WebP takes a third of the bytes of PNG, and all browsers can show it.
    """
    from PIL import Image

    scaled = np.clip((spectrum.db.astype(float) - low) / RANGE, 0, 1) * 255
    colours = np.array(_palette("magma", 256), dtype=np.uint8).reshape(256, 3)
    file = io.BytesIO()
    Image.fromarray(colours[scaled.round().astype(np.uint8)[::-1]]).save(file, format="WEBP", quality=55, method=6)
    return file.getvalue()


def hatch(mask: np.ndarray, width: int = 2, height: int = 10) -> np.ndarray:
    """Draw a mask [K, T] as pixels, uint8 [K * height, T * width]: 0 kept, 1 hidden, 2 hidden and on a slanted line.

    With the lines, hidden cells can be recognized without colour.
    """
    cells = np.kron(mask, np.ones((height, width), dtype=np.uint8)).astype(np.uint8)
    y, x = np.indices(cells.shape)
    cells[(cells == 1) & ((x + y) % 7 < 2)] = 2
    cells[height - 1 :: height] = 0  # a gap between the rows
    return cells


def mask_png(mask: np.ndarray) -> bytes:
    """Draw a mask [K, T] as a PNG with transparent background: codebook 1 on top, hidden cells filled and hatched."""
    from PIL import Image

    image = Image.fromarray(hatch(mask), "P")
    image.putpalette([*(0, 0, 0), *ACCENT, *(int(c * 0.45) for c in ACCENT)])
    return _png(image, transparency=bytes([0, 255, 255]))


def codes_png(codes: np.ndarray) -> bytes:
    """Codes [K, T] as a PNG, codebook 1 on top; colours are names of entries, as in `tokens`."""
    from PIL import Image

    image = Image.fromarray(entry_colour_index(codes), "P")
    image.putpalette(entry_colours().ravel().tolist())
    return _png(image)


def figure_png(figure) -> bytes:
    """A figure of matplotlib as a PNG of at most 64 colours; the same figure gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    return _png(drawn.quantize(64, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))


def wave_path(low: np.ndarray, high: np.ndarray, full: float) -> str:
    """Draw the outline of a waveform as an SVG path in a box of columns x 100. full: sample value at the edge."""
    scale = 48 / max(full, 1e-9)
    top = np.round(50 - high * scale).astype(int)
    bottom = np.round(50 - low * scale + 0.6).astype(int)[::-1]
    y, count = np.concatenate([top, bottom]), len(top)
    x = np.concatenate([np.arange(count), np.arange(count)[::-1]])
    # Steps from point to point are shorter as text than places; a minus sign needs no space before it.
    steps = "".join(f"{dx:d} {dy:d} " for dx, dy in zip(np.diff(x), np.diff(y), strict=True))
    return f"M{x[0]} {y[0]}l" + steps.replace(" -", "-").rstrip() + "z"
