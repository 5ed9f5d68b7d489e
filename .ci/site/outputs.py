"""What a page shows of a notebook's outputs: sound with its player, pictures with a text in their place."""

from __future__ import annotations

import base64
import html
import re

PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"
RUNNING = "A picture of the controls. They work where the notebook runs."


def for_page(output: dict) -> dict:
    """One output in the one form that a page without a kernel shows.

    Players and predictions bring HTML of their own; a figure or a widget becomes its picture, with a text in its place.
    """
    data = output.get("data")
    if not data:
        return output
    text = {kind: joined(value) for kind, value in data.items() if isinstance(value, (str, list))}
    if "text/html" in text:
        shown = {"text/html": text["text/html"]}
    elif "image/png" in text:
        shown = {"text/html": picture(text["image/png"], in_words(data), RUNNING if WIDGET in data else "")}
    elif "image/svg+xml" in text:
        encoded = base64.b64encode(text["image/svg+xml"].encode()).decode()
        shown = {"text/html": picture(encoded, in_words(data), kind="image/svg+xml")}
    else:
        shown = {"text/plain": text["text/plain"]}
    return output | {"data": shown, "metadata": {}}


def joined(text: str | list) -> str:
    """Text of a notebook file, where it may be a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def picture(data: str, words: str, below: str = "", kind: str = "image/png") -> str:
    """A picture in HTML; `below` is a sentence under it."""
    source = f"data:{kind};base64,{''.join(data.split())}"
    image = f'<img class="vk-figure" loading="lazy" alt="{html.escape(words, quote=True)}" src="{source}">'
    note = f"<figcaption>{html.escape(below)}</figcaption>" if below else ""
    return f'<figure class="vk-shown">{image}{note}</figure>'


def in_words(data: dict) -> str:
    """What a picture shows, for readers who do not see it: title and axes of a figure, what others print."""
    if PLOTLY not in data:
        return plain(joined(data.get("text/plain", "picture")))
    layout = data[PLOTLY]["layout"]
    axes = {"x": [], "y": []}
    for name, settings in layout.items():
        if match := re.fullmatch(r"([xy])axis\d*", name):
            axes[match[1]].append(plain(title(settings)))
    parts = [plain(title(layout)) or "Figure"]
    for side, names in axes.items():
        if named := ", ".join(dict.fromkeys(filter(None, names))):
            parts.append(f"{side} axis: {named}")
    return ". ".join(part.rstrip(".") for part in parts) + "."


def title(settings: dict) -> str:
    """The title of a figure or of an axis; plotly writes it as a text, or as a dict."""
    found = settings.get("title") or ""
    return found if isinstance(found, str) else found.get("text") or ""


def plain(text: str) -> str:
    """Text without tags and line breaks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
