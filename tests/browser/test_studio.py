"""Mask editor, studio and scrubber in a real browser: `make browser` (needs Chromium).

Painted, stamped, generated, switched and exported by hand, and found the same in the kernel.
"""

import json
import time
from contextlib import contextmanager

import pytest

from tests.browser.lab import LIMIT, Notebook, chromium, serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(LIMIT + 120)]

STUDIO = """
import vampkit as vk
from vampkit.widgets import SamplerScrubber, VampStudio
clip = vk.load_clip("03").excerpt(0, 3.0)
vamp = vk.load_vamp("tiny")
studio = VampStudio(vamp, clip, seed=3, preset="sketch")
studio
"""
SCRUBBER = """
scrubber = SamplerScrubber(vamp, clip, vk.Periodic(7), seed=1, settings=vk.Settings(passes=6))
scrubber
"""
SLOWLY = """
import time
def slowly(*a, **k):
    for progress in steps(*a, **k):
        time.sleep(0.2)
        yield progress
vamp.steps = slowly
studio.set(passes=128)
"""
STUDIO_ROOT = ".vampkit-studio:not(.vampkit-scrubber)"
CELLS = "import json; m = studio.mask; rows, frames = m.nonzero(); "
CELLS += "print(json.dumps([int(m.sum()), studio.state['undos'], rows.tolist()[:40], frames.tolist()[:40]]))"
# WCAG contrast of a text and what lies behind it.
CONTRAST = """root => {
  const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const lum = c => { const [r, g, b] = c.map(linear); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgb = s => s.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0.5) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const worst = [];
  for (const e of root.querySelectorAll("button, b, small, span, summary, dt, dd, select, input, textarea")) {
    if (!e.offsetParent || e.disabled || !(e.textContent.trim() || e.value)) continue;
    const a = lum(rgb(getComputedStyle(e).color).slice(0, 3)), b = lum(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const what = [e.className || e.tagName, e.textContent.slice(0, 20), ratio.toFixed(2)];
    if (ratio < 4.5 && !e.classList.contains("vk-lock")) worst.push(what);
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("lab"), studio=[STUDIO, SCRUBBER]) as address:
        yield address


@pytest.fixture
def browser():
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("notebook7"), "notebook", studio=[STUDIO, SCRUBBER]) as address:
        yield address


class Desk:
    """The studio of an open notebook, for a test to work with."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        notebook.run_all()
        self.root = self.page.locator(STUDIO_ROOT)
        self.stage = self.root.locator(".vk-canvas")
        self.stage.wait_for()
        self.page.locator(".vampkit-scrubber").wait_for()
        self.until("root.vampkit?.store.state.estimate")
        self.stage.scroll_into_view_if_needed()

    def kernel(self):
        """Hidden cells, gestures, and the first hidden cells, once the page's gestures are all answered."""
        self.until("!root.vampkit.store.pending.length")
        return json.loads(self.notebook.kernel(CELLS))

    def shown(self) -> int:
        return self.root.evaluate("root => root.vampkit.store.mask.reduce((a, b) => a + b, 0)")

    def cell(self, row, frame):
        """The place of a cell's middle on the screen."""
        view = self.root.evaluate("root => root.vampkit.grid.view()")
        box = self.stage.bounding_box()
        return box["x"] + (frame + 0.5 - view["first"]) * view["scale"], box["y"] + view["cells"]["y"] + (
            row + 0.5
        ) * view["rowHeight"]

    def drag(self, start, end, button="left"):
        self.page.mouse.move(*self.cell(*start))
        self.page.mouse.down(button=button)
        self.page.mouse.move(*self.cell(*end), steps=8)
        self.page.mouse.up(button=button)

    def lane(self, word):
        return self.root.locator(f".vk-pad[data-lane={word}]")

    def draw(self, word, *points):
        """Draw in a lane from point to point: frames, and heights from 0 (bottom) to 1."""
        pad = self.lane(word)
        pad.scroll_into_view_if_needed()
        view, box = self.root.evaluate("root => root.vampkit.grid.view()"), pad.bounding_box()
        places = [
            (box["x"] + (t + 0.5 - view["first"]) * view["scale"], box["y"] + 3 + (1 - u) * (box["height"] - 6))
            for t, u in points
        ]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=12)
        self.page.mouse.up()

    def lanes(self, what):
        """What an expression of `lanes` gives in the kernel, once all gestures are answered."""
        self.until("!root.vampkit.store.pending.length")
        return json.loads(self.notebook.kernel(f"import json; lanes = studio.lanes; print(json.dumps({what}))"))

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def until(self, condition):
        self.page.wait_for_function(
            f"root => (root => root && ({condition}))(document.querySelector(root))", arg=STUDIO_ROOT
        )


