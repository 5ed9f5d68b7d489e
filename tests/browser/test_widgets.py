"""Panel and player in a real browser, by keyboard, without a request outside: `make browser` (needs Chromium)."""

import pytest

from tests.browser.lab import LIMIT, Notebook, chromium, position, serve, until
from vampkit.pipeline import TakeSettings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(LIMIT + 120)]

CELL = """
import vampkit as vk
from vampkit.widgets import VampPanel
clip = vk.load_clip("03").excerpt(0, 3.0)
panel = VampPanel(vk.load_vamp("tiny"), clip, seed=3, passes=4)
panel
"""

LADDER = """
levels = vk.listen(*[clip.gain(-k) for k in range(11)], labels=[f"{k} dB softer" for k in range(11)])
levels
"""
EXPLORER = """
from vampkit.widgets import Explorer, Prediction
def draw(period=7, kind="mask"):
    print(kind, period)
    mask = vk.masks.periodic(14, 120, period)
    return vk.show.mask(mask, title=f"period {period}") if kind == "mask" else vk.listen(clip)
Explorer(draw, period=range(1, 20), kind=("mask", "sound"))
"""
PREDICTION = """
Prediction("Which goes first?", "The tune goes first.", vk.show.waveform(clip, "wave"), choices=("tune", "pulse"))
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab whose only notebook shows a panel, and below it a player whose script meets the panel's
    preview."""
    with serve(
        tmp_path_factory.mktemp("lab"),
        panel=[CELL, "vk.listen(clip)"],
        small=[CELL.rsplit("panel =")[0], LADDER, EXPLORER, PREDICTION],
    ) as address:
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
        page.get_by_label("Prompt", exact=True).select_option(label="Prefix: keep the start")
        page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
        page.get_by_label("Follow", exact=True).select_option(label="own rhythm")
        button.focus()
        page.keyboard.press("Enter")
        page.get_by_text("Done. The same by code:").wait_for()
        code = page.get_by_text("Done. The same by code:").inner_text()
        assert "Prefix" in code and f"follow=[Rhythm(clip)], strength={TakeSettings().strength}" in code
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
        until(page, lambda: position(player) > 0.3)
        before = player.locator(".vk-head").evaluate("e => [e.hidden, getComputedStyle(e).left]")
        until(page, lambda: player.locator(".vk-head").evaluate("e => [e.hidden, getComputedStyle(e).left]") != before)
        assert not before[0], "the playhead is shown and moves"
        page.keyboard.press("2")
        page.keyboard.press("Space")
        until(page, lambda: player.evaluate("e => [e.dataset.chosen, e.dataset.playing]") == ["1", "0"])


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_small_widgets(lab, browser, theme, tmp_path):
    """More than nine sounds are chosen by a slider while they play; explorer and prediction answer by keyboard."""
    with Notebook(browser, lab, "small", theme) as notebook:
        page = notebook.page
        notebook.run_all()
        player = notebook.show(1).locator(".vampkit-player")
        player.get_by_role("button", name="Play", exact=True).click()
        slider = player.get_by_role("slider", name="Sound", exact=True)
        slider.focus()
        before = position(player)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("End")
        until(page, lambda: player.evaluate("e => [e.dataset.chosen, e.dataset.playing]") == ["10", "1"])
        until(page, lambda: position(player) > before)
        assert player.locator(".vk-said").inner_text() == "10 dB softer"
        player.get_by_role("button", name="Pause", exact=True).click()
        explorer = notebook.show(2)
        explorer.locator(".js-plotly-plot .main-svg").first.wait_for()
        explorer.locator(".noUi-handle").focus()
        page.keyboard.press("ArrowRight")
        explorer.get_by_text("mask 8").wait_for()
        explorer.screenshot(path=str(tmp_path / "explorer.png"))
        explorer.locator("select").select_option(label="sound")
        explorer.locator(".vampkit-player .vk-controls").wait_for()
        asked = notebook.show(3)
        assert not asked.get_by_text("The tune goes first.").is_visible()
        asked.get_by_role("button", name="pulse").focus()
        page.keyboard.press("Enter")
        asked.get_by_text("The tune goes first.").wait_for()
        asked.get_by_text("You predicted:").wait_for()
        asked.locator(".js-plotly-plot .main-svg").first.wait_for()
        asked.screenshot(path=str(tmp_path / "prediction.png"))


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


def test_a_cell_run_again_frees_the_panel_before_it(lab, browser):
    with Notebook(browser, lab, "panel") as notebook:
        counts = []
        for _ in range(3):
            notebook.run_all()
            notebook.page.get_by_role("button", name="Vamp", exact=True).wait_for()
            counts.append(notebook.kernel("import ipywidgets; print(len(ipywidgets.widgets.widget._instances))"))
        assert len(set(counts)) == 1 and notebook.page.get_by_role("button", name="Vamp", exact=True).count() == 1
