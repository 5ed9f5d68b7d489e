"""A JupyterLab or Notebook 7 on the loopback and a Chromium for the tests in a browser.

Nothing here waits without an end: a wait of the page ends after PATIENCE, a test after LIMIT, and whatever a test
opened is closed when it fails.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, nullcontext, suppress

import nbformat
import psutil
import pytest

from vampkit.cli import quiet_lab

PATIENCE = 120  # seconds that a page, a kernel's answer or a server's start may take on a busy machine
LONG = 900  # seconds in which all cells of one of our notebooks run there: the kernel generates
LIMIT = 600  # seconds after which a test's browser is ended, whatever it does; LONG more where a notebook of ours runs

APPS = {"lab": ("jupyterlab", "LabApp", "lab/tree"), "notebook": ("notebook", "JupyterNotebookApp", "notebooks")}
"""Each front end: its module, the name of its settings, and where its notebooks lie."""


@contextmanager
def serve(root, app: str = "lab", **notebooks):
    """The address below which a JupyterLab (or Notebook 7) has notebooks of the cells given.

    Such as `serve(root, panel=["1 + 1", "2 + 2"])`.
    """
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
    # One thread a kernel: two that wait for each other get nowhere while browser and server want the same two cores.
    environment = os.environ | folders | quiet_lab() | {"OMP_NUM_THREADS": "1"}
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
            [sys.executable, "-m", module, "--no-browser", "--allow-root", *arguments],
            env=environment,
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + PATIENCE
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
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@contextmanager
def chromium(*flags, limit: float = LIMIT):
    """Debian's Chromium under Playwright, without a sound card and without a gesture before sound.

    limit: seconds after which it is ended. Fails the test where Chromium or Playwright is missing.
    """
    try:
        from playwright import sync_api as playwright
    except ImportError:
        pytest.fail("playwright is missing; install vampkit[browser]")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("Chromium is missing; install it (on Debian: apt install chromium)")
    usual = "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run"
    usual += " --disable-background-networking --disable-component-update --disable-sync"
    usual += " --autoplay-policy=no-user-gesture-required"
    with playwright.sync_playwright() as play, ended_after(limit):
        made = play.chromium.launch(executable_path=path, headless=True, args=[*usual.split(), *flags])
        try:
            yield made
        finally:
            made.close()


@contextmanager
def ended_after(limit: float):
    """End this process's own browser when the time is up.

    Every call that waits for it, and it may be one without a deadline, then fails at once.
    """

    def end():
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "chrom" in process.name():
                    process.kill()

    timer = threading.Timer(limit, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def of_notebook_itself(error) -> bool:
    """Whether an error comes from Notebook 7's own script alone.

    7.6.5 throws one whenever it opens a notebook, even an empty one.
    """
    places = re.findall(r"(?:https?|blob):[^\s)]+", error.stack or "")
    return bool(places) and all("/static/notebook/notebook_core." in place for place in places)


def until(page, true, seconds: float = 60) -> None:
    """Wait until `true()` is."""
    for _ in range(int(10 * seconds)):
        if true():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the kernel does not follow the page")


def position(player) -> float:
    """Where a player plays, in seconds."""
    return float(player.get_attribute("data-position") or 0)


class Notebook:
    """A copy of a notebook that `serve` serves, in a page of the browser, with a kernel of its own.

    It notes requests outside and errors of the console. Used by `with`: page and kernel are closed in any case, and at
    the end of a test that did not fail there must be nothing noted.
    """

    def __init__(self, browser, lab: str, name: str, theme: str = "Light", width: int = 1400, height: int = 1800):
        self.server = "/".join(lab.split("/")[:3])
        self.path = self._ask("POST", "contents", {"copy_from": f"{name}.ipynb"})["path"]
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme.lower())
        self.outside, self.errors = [], []
        try:
            self._open(f"{lab}/{self.path}?reset", theme)
        except BaseException:
            self.close(failed=True)
            raise

    def _open(self, address: str, theme: str) -> None:
        page, host = self.page, self.server.split("/")[2]
        page.set_default_timeout(1000 * PATIENCE)
        own = (f"http://{host}", f"ws://{host}", "data:", "blob:")
        fetched = (
            f"{self.server}/lab/api/news",
            f"{self.server}/lab/api/update",
        )  # for these the server itself goes outside
        page.on(
            "request",
            lambda r: None if r.url.startswith(own) and not r.url.startswith(fetched) else self.outside.append(r.url),
        )
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: None if of_notebook_itself(e) else self.errors.append(str(e)))
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        # Asked to run before its kernel is there, JupyterLab asks for another one.
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )
        self.do(
            """theme => window.jupyterapp.restored.then(
                () => window.jupyterapp.commands.execute('apputils:change-theme', { theme })
            )""",
            f"JupyterLab {theme}",
        )

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.close(failed=kind is not None)

    def do(self, script: str, argument=None, seconds: float = PATIENCE):
        """What an asynchronous function of the page gives; Playwright itself would wait for it without an end."""
        late = (
            f"new Promise((_, fail) => setTimeout(() => fail(new Error('no end after {seconds} s')), {1000 * seconds}))"
        )
        return self.page.evaluate(f"argument => Promise.race([({script})(argument), {late}])", argument)

    def run_all(self, seconds: float = PATIENCE) -> None:
        """Run all cells, to the end: only then does the notebook take the focus back. A cell that fails, fails here."""
        self.do("() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)", seconds=seconds)
        wrong = self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.filter(w => w.model.type === "code")
            .flatMap(w => w.model.outputs.toJSON()).filter(o => o.output_type === "error").map(o => o.evalue)"""
        )
        assert not wrong, wrong

    def outputs(self, kind: str) -> list[tuple[int, str]]:
        """Cells with an output of a MIME type, and what it holds: a widget's model by its id, else the text."""
        found = self.page.evaluate(
            """kind => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((w, cell) =>
                w.model.type !== "code" ? [] : w.model.outputs.toJSON().filter(o => o.data?.[kind])
                    .map(o => [cell, o.data[kind]?.model_id ?? [o.data[kind]].flat().join("").slice(0, 2000)]))""",
            kind,
        )
        return [(cell, text) for cell, text in found]

    def show(self, cell: int):
        """Scroll to a cell, and give its outputs. JupyterLab keeps cells out of sight out of the page."""
        self.do(
            """async cell => {
                const content = window.jupyterapp.shell.currentWidget.content;
                content.activeCellIndex = cell;
                await content.scrollToItem(cell, "start");
            }""",
            cell,
        )
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{cell}'] .jp-OutputArea").first

    def kernel(self, code: str, seconds: float = PATIENCE) -> str:
        """What the kernel prints for `code`: beside the notebook's cells, in the same kernel."""
        return self.do(
            """code => new Promise((done, fail) => {
                const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
                const future = kernel.requestExecute({ code });
                let text = "";
                future.onIOPub = m => {
                    if (m.header.msg_type === "stream") text += m.content.text;
                    if (m.header.msg_type === "error") fail(new Error(m.content.evalue));
                };
                future.done.then(() => done(text.trim()), fail);
            })""",
            code,
            seconds,
        )

    def close(self, failed: bool = False) -> None:
        """Close page and kernel; without a failure nothing may have been noted."""
        alone = suppress(Exception) if failed else nullcontext()  # what failed first is to be read
        with alone:
            self.page.close()
        with alone:
            for session in self._ask("GET", "sessions"):
                if session["path"] == self.path:
                    self._ask("DELETE", f"sessions/{session['id']}")
        if failed:
            print(f"console of {self.path}: {self.errors}; requests outside: {self.outside}")
        else:
            assert not self.outside and not self.errors, (self.outside, self.errors)

    def _ask(self, method: str, what: str, content: dict | None = None):
        body = None if content is None else json.dumps(content).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.server}/api/{what}", body, method=method), timeout=PATIENCE
        ) as answer:
            return json.loads(answer.read() or "null")