def settled(look, wanted, seconds=20):
    """What `look` gives once it is as wanted, or at the end of so many seconds.

    A theme reaches a widget when the page has time for it.
    """
    end = time.monotonic() + seconds
    while (found := look()) != wanted and time.monotonic() < end:
        time.sleep(0.25)
    return found


@contextmanager
def desk_of(browser, lab, theme="Light", width=1400):
    """The studio of a notebook of its own, closed in any case."""
    with Notebook(browser, lab, "studio", theme, width) as notebook:
        yield Desk(notebook)


def test_paint_erase_undo_stamp_generate_switch_and_export_by_hand(lab, browser, tmp_path):
    with desk_of(browser, lab) as desk:
        desk.drag((2, 20), (2, 40))
        count, undos, rows, frames = desk.kernel()
        assert undos == 1 and count == desk.shown() == 23 and set(rows) == {2} and (frames[0], frames[-1]) == (19, 41)
        desk.drag((2, 30), (2, 41), button="right")
        assert desk.kernel()[0] == desk.shown() == 10, "the right button erases"
        desk.button("Box").click()
        desk.drag((4, 60), (6, 69))
        assert desk.kernel()[0] == 40
        desk.root.get_by_role("button", name="Undo 3").click()
        assert desk.kernel()[:2] == [10, 2]
        desk.button("Redo").click()
        assert desk.kernel()[0] == 40
        prompt = desk.root.get_by_label("Prompt to stamp")
        prompt.fill("periodic:5")
        desk.button("Or").click()
        desk.button("Stamp").click()
        assert desk.kernel()[0] == desk.shown() < 40
        prompt.fill("periodic:7")
        desk.button("Replace").click()
        desk.button("Stamp").click()
        count = desk.kernel()[0]
        assert count == desk.shown() > 1500
        desk.button("Generate").click()
        desk.until("root.dataset.takes === '1' && root.dataset.job === 'done'")
        desk.button("Generate").click()
        desk.until("root.dataset.takes === '2' && root.dataset.job === 'done'")
        desk.until("root.vampkit.store.tokens && root.dataset.chosen === '2'")
        made = "e = studio.history[2]; c, was = e.take.tokens.codes.numpy(), e.take.original.codes.numpy(); "
        made += "print(int(c.sum()), bool((c == was)[~e.mask].all()), e.seed)"
        shown = desk.root.evaluate("root => root.vampkit.store.tokens.reduce((a, b) => a + b, 0)")
        assert desk.notebook.kernel(made).split() == [str(shown), "True", "4"], (
            "the page shows the tokens that the kernel made, and the prompt was kept"
        )
        # Playing: a switch keeps the place.
        desk.button("Play").click()
        desk.until("root.dataset.playing === '1' && Number(root.dataset.position) > 0.3")
        before = float(desk.root.get_attribute("data-position"))
        desk.root.get_by_role("button", name="Hear take 1").click()
        desk.until("root.dataset.chosen === '1'")
        after = float(desk.root.get_attribute("data-position"))
        assert (after - before) % 3 < 2.5 and desk.root.get_attribute("data-playing") == "1"
        desk.until(f"Math.abs(Number(root.dataset.position) - {after}) > 0.1")
        desk.root.get_by_role("button", name="Hear the original").click()
        desk.until("root.dataset.chosen === '0'")
        assert desk.notebook.kernel("print(studio.session.chosen)") == "0"
        desk.button("Pause").click()
        name = desk.root.get_by_label("Name of take 1")
        name.fill("groove")
        name.press("Enter")
        desk.root.get_by_role("button", name="Star take 1").click()
        desk.root.get_by_role("button", name="Export: take 1").click()
        desk.root.locator(".vk-message").get_by_text("groove.wav").wait_for()
        exported = "import json, pathlib; p = pathlib.Path('takes'); r = json.loads((p / 'groove.json').read_text()); "
        exported += "c, e = vk.Clip.load(p / 'groove.wav'), studio.history[1]; "
        exported += "print(r['seed'], round(c.seconds, 2), e.star, bool((c.samples == e.take.clip.samples).all()))"
        assert desk.notebook.kernel(exported) == "3 3.0 True True"
        desk.root.get_by_role("button", name="Discard: take 2").click()
        desk.until("root.dataset.takes === '1'")


