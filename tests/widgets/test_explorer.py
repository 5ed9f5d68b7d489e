"""Explorer and Prediction: controls by code and by hand, what is shown, and their pages without a kernel."""

import base64
import io
import re
from xml.etree import ElementTree

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from vampkit import show
from vampkit.widgets import Explorer, Prediction


def pages(widget):
    """Everything that the widget's output holds, as HTML or text."""
    return [output["data"] for output in widget._view.outputs]


def make():
    def draw(period=7, invert=False, kind="line"):
        print(f"{kind} {period}")
        return show.curves({"a": ([0, 1], [0, period])}, "x", "y", f"period {period}, {invert}")

    return Explorer(draw, period=range(1, 33), invert=(False, True), kind=("line", "dots"))


def test_set_moves_the_control_and_draws():
    explorer = make()
    assert explorer.values == {"period": 7, "invert": False, "kind": "line"}
    figure = explorer.set(period=9, kind="dots")
    assert figure.layout.title.text == "period 9, False" and explorer.printed == "dots 9"
    assert explorer.controls["period"].value == 9 and explorer.controls["kind"].value == "dots"
    assert "application/vnd.plotly.v1+json" in pages(explorer)[0]
    assert "dots 9" in explorer._message.value
    assert repr(explorer) == "Explorer: period 9, invert False, kind dots\ndots 9\nperiod 9, False"


def test_a_moved_control_draws_once():
    seen = []
    explorer = Explorer(lambda a=1, b=2: seen.append((a, b)), a=(1, 2), b=(2, 3))
    assert isinstance(explorer.controls["a"], ipywidgets.SelectionSlider)
    explorer.controls["b"].value = 3
    assert seen == [(1, 2), (1, 3)] and explorer.values == {"a": 1, "b": 3}


def test_wrong_values_are_refused_and_change_nothing():
    explorer = make()
    with pytest.raises(ValueError, match="'colour' has no control, one of period, invert, kind was expected"):
        explorer.set(colour=1)
    with pytest.raises(ValueError, match="period was 40, one of these was expected: 1, 2"):
        explorer.set(period=40)
    with pytest.raises(ValueError, match="give each of its arguments a list of values"):
        Explorer(lambda a=1, b=2: None, a=(1, 2))
    assert explorer.values["period"] == 7


def test_an_error_after_a_moved_control_is_shown():
    explorer = Explorer(lambda divisor=1: str(1 / divisor), divisor=(0, 1))
    explorer.controls["divisor"].value = 0
    assert "Error" in explorer._message.value and "division by zero" in explorer._message.value
    assert explorer.values == {"divisor": 1}


def test_page_shows_controls_and_result():
    shown = make()._repr_mimebundle_()
    assert "text/html" not in shown
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    assert picture.width == 900 and picture.height > 320 and len(picture.getcolors()) > 10
    page = Explorer(lambda kind="a": f"word {kind}", kind=("a", "b"))._repr_mimebundle_()
    assert 'alt="Controls: Kind a"' in page["text/html"] and "<p>word a</p>" in page["text/html"]
    assert not re.search(r"<script|https?://", page["text/html"])
    assert "Explorer: kind a" in ElementTree.fromstring(page["image/svg+xml"])[1].text


@pytest.mark.parametrize("choices", [(), ("tune", "pulse")])
def test_the_result_comes_after_the_answer(choices):
    figure = show.curves({"a": ([0, 1], [0, 1])}, "x", "y", "gain")
    asked = Prediction("Which goes <first>?", "The tune goes first.", figure, choices=choices)
    assert pages(asked) == [] and asked.given is None
    if choices:
        asked._buttons["pulse"].click()
    else:
        asked._field.value = "pulse"
    assert asked.given == "pulse" and "pulse" in asked._said.value
    assert pages(asked)[0]["text/html"] == "<p>The tune goes first.</p>"
    assert "application/vnd.plotly.v1+json" in pages(asked)[1]
    assert asked.answer("tune") == "The tune goes first." and asked.given == "tune"


def test_the_result_can_be_seen_without_an_answer():
    asked = Prediction("How many?", "Three.")
    asked._skip.click()
    assert asked.given == "" and asked._said.value == '<div role="status"></div>' and len(pages(asked)) == 1


def test_the_page_folds_the_result():
    bundle = Prediction("Which <one>?", "This one.", choices=("this", "that"))._repr_mimebundle_()
    page = bundle["text/html"]
    asked = [t.text for t in ElementTree.fromstring(bundle["image/svg+xml"])[1:]]
    assert asked == ["Predict. Which <one>?", "this · that"]
    assert page.index("Which &lt;one&gt;?") < page.index("<details><summary>") < page.index("This one.")


@pytest.mark.parametrize("made", [make, lambda: Prediction("a?", "b.", choices=("x", "y"))])
def test_close_frees_all_widgets(made):
    count = len(ipywidgets.widgets.widget._instances)
    widget = made()
    widget.close()
    widget.close()
    assert len(ipywidgets.widgets.widget._instances) == count
    with pytest.raises(ValueError, match="was closed"):
        widget._repr_mimebundle_()


def test_a_sheet_of_pictures_is_shown_and_drawn():
    pictures = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    explorer = Explorer(lambda zoom=2: show.sheet(pictures, title="Dark", zoom=zoom), zoom=(1, 2, 3))
    assert set(pages(explorer)[0]) == {"text/plain", "image/png"}
    assert repr(explorer) == "Explorer: zoom 2\nDark (2)"
    still = Image.open(io.BytesIO(base64.b64decode(explorer._still()["image/png"])))
    assert still.height > Image.open(io.BytesIO(explorer.shown[0].png())).height
    page = Prediction("What?", "Dark.", explorer.shown[0])._still()["text/html"]
    assert 'alt="Dark (2)"' in page
