"""A gallery: takes with their covers as one page that needs neither network nor scripts."""

from __future__ import annotations

import html
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from vampkit.audio import Clip
from vampkit.files.texts import write_text
from vampkit.show.pictures import uri
from vampkit.show.player import to_mp3

STYLE = """
body{font-family:sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#1b1a20}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1.5rem}
figure{margin:0;border:1px solid #ccc;border-radius:.5rem;padding:.75rem}
img{width:100%;image-rendering:pixelated;border-radius:.25rem}
figcaption{margin:.5rem 0;min-height:2.6em}
audio{width:100%}
@media(prefers-color-scheme:dark){body{background:#17161b;color:#eee}figure{border-color:#444}}
"""


def save_gallery(
    covers: UInt8[np.ndarray, "covers rows columns 3"],
    clips: Sequence[Clip],
    captions: Sequence[str],
    path: str | os.PathLike,
    title: str = "Takes and their covers",
) -> Path:
    """Write takes and their covers as one HTML page, sounds and pictures inside it.

    Notebook: 15

    Parameters
    ----------
    covers : UInt8[ndarray, "covers rows columns 3"]
        A picture for each take.
    clips : sequence of Clip
        The sounds.
    captions : sequence of str
        What stands under each cover.
    path : str or PathLike
        The .html file.
    title : str
        Heading of the page.

    Returns
    -------
    Path
        The file. It works without network and without scripts.

    Raises
    ------
    ValueError
        If covers, clips and captions are not equally many.
    """
    if not len(covers) == len(clips) == len(captions):
        raise ValueError(
            f"{len(covers)} covers, {len(clips)} clips and {len(captions)} captions were given, "
            "equally many were expected"
        )
    figures = []
    for cover, clip, caption in zip(covers, clips, captions, strict=True):
        said = html.escape(str(caption), quote=True)
        figures.append(
            f'<figure><img alt="cover: {said}" src="{uri(_png(cover), "image/png")}"><figcaption>{said}</figcaption>'
            f'<audio controls aria-label="{said}" src="{uri(to_mp3(clip), "audio/mpeg")}"></audio></figure>'
        )
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1><main>{''.join(figures)}</main></body></html>"
    )
    return write_text(path, page)


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return file.getvalue()