def test_the_same_in_notebook_7(notebook7, browser):
    with desk_of(browser, notebook7) as desk:
        desk.drag((2, 20), (2, 40))
        count, undos, rows, frames = desk.kernel()
        assert undos == 1 and count == desk.shown() == 23 and set(rows) == {2} and (frames[0], frames[-1]) == (19, 41)
        desk.press("Control+z")
        assert desk.kernel()[0] == desk.shown() == 0
        prompt = desk.root.get_by_label("Prompt to stamp")
        prompt.fill("periodic:7")
        desk.button("Stamp").click()
        assert desk.kernel()[0] == desk.shown() > 1500
        desk.button("Generate").click()
        desk.until("root.dataset.takes === '1' && root.dataset.job === 'done'")
        desk.until("root.vampkit.store.tokens && root.dataset.chosen === '1'")
        shown = desk.root.evaluate("root => root.vampkit.store.tokens.reduce((a, b) => a + b, 0)")
        assert desk.notebook.kernel("print(int(studio.history[1].take.tokens.codes.sum()))") == str(shown)
        desk.stage.focus()
        desk.press("p")
        desk.until("root.dataset.playing === '1' && Number(root.dataset.position) > 0.2")
        desk.press("p", "a")
        assert desk.kernel()[0] == 173 * 14
        # Enter on a button and letters in a field are not the notebook's either.
        desk.button("Invert").focus()
        desk.press("Enter")
        assert desk.kernel()[0] == 0
        desk.root.get_by_label("Name of take 1").focus()
        desk.press("a", "b", "Enter")
        assert (
            desk.notebook.kernel("print(studio.history[1].name)").endswith("ab")
            and desk.page.locator(".jp-Notebook .jp-CodeCell").count() == 2
        ), "keys mean nothing to the notebook around"


