"""Panel and player in a real browser, by keyboard, without a request outside: `make browser` (needs Chromium)."""

from pathlib import Path

import nbformat
import pytest

from tests.browser.lab import LIMIT, LONG, Notebook, chromium, serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(LIMIT + 120)]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CELL = """
import vampkit as vk
from vampkit.widgets import VampPanel
clip = vk.load_clip("03").excerpt(0, 3.0)
panel = VampPanel(vk.load_vamp("tiny"), clip, seed=3, passes=4)
panel
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab whose only notebook shows a panel, and below it a player whose script meets the panel's
    preview."""
    with serve(tmp_path_factory.mktemp("lab"), panel=[CELL, "vk.listen(clip)"]) as address:
        yield address


@pytest.fixture
def browser():
    with chromium() as made:
        yield made


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_panel_and_player_by_keyboard(lab, browser, theme, tmp_path):
    with Notebook(browser, lab, "panel", theme) as notebook:
        page = notebook.page
        notebook.run_all()
        assert page.locator(".Toastify__toast").count() == 0, "JupyterLab asks for nothing when it starts"
        button = page.get_by_role("button", name="Vamp", exact=True)
        button.wait_for()
        # The prompt is changed by hand: the preview follows.
        page.get_by_text("% of the tokens are hidden").wait_for()
        before = page.get_by_text("% of the tokens are hidden").inner_text()
        page.locator(".widget-dropdown select").select_option(label="Prefix: keep the start")
        page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
        button.focus()
        page.keyboard.press("Enter")
        page.get_by_text("Done. The same by code:").wait_for()
        assert "Prefix" in page.get_by_text("Done. The same by code:").inner_text()
        player = page.locator(".vampkit-player").first
        player.locator(".vk-controls").wait_for(state="visible")
        names = player.locator(".vk-name").all_inner_texts()
        assert (
            any("original" in n for n in names)
            and any("vamp" in n for n in names)
            and any("hidden" in n for n in names)
        )
        player.scroll_into_view_if_needed()
        player.locator(".vk-axis").focus()
        page.keyboard.press("Space")
        _until(page, lambda: _position(player) > 0.3)
        before = player.locator(".vk-head").evaluate("e => [e.hidden, getComputedStyle(e).left]")
        _until(page, lambda: player.locator(".vk-head").evaluate("e => [e.hidden, getComputedStyle(e).left]") != before)
        assert not before[0], "the playhead is shown and moves"
        page.keyboard.press("2")
        page.keyboard.press("Space")
        _until(page, lambda: player.evaluate("e => [e.dataset.chosen, e.dataset.playing]") == ["1", "0"])


def test_what_hangs_is_ended_and_disturbs_nothing_after_it(lab):
    """A kernel that does not answer, a page that asks before it closes, and a page that hangs.

    Each fails its test soon, and the next page opens.
    """
    hang, ask = (
        "() => { setTimeout(() => { while (true); }, 100); }",
        "() => { window.onbeforeunload = event => event.preventDefault(); }",
    )
    with (
        chromium() as made,
        pytest.raises(Exception, match="no end after 3 s"),
        Notebook(made, lab, "panel") as notebook,
    ):
        notebook.page.evaluate(ask)
        notebook.kernel("import time; time.sleep(1000)", seconds=3)
    with chromium(limit=30) as made, pytest.raises(Exception, match="closed"), Notebook(made, lab, "panel") as notebook:
        notebook.page.evaluate(hang)
        notebook.page.wait_for_timeout(500)
        notebook.page.evaluate("1 + 1")
    with chromium() as made, Notebook(made, lab, "panel") as notebook:
        assert notebook.kernel("print(1 + 1)") == "2"


def _beats_notebook(root):
    """Notebook 09 as it stands, without its old outputs, and with its panel and editor left open."""
    [path] = NOTEBOOKS.glob("09_*.ipynb")
    book = nbformat.read(path, 4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.source = "\n".join(
                line for line in cell.source.splitlines() if line not in ("panel.close()", "editor.close()")
            )
            cell.outputs, cell.execution_count = [], None
    nbformat.write(book, root / "beats.ipynb")


def _show_cell(page, ending):
    """Scroll to the output of the cell whose last line is `ending`.

    JupyterLab keeps cells out of sight out of the page.
    """
    page.evaluate(
        """async ending => {
            const content = window.jupyterapp.shell.currentWidget.content;
            const last = w => w.model.sharedModel.getSource().trim().split("\\n").pop();
            const index = content.widgets.findIndex(w => w.model.type === "code" && last(w) === ending);
            content.activeCellIndex = index;
            await content.scrollToItem(index, "start");
        }""",
        ending,
    )


@pytest.mark.timeout(LIMIT + LONG + 120)
def test_panel_and_editor_of_a_real_notebook(tmp_path):
    """Notebook 09, all cells run.

    A menu, a slider, Vamp and play of its panel, and a stroke in its editor; the kernel finds the changed masks.
    """
    _beats_notebook(tmp_path)
    with (
        serve(tmp_path) as address,
        chromium(limit=LIMIT + LONG) as browser,
        Notebook(browser, address, "beats") as notebook,
    ):
        page = notebook.page
        notebook.run_all(LONG)

        def hidden(what):
            return int(notebook.kernel(f"print(int({what}.sum()))"))

        _show_cell(page, "panel")
        panel = page.locator(".jp-OutputArea-output", has=page.get_by_role("button", name="Vamp", exact=True)).first
        panel.get_by_role("button", name="Vamp", exact=True).wait_for()
        before = hidden("panel.model.mask")
        panel.locator(".widget-dropdown select").nth(1).select_option(label="up")
        _until(page, lambda: hidden("panel.model.mask") != before)
        before = hidden("panel.model.mask")
        slider = panel.locator(".noUi-handle").first
        slider.focus()
        for _ in range(4):  # by 20 ms, which is more than a frame
            page.keyboard.press("ArrowRight")
        _until(page, lambda: hidden("panel.model.mask") != before)
        now = hidden("panel.model.mask")
        assert now < before, "a wider window keeps more"
        share = float(notebook.kernel("print(100 * float(panel.model.mask.float().mean()))"))
        panel.get_by_text(f"{share:.1f} % of the tokens are hidden").wait_for()
        panel.get_by_role("button", name="Vamp", exact=True).click()
        panel.get_by_text("Done. The same by code:").wait_for()
        player = panel.locator(".vampkit-player").last
        player.get_by_role("button", name="Play", exact=True).click()
        _until(page, lambda: _position(player) > 0.3)
        player.get_by_role("button", name="Pause", exact=True).click()
        assert notebook.kernel("print(torch.equal(panel.model.take.mask, panel.model.mask))") == "True"

        _show_cell(page, "editor")
        editor = page.locator(".vampkit-editor").last
        editor.wait_for()
        before = hidden("editor.mask")
        canvas = editor.locator(".vk-canvas").last
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        y = box["y"] + 0.8 * box["height"]
        page.mouse.move(box["x"] + 0.30 * box["width"], y)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.60 * box["width"], y, steps=8)
        page.mouse.up()
        _until(page, lambda: hidden("editor.mask") > before)


def _until(page, true, seconds=60):
    for _ in range(10 * seconds):
        if true():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the kernel does not follow the page")


def _position(player) -> float:
    """Where a player plays, in seconds."""
    return float(player.get_attribute("data-position") or 0)
