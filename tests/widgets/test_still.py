"""Pictures of whole widgets: as wide as a page, small, and drawn anew from what the widget holds."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.widgets.test_panel import PlainVamp as PanelVamp
from tests.widgets.test_studio import PlainModels, PlainVamp
from vampkit.prompts import Periodic
from vampkit.sampling import Settings
from vampkit.widgets import MaskEditor, MaskModel, SamplerScrubber, VampPanel, VampStudio, still, still_parts
from vampkit.widgets.panel_model import offered

MOST = 120_000


def pixels(png: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(png))
    assert image.mode == "P" and image.width == still.WIDTH and len(png) < MOST
    return np.asarray(image.convert("RGB"))


def share(png: bytes, colour) -> float:
    """The part of a picture that has a colour, nearly."""
    return float((np.abs(pixels(png).astype(int) - np.array(colour)) < 8).all(-1).mean())


@pytest.fixture
def made(small_codec, tone):
    """Makes a widget of a kind over a short tone, and closes it at the end."""
    clip, opened = tone.excerpt(0, 0.5), []
    kinds = {
        "editor": lambda: MaskEditor(small_codec.encode(clip), clip),
        "blank": lambda: MaskEditor((6, 40)),
        "panel": lambda: VampPanel(PanelVamp(small_codec), clip, passes=2, beats=(0.1, 0.3)),
        "studio": lambda: VampStudio(PlainVamp(small_codec), clip, preset="sketch"),
        "scrubber": lambda: SamplerScrubber(PlainModels(small_codec), clip, Periodic(4), settings=Settings(passes=3)),
    }

    def make(kind):
        opened.append(kinds[kind]())
        return opened[-1]

    yield make
    for widget in opened:
        widget.close()


@pytest.mark.parametrize("kind", ["editor", "blank", "panel", "studio", "scrubber"])
def test_every_widget_carries_a_small_wide_picture_of_itself(made, kind):
    bundle = made(kind)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    picture = pixels(base64.b64decode(data["image/png"]))
    assert 250 < len(picture) < 1000 and (picture[12:-12, -12:-4] == 255).all(), "nothing sticks out at the side"
    assert "application/vnd.jupyter.widget-view+json" in data and data["text/plain"]


def test_hidden_cells_are_hatched_and_what_was_said_is_shown(made):
    editor = made("editor")
    kept = still.editor(editor)
    editor.rectangle(frames=(0, editor.model.frames // 2))
    half = still.editor(editor)
    editor.fill()
    assert (
        share(kept, still_parts.TINT)
        < 0.01
        < 0.1
        < share(half, still_parts.TINT)
        < 0.6 * share(still.editor(editor), still_parts.TINT)
    )
    before = share(half, still.WRONG)
    with pytest.raises(ValueError):
        editor.stamp("nonsense")
    assert share(still.editor(editor), still.WRONG) > before


def test_the_studio_lists_its_takes_and_the_scrubber_its_pass(made):
    studio, scrubber = made("studio"), made("scrubber")
    rows = [len(pixels(still.studio(studio)))]
    studio.stamp("periodic:3")
    for _ in range(2):
        studio.generate(wait=True)
        rows.append(len(pixels(still.studio(studio))))
    assert rows[2] - rows[1] == rows[1] - rows[0] > 20
    views = set()
    for scrubber.view in ("tokens", "confidence", "entropy"):
        for place in (1, 3):
            scrubber.go(place)
            views.add(still.scrubber(scrubber))
    assert len(views) >= 5
    scrubber.view = "tokens"
    assert share(still.scrubber(scrubber), still_parts.TINT) < 0.02, "after the last pass nothing is hidden"


def test_the_studio_shows_the_lanes_that_are_on(made):
    studio = made("studio")
    rows = [len(pixels(still.studio(studio)))]
    for word in ("rhythm", "harmony", "loudness"):
        studio.take_from(word)
        rows.append(len(pixels(still.studio(studio))))
    assert min(np.diff(rows)) >= still.LANE
    studio.lanes.switch("harmony", False)
    assert len(pixels(still.studio(studio))) == rows[2]
    studio.lanes.clear("rhythm").clear("loudness")
    assert len(pixels(still.studio(studio))) == rows[0]
    empty = share(still.studio(studio), still.ACCENT)
    studio.lanes.draw("loudness", [(0, 2), (studio.model.frames - 1, 2)])
    full = [low + (high - low) * 0.6 for low, high in zip(still.SOFT, still.ACCENT, strict=True)]
    assert share(still.studio(studio), full) > 0.03 + empty


def test_the_panel_is_drawn_for_every_prompt(made):
    panel = made("panel")
    for kind in offered():
        panel.set(prompt=kind)
        assert len(pixels(still.panel(panel.model))) > 300


@pytest.mark.parametrize("shape", [(1, 1), (5, 3000), (100, 20)])
def test_grids_of_any_size_are_drawn(shape):
    editor = MaskEditor(MaskModel(*shape))
    editor.model.lock(0)
    pixels(still.editor(editor))
    editor.close()