def test_everything_without_a_mouse(lab, browser):
    with desk_of(browser, lab) as desk:
        desk.stage.focus()
        desk.press("ArrowRight", "ArrowDown", "Space")
        count, undos, rows, frames = desk.kernel()
        assert (count, rows, frames) == (3, [1, 1, 1], [0, 1, 2])
        desk.press("]", "]", "}", "Home", "Enter")
        assert desk.kernel()[0] == 2 * 3, "a brush of 5 x 2 at the left edge reaches three frames there"
        desk.press("Control+z", "Control+z")
        assert desk.kernel()[:2] == [0, 0]
        desk.press("Control+Shift+Z")
        assert desk.kernel()[0] == 3
        desk.press("Delete", "r", "Home", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Enter")
        assert desk.kernel()[0] == 6, "a box of three frames and two codebooks"
        desk.press("Escape", "i", "l", "a")
        assert desk.kernel()[0] == 173 * 14 - 3, "three cells of the locked row were kept, and stay so"
        desk.press("Delete")
        locked = json.loads(desk.notebook.kernel("print(json.dumps([studio.model.locked, int(studio.mask.sum())]))"))
        assert len(locked[0]) == 1 and locked[1] == 173 - 3, "a locked row stays"
        desk.press("l", "Delete", "o", "a")
        assert desk.kernel()[0] == 4 * 173
        desk.press("o", "Delete", "c", "Home", "Enter", ">", ">")
        assert set(desk.kernel()[3]) == {2} and desk.kernel()[0] == 14
        desk.press("Home", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "m", "Escape")
        assert desk.kernel()[0] > 14 * 40
        desk.press("k", "t", "b", "e", "h", "v", "+", "+", "-", "f", "z", "s")
        desk.until("!root.vampkit.store.pending.length")
        # Tab leads to every control, and Enter presses it.
        count = "e => [...e.querySelectorAll('button, input, select, textarea, summary')].filter(CONDITION).length"
        assert (
            desk.root.evaluate(count.replace("CONDITION", "e => e.tabIndex < 0 && !e.classList.contains('vk-row')"))
            == 0
        )
        unnamed = count.replace(
            "CONDITION", "e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))"
        )
        assert desk.root.evaluate(unnamed) == 0, "every control has a name"
        desk.root.get_by_label("Prompt to stamp").focus()
        desk.page.keyboard.press("Control+a")
        desk.page.keyboard.type("periodic:7")
        desk.press("Enter")
        assert desk.kernel()[0] > 1500
        desk.stage.focus()
        desk.press("g")
        desk.until("root.dataset.takes === '1' && root.dataset.job === 'done'")
        desk.press("p")
        desk.until("root.dataset.playing === '1'")
        desk.press("0")
        desk.until("root.dataset.chosen === '0'")
        desk.press("1", "j", "x", "x", "p")
        desk.until("root.dataset.chosen === '1' && root.dataset.playing === '0'")
        desk.press("y")
        desk.until("Number(root.dataset.takes) >= 3")
        desk.press("y")
        desk.until("!root.vampkit.store.model.get('panel').live && root.dataset.job !== 'running'")
        desk.press("Home", "Shift+Control+ArrowRight", "Shift+Control+ArrowRight", "q")
        desk.until("root.vampkit.store.sheet.frames < 173")
        # Keys mean nothing to the notebook while the studio has them: no cell was added, cut or changed.
        assert desk.page.locator(".jp-Notebook .jp-CodeCell").count() == 2
        # The scrubber.
        scrubber = desk.page.locator(".vampkit-scrubber")
        scrubber.get_by_role("slider", name="Pass").focus()
        desk.press("ArrowRight", "End", "c", "e", "t")
        desk.page.wait_for_function("document.querySelector('.vampkit-scrubber').dataset.place === '6'")
        # The page shows a place at once and sends it when the one before was answered: a question may overtake it.
        facts = "print(scrubber.place, scrubber.view, scrubber.facts()['hidden'])"
        assert settled(lambda: desk.notebook.kernel(facts), "6 tokens 0") == "6 tokens 0"
        desk.press("Home", "h")
        scrubber.get_by_role("button", name="Stop").wait_for()


def test_errors_and_cancel_are_told_and_nothing_drawn_is_lost(lab, browser):
    with desk_of(browser, lab) as desk:
        desk.drag((2, 20), (2, 40))
        message = desk.root.locator(".vk-message")
        desk.notebook.kernel(
            "steps = vamp.steps\ndef broken(*a, **k): raise RuntimeError('the model <broke>')\nvamp.steps = broken"
        )
        desk.button("Generate").click()
        message.get_by_text("The take was not made: the model <broke>. What you drew is as it was.").wait_for()
        assert desk.kernel()[0] == desk.shown() == 23 and message.get_attribute("role") == "alert"
        # Steps that take their time: on a fast machine the take would be there before Cancel is pressed.
        desk.notebook.kernel(SLOWLY)
        desk.stage.focus()
        desk.press("a", "g")
        desk.until("/^pass [1-9]/.test(root.querySelector('.vk-told').textContent) && root.vampkit.store.live")
        desk.button("Cancel").click()
        desk.until("root.dataset.job === 'cancelled'")
        assert desk.kernel()[0] == desk.shown() == 173 * 14 and desk.root.get_attribute("data-takes") == "0"
        # A stamp that would change the length, and a file that is no sound.
        prompt = desk.root.get_by_label("Prompt to stamp")
        prompt.fill("continuation:2")
        desk.button("Stamp").click()
        message.get_by_text("a stamp leaves the sound as it is").wait_for()
        desk.root.locator(".vk-source > summary").click()
        desk.root.locator("input[type=file]").set_input_files(
            {"name": "empty.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
        )
        message.get_by_text("empty.wav cannot be read").wait_for()
        assert "/" not in message.inner_text(), "the reader never saw the folder"
        assert desk.kernel()[0] == desk.shown() == 173 * 14
        # A number out of range, and an empty field, which keeps the number.
        passes = desk.root.get_by_label("Passes", exact=True)
        before = passes.input_value()
        for typed, key in (("9999", "Tab"), ("7.5", "Enter")):
            passes.fill(typed)
            passes.press(key)
            message.get_by_text(f"passes is {typed}, a whole number from 1 to 1024 was expected").wait_for()
        passes.fill("")
        passes.press("Tab")
        assert passes.input_value() == before == desk.notebook.kernel("print(studio.settings.coarse.passes)")
        desk.button("Generate").wait_for()


STROKES = "[time for time, _ in lanes.strokes()]"
POSITION = "root => [root.vampkit.deck.now(), root.vampkit.deck.heard(performance.now())]"


def test_a_rhythm_is_tapped_drawn_taken_quantized_heard_and_followed(lab, browser):
    with desk_of(browser, lab) as desk:
        desk.stage.focus()
        desk.press("d")
        assert desk.lane("rhythm").evaluate("e => e === document.activeElement")
        # Tapped with a key, in time with what plays: the first only begins to play.
        desk.press("w")
        desk.until("root.dataset.playing === '1' && Number(root.dataset.position) > 0.3")
        before = desk.root.evaluate(POSITION)[1]
        desk.press("w")
        after = desk.root.evaluate(POSITION)[0]
        (tapped,) = desk.lanes("[time for time, _ in lanes['rhythm'].taps]")
        assert before - 0.01 <= tapped <= after or after < before, "a tap is where the sound was that was heard"
        desk.button("Tap").click()
        desk.button("Tap").focus()
        desk.press("Space")
        assert desk.lanes("len(lanes['rhythm'].taps)") == 3 and desk.lanes("lanes['rhythm'].on")
        desk.press("p")
        desk.until("root.dataset.playing === '0'")
        desk.press("Control+z", "Control+z")
        assert desk.lanes("len(lanes['rhythm'].taps)") == 1 and desk.root.get_by_role("button", name="Undo 1").count()
        desk.press("Control+Shift+Z")
        assert desk.lanes("len(lanes['rhythm'].taps)") == 2
        # A click is a stroke, a drag a line, in each lane; by keys as well.
        desk.button("Clear the rhythm").click()
        for frame in (20, 61, 120):
            desk.draw("rhythm", (frame, 0.5))
        assert desk.lanes(f"[round(t / {768 / 44_100} - 0.5) for t in {STROKES}]") == [20, 61, 120]
        desk.draw("loudness", (10, 0.1), (60, 0.9), (80, 0.9))
        low, high = desk.lanes("[float(v) for v in lanes['loudness'].control.curve[0, [10, 70]]]")
        assert low == pytest.approx(-3.4, abs=0.3) and high == pytest.approx(1.4, abs=0.3)
        desk.draw("harmony", (30, 0.04), (40, 0.04))
        desk.press("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "Space", "ArrowRight", "Space")
        assert desk.lanes("lanes['harmony'].control.curve[:, [40, 41]].nonzero()[0].tolist()") == [0, 4, 4]
        desk.press("Delete")
        assert desk.lanes("lanes['harmony'].control.curve[:, 41].any().item()") is False
        desk.lane("rhythm").focus()
        desk.press("Home", "Control+ArrowRight", "Space", "ArrowUp")
        assert desk.lanes("float(lanes['rhythm'].control.curve[0, 10])") == 3.5
        # The wheel over a lane zooms grid and lanes alike.
        desk.lane("rhythm").hover()
        desk.page.keyboard.down("Control")
        desk.page.mouse.wheel(0, -300)
        desk.page.keyboard.up("Control")
        desk.until("root.vampkit.grid.view().scale > 1.5 * root.vampkit.grid.view().width / 173")
        desk.button("Fit").click()
        # Quantized to beats that are found, and heard as clicks.
        desk.root.get_by_label("Quantize to").select_option("beats")
        desk.button("Quantize").click()
        beats = desk.lanes("studio.model.times['beats']")
        frame = 768 / 44_100
        assert beats and all(
            min(abs(s - b) for b in [2 * beats[0] - beats[1], *beats]) <= frame for s in desk.lanes(STROKES)
        )
        assert desk.root.evaluate("root => root.vampkit.store.sheet.times.beats.length") == len(beats)
        desk.stage.focus()
        desk.press("u", "p")
        desk.until("root.dataset.playing === '1' && root.vampkit.deck.playing.lanes.has('beside')")
        first = desk.lanes(STROKES)[-1]
        loud = """(root, at) => {
            const samples = root.vampkit.deck.beside.getChannelData(0), place = Math.round(at * 44100);
            return [samples.slice(place, place + 300), samples.slice(place - 900, place - 100)].map(
                part => Math.max(...part.map(Math.abs)));
        }"""
        click, quiet = desk.root.evaluate(loud, first)
        assert click > 0.2 and quiet < 0.02
        desk.press("u", "p")
        desk.until("root.dataset.playing === '0' && !root.vampkit.deck.beside")
        # Taken from another clip, and followed.
        name = desk.notebook.kernel("from vampkit.audio import clips; print(clips()[4])")
        desk.root.get_by_label("Sound to take from").select_option(label=name)
        desk.button("Take the rhythm").click()
        same = f"lanes['rhythm'].control == vk.Rhythm(vk.load_clip('{name}')).cut(0, lanes.seconds)"
        desk.notebook.kernel("import vampkit.controls; vk.Rhythm = vampkit.controls.Rhythm")
        assert desk.lanes(same) and desk.root.locator(".vk-lanes summary").inner_text().count(name)
        desk.button("Harmony").click()
        desk.root.get_by_label("Strength").fill("1.5")
        assert desk.lanes("[lanes.strength, [c.word for c in lanes.follow]]") == [1.5, ["rhythm", "loudness"]]
        desk.stage.focus()
        desk.press("a", "g")
        desk.until("root.dataset.takes === '1' && root.dataset.job === 'done'")
        record = "r = studio.history[1].take.record; "
        record += "print('controls' in r, r['strength'], *(c['control'] for c in r['follow']))"
        assert desk.notebook.kernel(record) == "True 1.5 rhythm loudness"
        desk.root.get_by_text("Mask as text").last.click()
        desk.button("Copy the take as Python").click()
        text = desk.root.get_by_label("The mask as text")
        desk.page.wait_for_function("e => e.value.includes('follow=')", arg=text.element_handle())
        assert f"follow=[Rhythm(load_clip('{name}')).cut(0.0, 3.012789), Control.from_json(" in text.input_value()
        assert "strength=1.5" in text.input_value()
        # Where there is no microphone, one sentence says so.
        desk.button("Beatbox").click()
        desk.root.locator(".vk-said").get_by_text("The microphone cannot be used here: there is none; tap").wait_for()
        # Live vamping follows too.
        desk.stage.focus()
        desk.press("y")
        desk.until("Number(root.dataset.takes) >= 2")
        desk.press("y")
        desk.until("!root.vampkit.store.model.get('panel').live && root.dataset.job !== 'running'")
        assert desk.notebook.kernel("print('controls' in studio.history.entries[-1].take.record)") == "True"


def test_a_rhythm_is_beatboxed_where_the_microphone_is_allowed(lab):
    pretended = "--use-fake-device-for-media-stream", "--deny-permission-prompts"
    with chromium(*pretended) as browser, desk_of(browser, lab) as desk:
        desk.root.locator(".vk-lanes > summary").click()
        desk.button("Beatbox").click()
        said = desk.root.locator(".vk-said")
        said.get_by_text(
            "The microphone cannot be used here: it was not allowed; tap the rhythm, or take it"
        ).wait_for()
        assert desk.lanes("lanes['rhythm'].words") == "" and desk.root.get_attribute("data-playing") != "1"
        desk.root.locator(".vk-source > summary").click()
        desk.button("Record").click()
        desk.root.locator(".vk-source").get_by_text("it was not allowed; upload a file instead.").wait_for()
        desk.page.context.grant_permissions(["microphone"])
        desk.button("Beatbox").click()
        desk.button("Stop beatbox").wait_for()
        assert desk.root.get_attribute("data-playing") == "1", "the sound plays while it is recorded"
        desk.until("root.vampkit.store.model.get('lane_facts').lanes.rhythm.words === 'beatboxed'")
        # Chromium's pretended microphone beeps twice a second.
        strokes = desk.lanes(STROKES)
        apart = [b - a for a, b in zip(strokes, strokes[1:], strict=False)]
        assert 3 <= len(strokes) <= 7 and apart == pytest.approx([0.5] * len(apart), abs=0.06)
        desk.button("Beatbox").wait_for()
        assert desk.notebook.kernel("print(studio.panel['source'])") == "03-zhelanov-battle-theme"


@pytest.mark.parametrize("width", [1400, 760])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_light_and_dark_wide_and_narrow(lab, browser, theme, width, tmp_path):
    with desk_of(browser, lab, theme, width) as desk:
        desk.notebook.kernel("studio.stamp('periodic:7+prefix:0.5'); studio.snap_to('beats')")
        desk.notebook.kernel("studio.generate(wait=True); studio.generate(wait=True)")
        desk.notebook.kernel("studio.loop(0.5, 1.5); studio.take_from('rhythm'); studio.take_from('harmony')")
        desk.notebook.kernel("studio.lanes.switch('harmony', False)")
        desk.until("root.dataset.takes === '2' && root.dataset.chosen === '2'")
        desk.root.evaluate("e => e.querySelectorAll('details').forEach(d => d.open = true)")
        desk.page.wait_for_timeout(500)
        low, nothing = [desk.root, desk.page.locator(".vampkit-scrubber")], [[], []]
        assert settled(lambda: [part.evaluate(CONTRAST) for part in low], nothing) == nothing
        desk.until("[...root.querySelectorAll('.vk-pad')].every(e => e.offsetHeight > 0)")
        frames = """e => { const grid = e.querySelector('.vk-canvas').getBoundingClientRect();
            return [...e.querySelectorAll('.vk-pad')].map(p => p.getBoundingClientRect())
                .every(p => Math.abs(p.left - grid.left) < 1 && Math.abs(p.width - grid.width) < 1); }"""
        assert desk.root.evaluate(frames), "the frames of the lanes stand below those of the grid"
        desk.root.screenshot(path=str(tmp_path / f"studio-{theme}-{width}.png"))
        desk.page.locator(".vampkit-scrubber").screenshot(path=str(tmp_path / f"scrubber-{theme}-{width}.png"))
        assert desk.root.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), "nothing sticks out at the side"
        space = """e => { const box = (name) => e.querySelector(name).getBoundingClientRect();
            return box('.vk-transport').top - box('.vk-stage').bottom; }"""
        assert desk.root.evaluate(space) >= 10, "the scrubber's style, which came later, leaves the studio its own"
        base = desk.root.locator(".vk-base")
        assert settled(
            lambda: base.evaluate("e => e.getContext('2d').getImageData(3, 3, 1, 1).data[0] < 60"), theme == "Dark"
        ) == (theme == "Dark")


def test_a_restarted_kernel_loses_nothing_that_was_drawn(lab, browser):
    with desk_of(browser, lab) as desk:
        desk.drag((2, 20), (2, 40))
        assert desk.kernel()[0] == 23
        desk.notebook.do("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        desk.page.wait_for_function(
            "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
        )
        desk.drag((5, 20), (5, 30))
        desk.root.locator(".vk-message").get_by_text("The kernel does not answer").wait_for()
        desk.root.get_by_text("Mask as text").last.click()
        desk.button("Copy as Python").click()
        text = desk.root.get_by_label("The mask as text").input_value()
        assert text == 'MaskModel(14, 173).draw("2:3 19:42; 5:6 19:32").mask'
