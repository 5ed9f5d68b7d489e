"""A cell run again frees the widgets it made before, and no notebook closes what it shows."""

import gc
import json
import re
import weakref
from pathlib import Path
from types import SimpleNamespace

import ipywidgets
import pytest

from tests.widgets.test_panel import PlainVamp as PanelVamp
from tests.widgets.test_studio import PlainVamp
from vampkit.widgets import MaskEditor, VampPanel, VampStudio, base

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def run_cell(monkeypatch):
    """Run a function as a notebook's cell would: its result is kept by IPython."""
    shell = SimpleNamespace(user_ns={"_oh": {}}, get_parent=lambda: {})
    monkeypatch.setattr(base, "get_ipython", lambda: shell)
    monkeypatch.setattr(base, "_MADE", {})
    runs = iter(range(1, 100))

    def run(cell, make):
        number = next(runs)
        metadata = {} if cell is None else {"cellId": cell}
        shell.get_parent = lambda: {"header": {"msg_id": str(number)}, "metadata": metadata}
        made = make()
        shell.user_ns |= {"_": made, f"_{number}": made}
        shell.user_ns["_oh"][number] = made
        return weakref.ref(made)

    yield run
    shell.user_ns.clear()


@pytest.mark.parametrize("kind", ["editor", "panel", "studio"])
def test_a_cell_run_again_frees_what_it_made_before(kind, run_cell, small_codec, tone):
    clip = tone.excerpt(0, 0.5)

    def make():
        if kind == "editor":
            return MaskEditor((6, 40))
        if kind == "panel":
            widget = VampPanel(PanelVamp(small_codec), clip, passes=2)
            widget.generate()
            return widget
        widget = VampStudio(PlainVamp(small_codec), clip, preset="sketch")
        widget.stamp("periodic:3")
        widget.generate(wait=True)
        return widget

    open_widgets = ipywidgets.widgets.widget._instances
    first = run_cell("a", make)
    count = len(open_widgets)
    for _ in range(3):
        last = run_cell("a", make)
    gc.collect()
    assert first() is None and len(open_widgets) == count and not last()._closed
    last().close()


def test_widgets_of_one_run_of_other_cells_and_of_callbacks_stay(run_cell):
    def two():
        both.extend([MaskEditor((2, 4)), MaskEditor((2, 4))])
        return both[-1]

    both = []
    run_cell("a", two)
    other, loose = run_cell("b", lambda: MaskEditor((2, 4))), run_cell(None, lambda: MaskEditor((2, 4)))
    run_cell(None, lambda: MaskEditor((2, 4)))().close()
    assert not any(w._closed for w in (*both, other(), loose()))
    run_cell("a", two)
    assert [w._closed for w in both] == [True, True, False, False] and not other()._closed
    for widget in (*both, other(), loose()):
        widget.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_closes_a_widget(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        code = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
        assert not re.search(r"(panel|editor|studio|scrubber|widget)\w*\.close\(", code), code
