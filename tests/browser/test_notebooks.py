"""Every notebook in a fresh JupyterLab: Run All, and then each widget, player and figure is on screen and answers."""

import shutil
from pathlib import Path

import nbformat
import pytest

from tests.browser.lab import LIMIT, LONG, Notebook, chromium, position, serve, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(LIMIT + LONG + 120)]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
OWNER = """
def _owner(model_id):
    import ipywidgets
    widget = ipywidgets.widgets.widget._instances[model_id]
    from vampkit.widgets import base
    made = [held for _, held_by_cell in base._MADE.values() for held in held_by_cell]
    return next((held for held in made if getattr(held, "widget", None) is widget), widget)
"""
STATES = "hash(str([w.get_state() for w in __import__('ipywidgets').widgets.widget._instances.values()]))"
"""Changes with anything that any widget holds."""

WIDGET, FIGURE = "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab with all notebooks, without their outputs."""
    root = tmp_path_factory.mktemp("notebooks")
    for path in NOTEBOOKS:
        book = nbformat.read(path, 4)
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(book, root / path.name)
    if (NOTEBOOKS[0].parent / "images").is_dir():
        shutil.copytree(NOTEBOOKS[0].parent / "images", root / "images")
    with serve(root) as address:
        yield address


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_after_run_all_everything_is_on_screen_and_answers(lab, name, tmp_path):
    with chromium(limit=LIMIT + LONG) as browser, Notebook(browser, lab, name) as notebook:
        notebook.run_all(LONG)
        notebook.kernel(OWNER)
        for cell, model in notebook.outputs(WIDGET):
            area = notebook.show(cell)
            _answers(notebook, area, model)
            area.screenshot(path=str(tmp_path / f"{cell}.png"))
        for cell, page in notebook.outputs("text/html"):
            if "vampkit-player" in page:
                _plays(notebook.page, notebook.show(cell).locator(".vampkit-player").first)
        for cell in sorted({cell for cell, _ in notebook.outputs(FIGURE)}):
            notebook.show(cell).locator(".js-plotly-plot .main-svg").first.wait_for()


def _answers(notebook, area, model: str) -> None:
    """One click, key or more on a widget, by its kind; the kernel finds what it changed."""

    def holds(what: str) -> str:
        return notebook.kernel(f"_w = _owner({model!r})\nprint({what})")

    def change(act, what: str) -> None:
        before = holds(what)
        act()
        until(notebook.page, lambda: holds(what) != before)

    kind = holds("type(_w).__name__")
    if kind == "VampPanel":
        _panel_answers(notebook, area, change, holds)
    elif kind == "SamplerScrubber":
        steps = [area.get_by_role("button", name=f"One pass {way}") for way in ("on", "back")]
        steps[0].wait_for()
        change(next(step for step in steps if step.is_enabled()).click, "_w.place")
    elif kind in ("MaskEditor", "VampStudio"):
        canvas = area.locator(".vk-canvas")
        canvas.wait_for()
        change(area.get_by_role("button", name="Invert", exact=True).click, "_w.model.undos")
        area.get_by_role("button", name="Keep all", exact=True).click()
        until(notebook.page, lambda: holds("_w.mask.sum()") == "0")
        change(lambda: _stroke(notebook.page, canvas), "_w.mask.sum()")
        if kind == "VampStudio":
            _plays(notebook.page, area.locator(".vampkit-studio"))
    elif kind == "Explorer":
        control = area.locator(".noUi-handle, select, input").first
        control.focus()
        change(lambda: _use(notebook.page, control), "_w.values")
        area.locator(".js-plotly-plot .main-svg, .vampkit-player, img").first.wait_for()
    elif kind == "Prediction":
        if holds("bool(_w.choices)") == "True":
            change(area.get_by_role("button").first.click, "_w.given")
        else:
            area.get_by_placeholder("your prediction").fill("less")
            change(lambda: notebook.page.keyboard.press("Enter"), "_w.given")
        area.get_by_text("You predicted:").wait_for()
        area.get_by_text(holds("_w.result.splitlines()[0]")).wait_for()
    elif kind == "TqdmHBox":  # a bar of progress has nothing to press
        area.locator(".widget-hprogress").first.wait_for()
    else:
        control = area.locator(".noUi-handle, select, button, input, textarea").first
        control.focus()
        change(lambda: _use(notebook.page, control), STATES)


def _use(page, control) -> None:
    """Change a control of ipywidgets: a menu by choosing, anything else by a key."""
    kind = control.evaluate("e => e.tagName === 'INPUT' ? e.type : e.tagName")
    if kind == "SELECT":
        control.select_option(index=control.evaluate("e => (e.selectedIndex + 1) % e.length"))
    elif kind == "DIV":
        end = control.get_attribute("aria-valuenow") == control.get_attribute("aria-valuemax")
        page.keyboard.press("ArrowLeft" if end else "ArrowRight")
    else:
        keys = {"BUTTON": "Enter", "number": "ArrowUp", "checkbox": "Space", "radio": "ArrowDown"}
        page.keyboard.press(keys.get(kind, "1"))


def _panel_answers(notebook, area, change, holds) -> None:
    """A slider moves the mask; Vamp makes a take, which plays."""
    vamp = area.get_by_role("button", name="Vamp", exact=True)
    vamp.wait_for()
    slider = area.locator(".noUi-handle").first
    slider.focus()
    change(lambda: _use(notebook.page, slider), "_w.model.values")
    share = float(holds("100 * float(_w.model.mask.float().mean())"))
    area.get_by_text(f"{share:.1f} % of the tokens are hidden").wait_for()
    change(vamp.click, "id(_w.model.take)")
    area.get_by_text("Done. The same by code:").wait_for()
    assert holds("torch.equal(_w.model.take.mask, _w.model.mask)") == "True"
    _plays(notebook.page, area.locator(".vampkit-player").last)


def _stroke(page, canvas) -> None:
    """A drag over the token grid."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    y = box["y"] + 0.8 * box["height"]
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=8)
    page.mouse.up()


def _plays(page, player) -> None:
    """Play moves on, Pause stops."""
    player.get_by_role("button", name="Play", exact=True).click()
    before = position(player)
    until(page, lambda: player.get_attribute("data-playing") == "1" and position(player) != before)
    player.get_by_role("button", name="Pause", exact=True).click()
