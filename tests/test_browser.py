"""Panel and player in a real browser, by keyboard, without a request outside: `pytest -m browser` (needs Chromium and the extra `browser`)."""

import pytest

from tests.lab import Notebook, chromium, serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

CELL = """
import vampkit as vk
from vampkit.widgets import VampPanel
clip = vk.load_clip("03").excerpt(0, 3.0)
panel = VampPanel(vk.load_vamp("tiny"), clip, seed=3, passes=4)
panel
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab whose only notebook shows a panel."""
    with serve(tmp_path_factory.mktemp("lab"), panel=[CELL]) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as made:
        yield made


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_panel_and_player_by_keyboard(lab, browser, theme, tmp_path):
    notebook = Notebook(browser, lab, "panel", theme)
    page = notebook.page
    notebook.run_all()
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
    player = page.locator(".vampkit-player").last
    player.locator(".vk-controls").wait_for(state="visible")
    names = player.locator(".vk-name").all_inner_texts()
    assert any("original" in n for n in names) and any("vamp" in n for n in names) and any("hidden" in n for n in names)
    player.scroll_into_view_if_needed()
    player.locator(".vk-axis").focus()
    page.keyboard.press("Space")
    page.wait_for_timeout(1200)
    heads = player.locator(".vk-head").evaluate("e => [e.hidden, getComputedStyle(e).left, e.style.cssText]")
    page.wait_for_timeout(600)
    later = player.locator(".vk-head").evaluate("e => [e.hidden, getComputedStyle(e).left, e.style.cssText]")
    page.keyboard.press("2")
    page.wait_for_timeout(300)
    player.screenshot(path=str(tmp_path / f"player-{theme}.png"))
    page.screenshot(path=str(tmp_path / f"page-{theme}.png"))
    page.keyboard.press("Space")
    assert not later[0] and heads != later, "the playhead does not move"
    notebook.close()
