"""Panel and player in a real browser, by keyboard, without a request outside: `pytest -m browser` (needs Chromium and the extra `browser`)."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from vampkit.cli import QUIET_LAB

pytestmark = pytest.mark.browser

CELL = """
import vampkit as vk
from vampkit.widgets import VampPanel
clip = vk.load_clip("03").excerpt(0, 3.0)
panel = VampPanel(vk.load_vamp("tiny"), clip, seed=3, passes=4)
panel
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab on the loopback whose only notebook shows a panel."""
    root = tmp_path_factory.mktemp("lab")
    # Without a kernel's name JupyterLab would ask for one, and nothing would run.
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.strip())], metadata=kernel), root / "panel.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {
        f"{name}_DIR": str(root / f".{name}".lower())
        for name in ("JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_RUNTIME", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")
    }
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "IdentityProvider.token": "",
        "ServerApp.password": "",
        "ServerApp.disable_check_xsrf": True,
        "ServerApp.root_dir": root,
        "LabApp.expose_app_in_browser": True,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with (root / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *arguments, *QUIET_LAB], env=os.environ | folders, stdout=log, stderr=log
        )
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api/status", timeout=2).close()
                    break
                except OSError:
                    if time.monotonic() > deadline or server.poll() is not None:
                        raise RuntimeError((root / "lab.log").read_text()) from None
                    time.sleep(0.3)
            yield address
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="install vampkit[browser]")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not on this machine")
    flags = "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
    with playwright.sync_playwright() as play:
        made = play.chromium.launch(executable_path=chromium, headless=True, args=flags.split())
        yield made
        made.close()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_panel_and_player_by_keyboard(lab, browser, theme, tmp_path):
    page = browser.new_page(viewport={"width": 1400, "height": 1800}, color_scheme=theme.lower())
    outside, errors = [], []
    page.on("request", lambda r: None if r.url.startswith((lab, "data:", "blob:", lab.replace("http", "ws"))) else outside.append(r.url))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{lab}/lab/tree/panel.ipynb?reset", timeout=40_000)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=40_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=40_000)
    # Asked to run before its kernel is there, JupyterLab asks for another one.
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=40_000)
    page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})")
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    button = page.get_by_role("button", name="Vamp", exact=True)
    button.wait_for(timeout=60_000)
    # The prompt is changed by hand: the preview follows.
    page.get_by_text("% of the tokens are hidden").wait_for(timeout=20_000)
    before = page.get_by_text("% of the tokens are hidden").inner_text()
    page.locator(".widget-dropdown select").select_option(label="Prefix: keep the start")
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before, timeout=20_000)
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Done. The same by code:").wait_for(timeout=40_000)
    assert "Prefix" in page.get_by_text("Done. The same by code:").inner_text()
    player = page.locator(".vampkit-player").last
    player.locator(".vk-controls").wait_for(state="visible", timeout=20_000)
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
    assert not outside and not errors, (outside, errors)
    page.close()
