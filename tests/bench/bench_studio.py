"""Figures of editor and studio in a real browser: python -m tests.bench.bench_studio [rounds]

60 s of sound, 14 x 3446 cells: drawing time of a stroke in the page, time until Python has it, answers of the kernel
while a take is generated; then memory of kernel and page over rounds of generating, fetching the sound and discarding.
"""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.browser.lab import Notebook, chromium, serve

STUDIO = """
import numpy as np
import vampkit as vk
from vampkit.widgets import VampStudio
one = vk.load_clip("03").mono()
clip = vk.Clip(np.resize(one.samples, (1, 44100 * 60)), 44100, "sixty seconds")
studio = VampStudio(vk.load_vamp("tiny"), clip, preset="paper, 12 passes")
studio.stamp("periodic:7")
studio
"""
SHORT = """
import gc, psutil
import vampkit as vk
from vampkit.widgets import VampStudio
studio = VampStudio(vk.load_vamp("tiny"), vk.load_clip("03").excerpt(0, 1.0), preset="sketch")
studio.stamp("periodic:7")
studio.set(passes=1)
def memory():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20
studio
"""
# Strokes drawn through the page's own pointer events; each drawing is timed to the end, pixels read back included.
STROKES = """async () => {
  const root = document.querySelector(".vampkit-studio"), { store, grid } = root.vampkit;
  const layer = root.querySelector(".vk-cells"), draws = [], answers = [];
  const frame = () => new Promise(requestAnimationFrame), box = grid.stage.getBoundingClientRect(), view = grid.view();
  const y = (row) => box.top + view.cells.y + (row + 0.5) * view.rowHeight;
  const at = (kind, x, row) => grid.stage.dispatchEvent(
    new PointerEvent(kind, { bubbles: true, pointerId: 1, button: 0, clientX: box.left + x, clientY: y(row) }));
  grid.stage.setPointerCapture = () => {};
  for (let stroke = 0; stroke < 30; stroke++) {
    const row = stroke % 14;
    at("pointerdown", 20, row);
    for (let x = 40; x < 400; x += 40) {
      store.timings = [];
      at("pointermove", x, row);
      await frame(); await frame();
      const began = performance.now();
      layer.getContext("2d").getImageData(0, 0, 1, 1);
      draws.push(store.timings.reduce((a, t) => a + t.ms, 0) + performance.now() - began);
    }
    const sent = performance.now();
    at("pointerup", 400, row);
    while (store.pending.length) await new Promise((r) => setTimeout(r, 1));
    answers.push(performance.now() - sent);
  }
  store.timings = null;
  return { draws, answers };
}"""
ANSWERS = """async (count) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel, times = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await kernel.requestExecute({ code: "1 + 1" }).done;
    times.push(performance.now() - began);
    await new Promise((r) => setTimeout(r, 100));
  }
  return times;
}"""


def percentile(values: list[float], percent: int) -> float:
    """The value below which so many percent of them lie."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def heap(page, session) -> float:
    """JavaScript heap of the page after collection, MiB."""
    session.send("HeapProfiler.collectGarbage")
    page.wait_for_timeout(300)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"] / 2**20


def speed(browser, lab) -> None:
    with Notebook(browser, lab, "long") as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_function("document.querySelector('.vampkit-studio')?.vampkit?.store.state.estimate")
        done = page.evaluate(STROKES)
        draws = done["draws"]
        print(
            f"stroke at 14 x 3446: drawn in {median(draws):.1f} ms (median of {len(draws)}), "
            f"{percentile(draws, 95):.1f} ms (95th percentile)"
        )
        answers = done["answers"]
        print(f"in Python and back: {median(answers):.0f} ms (median of {len(answers)} strokes, idle kernel)")
        idle = page.evaluate(ANSWERS, 20)
        notebook.kernel("studio.generate()")
        busy = page.evaluate(ANSWERS, 40)
        running = notebook.kernel("print(studio.session.job.running)")
        print(f"kernel answers: idle {median(idle):.0f} ms (median of {len(idle)})")
        print(
            f"while generating: {median(busy):.0f} ms (median of {len(busy)}), "
            f"{percentile(busy, 95):.0f} ms (95th percentile)"
        )
        print(f"still generating at the end: {running}")
        notebook.kernel("studio.cancel(); studio.wait(60); studio.close()")


def leaks(browser, lab, rounds: int) -> None:
    with Notebook(browser, lab, "short") as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_function("document.querySelector('.vampkit-studio')?.vampkit?.store.state.estimate")
        session = page.context.new_cdp_session(page)
        first, settled = None, min(50, rounds // 4)
        for number in range(1, rounds + 1):
            # By the page's own buttons: cells that were run for it would stay in IPython's history, and count.
            page.evaluate("document.querySelector('.vampkit-studio .vk-generate').click()")
            page.wait_for_function(
                "(d => d.takes === '1' && d.job === 'done')(document.querySelector('.vampkit-studio').dataset)"
            )
            page.evaluate("document.querySelector('.vampkit-studio [aria-label^=Discard]').click()")
            page.wait_for_function("document.querySelector('.vampkit-studio').dataset.takes === '0'")
            if number in (settled, rounds):
                now = float(notebook.kernel("print(memory())")), heap(page, session)
                print(f"after round {number}: kernel {now[0]:.1f} MiB, page {now[1]:.2f} MiB")
                if first is not None:
                    kernel, page_heap = now[0] - first[0], now[1] - first[1]
                    print(f"grown over {rounds - settled} rounds: kernel {kernel:+.1f} MiB, page {page_heap:+.2f} MiB")
                first = now


def main(rounds: int = 250) -> None:
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    print(json.dumps(machine))
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), long=[STUDIO], short=[SHORT]) as lab,
        chromium(limit=7200) as browser,
    ):
        speed(browser, lab)
        leaks(browser, lab, rounds)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
