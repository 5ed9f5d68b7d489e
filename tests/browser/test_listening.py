"""Listening tests in a browser: by keyboard alone, light and dark, and the results as the library reads them."""

import numpy as np
import pytest

from tests.browser.lab import chromium
from vampkit.audio import Clip
from vampkit.metrics import abx_scores, mushra_scores, read_listening
from vampkit.show import listening_test

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def tone(hertz, seconds=0.6, rate=44_100):
    t = np.arange(round(seconds * rate)) / rate
    return Clip((0.2 * np.sin(2 * np.pi * hertz * t)).astype(np.float32), rate, f"{hertz} Hz")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def opened(browser, path, theme="light"):
    page = browser.new_context(color_scheme=theme, accept_downloads=True, offline=True).new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(path.as_uri())
    return page


def saved(page, folder):
    with page.expect_download() as download:
        page.get_by_role("link", name="Save").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    assert page.get_by_label("The results as CSV").input_value() == path.read_text()
    assert page.errors == []
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_mushra_by_keyboard(browser, tmp_path, theme):
    trials = {
        name: {"reference": tone(f), "base": tone(f * 1.2), "tuned": tone(f * 1.02)}
        for name, f in (("a", 440), ("b", 330))
    }
    page = opened(browser, listening_test(trials, tmp_path / "test.html", title="Tones"), theme)
    page.get_by_label("A name or number").press_sequentially("listener, one")
    page.keyboard.press("Enter")
    for number in (1, 2):
        page.get_by_role("heading", name=f"Trial {number} of 2").wait_for()
        assert page.get_by_role("button", name="Next").is_disabled()
        page.keyboard.press("r")
        page.wait_for_function("document.getElementById('test').dataset.playing === 'Reference'")
        for i in range(1, 6):
            page.keyboard.press(str(i))
            page.wait_for_function(f"document.getElementById('test').dataset.playing === '{'ABCDE'[i - 1]}'")
            slider = page.get_by_role("slider").nth(i - 1)
            slider.focus()
            page.keyboard.press("Home" if i == 1 else "End")
        page.screenshot(path=tmp_path / f"mushra-{theme}.png", full_page=True)
        page.get_by_role("button", name="Next").focus()
        page.keyboard.press("Enter")
    rows = read_listening(saved(page, tmp_path))
    assert len(rows) == 10 and {row["listener"] for row in rows} == {"listener, one"}
    assert {row["condition"] for row in rows} == {"reference", "base", "tuned", "anchor 3.5 kHz", "anchor 7 kHz"}
    for trial in "ab":
        first = [row for row in rows if row["trial"] == trial]
        assert [row["score"] for row in sorted(first, key=lambda row: int(row["position"]))] == ["0"] + ["100"] * 4
    assert sum(estimate.n for estimate in mushra_scores(rows).values()) == 5


def test_abx_by_keyboard(browser, tmp_path):
    page = opened(
        browser, listening_test({"pair": {"one": tone(440), "two": tone(880)}}, tmp_path / "abx.html", "abx", repeats=3)
    )
    page.get_by_role("button", name="Begin").click()
    for number in (1, 2, 3):
        page.get_by_role("heading", name=f"Question {number} of 3").wait_for()
        for key in "abx":
            page.keyboard.press(key)
            page.wait_for_function(f"document.getElementById('test').dataset.playing === '{key.upper()}'")
        page.get_by_role("button", name="X is A").focus()
        page.screenshot(path=tmp_path / "abx.png", full_page=True)
        page.keyboard.press("Enter")
    rows = read_listening(saved(page, tmp_path))
    assert len(rows) == 3 and all(row["x"] in ("one", "two") and row["answer"] in ("one", "two") for row in rows)
    ((estimate, p),) = abx_scores(rows).values()
    assert estimate.n == 3 and 0 < p <= 1


def test_a_narrow_page_holds_everything(browser, tmp_path):
    trials = {"a": {"reference": tone(440), "base": tone(500)}}
    page = opened(browser, listening_test(trials, tmp_path / "test.html"))
    page.set_viewport_size({"width": 360, "height": 700})
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="Trial 1 of 1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.screenshot(path=tmp_path / "narrow.png", full_page=True)
