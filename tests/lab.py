"""A JupyterLab or Notebook 7 on the loopback and a Chromium for the tests in a browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import nbformat
import pytest

from vampkit.cli import QUIET_LAB

SLOW = 600_000  # milliseconds: machines that do other work too


APPS = {"lab": ("jupyterlab", "LabApp", "lab/tree"), "notebook": ("notebook", "JupyterNotebookApp", "notebooks")}
"""Each front end: its module, the name of its settings, and where its notebooks lie."""


@contextmanager
def serve(root, app: str = "lab", **notebooks):
    """The address below which a JupyterLab (or Notebook 7) has notebooks of the cells given: serve(root, panel=["1 + 1", "2 + 2"])."""
    module, settings, where = APPS[app]
    for name, cells in notebooks.items():
        # Without a kernel's name JupyterLab would ask for one, and nothing would run.
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        made = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), root / f"{name}.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_RUNTIME", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")
    folders = {f"{name}_DIR": str(root / f".{name}".lower()) for name in names}
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "IdentityProvider.token": "",
        "ServerApp.password": "",
        "ServerApp.disable_check_xsrf": True,
        "ServerApp.root_dir": root,
        f"{settings}.expose_app_in_browser": True,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with (root / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", module, "--no-browser", "--allow-root", *arguments, *QUIET_LAB], env=os.environ | folders, stdout=log, stderr=log
        )
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + SLOW / 1000
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api/status", timeout=2).close()
                    break
                except OSError:
                    if time.monotonic() > deadline or server.poll() is not None:
                        raise RuntimeError((root / "lab.log").read_text()) from None
                    time.sleep(0.3)
            yield f"{address}/{where}"
        finally:
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()


@contextmanager
def chromium(*flags):
    """Debian's Chromium under Playwright, without a sound card and without a gesture before sound; fails the test where either is missing."""
    try:
        from playwright import sync_api as playwright
    except ImportError:
        pytest.fail("playwright is missing; install vampkit[browser]")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("Chromium is missing; install it (on Debian: apt install chromium)")
    usual = "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-background-networking"
    usual += " --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
    with playwright.sync_playwright() as play:
        made = play.chromium.launch(executable_path=path, headless=True, args=[*usual.split(), *flags])
        yield made
        made.close()


def of_notebook_itself(error) -> bool:
    """Whether an error comes from Notebook 7's own script alone: 7.6.5 throws one whenever it opens a notebook, even an empty one."""
    places = re.findall(r"(?:https?|blob):[^\s)]+", error.stack or "")
    return bool(places) and all("/static/notebook/notebook_core." in place for place in places)


class Notebook:
    """One notebook of what `serve` serves in a page of the browser; notes requests outside and errors of the console."""

    def __init__(self, browser, lab: str, name: str, theme: str = "Light", width: int = 1400, height: int = 1800):
        self.page = page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme.lower())
        page.set_default_timeout(SLOW)
        self.outside, self.errors = [], []
        host = lab.split("/")[2]
        own = (f"http://{host}", f"ws://{host}", "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(own) else self.outside.append(r.url))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: None if of_notebook_itself(e) else self.errors.append(str(e)))
        page.goto(f"{lab}/{name}.ipynb?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
        # Asked to run before its kernel is there, JupyterLab asks for another one.
        page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
        page.evaluate(f"window.jupyterapp.restored.then(() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}}))")

    def run_all(self) -> None:
        """Run all cells, to the end: only then does the notebook take the focus back."""
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")

    def kernel(self, code: str) -> str:
        """What the kernel prints for `code`: beside the notebook's cells, in the same kernel."""
        return self.page.evaluate(
            """code => new Promise((done, fail) => {
                const future = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code });
                let text = "";
                future.onIOPub = m => {
                    if (m.header.msg_type === "stream") text += m.content.text;
                    if (m.header.msg_type === "error") fail(new Error(m.content.evalue));
                };
                future.done.then(() => done(text.trim()));
            })""",
            code,
        )

    def close(self) -> None:
        self.page.close()
        assert not self.outside and not self.errors, (self.outside, self.errors)
