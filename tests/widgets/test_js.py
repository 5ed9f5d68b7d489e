"""The page's arithmetic, run by node: it agrees with Python's where both do the same, and holds on its own."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from vampkit import masks
from vampkit.controls import Control
from vampkit.controls.control import FRAME
from vampkit.widgets import MaskModel, assets, cells
from vampkit.widgets.lanes import SHOWN, Lanes, curve_bytes
from vampkit.widgets.operations import perform

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not on this machine: the page's arithmetic is not run")
WIDGETS = Path(assets.__file__).parent
K, T = 6, 40


def node(tmp_path, body: str, data=None):
    """What `body` returns, run after the names of geometry.js; `data` is given to it."""
    (tmp_path / "geometry.mjs").write_text(assets.text("geometry.js"))
    (tmp_path / "data.json").write_text(json.dumps(data))
    script = 'import * as g from "./geometry.mjs";\nimport { readFileSync } from "fs";\n'
    script += 'const data = JSON.parse(readFileSync("data.json"));\n'
    (tmp_path / "run.mjs").write_text(script + f"const f = () => {{ {body} }};\nconsole.log(JSON.stringify(f()));")
    done = subprocess.run([NODE, "run.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def gestures(rng, points):
    """Random gestures as the page sends them, each with the locks that hold and a mask to begin with."""
    for i in range(240):
        kind = ["paint", "rectangle", "column", "invert", "clear", "fill", "roll", "repeat"][i % 8]
        op = {"type": kind, "hidden": bool(rng.random() < 0.6), "snap": bool(rng.random() < 0.5)}
        first = int(rng.integers(T))
        if kind == "paint":
            path = [[int(rng.integers(-3, K + 3)), int(rng.integers(-5, T + 5))] for _ in range(rng.integers(1, 5))]
            op |= {"path": path, "width": int(rng.integers(1, 7)), "height": int(rng.integers(1, K))}
        end = int(rng.integers(first, T)) + 1
        op |= {"codebooks": [int(i % K), K], "frames": [first, end], "frame": first, "first": first, "end": end}
        op |= {"by": int(rng.integers(-T, T + 1))}
        locked = [k for k in range(K) if rng.random() < 0.2]
        yield {
            "op": op,
            "locked": locked,
            "points": points,
            "mask": (rng.random((K, T)) < 0.4).astype(int).ravel().tolist(),
        }


def test_the_echo_in_the_page_is_what_python_does(tmp_path):
    model = MaskModel(K, T).snap_to("beats", [0.1, 0.21, 0.4, 0.55])
    cases = list(gestures(np.random.default_rng(1), model.snap_points()))
    body = f"""return data.map((c) => {{
        const mask = Uint8Array.from(c.mask), free = Array.from({{ length: {K} }}, (_, k) => !c.locked.includes(k));
        if (!g.apply(mask, {K}, {T}, c.op, free, c.points)) throw new Error("no echo of " + c.op.type);
        return g.toText(mask, {K}, {T});
    }});"""
    for case, text in zip(cases, node(tmp_path, body, cases), strict=True):
        model.lock(on=False).draw(np.array(case["mask"], bool).reshape(K, T))
        if case["locked"]:
            model.lock(*case["locked"])
        perform(model, case["op"])
        assert text == cells.to_text(model.mask), case["op"]


def test_bits_and_text_are_those_of_python(tmp_path):
    drawn = [np.random.default_rng(i).random((3, 13)) < i / 8 for i in range(9)]
    data = [{"bits": list(masks.pack(m)), "mask": m.astype(int).ravel().tolist()} for m in drawn]
    body = "return data.map((d) => [[...g.unpack(d.bits, 39)], [...g.pack(d.mask)], g.toText(d.mask, 3, 13)]);"
    back = node(tmp_path, body, data)
    assert back == [[d["mask"], d["bits"], cells.to_text(m)] for d, m in zip(data, drawn, strict=True)]


def test_zoom_keeps_the_place_under_the_pointer_and_the_view_inside(tmp_path):
    body = """
    const out = [];
    for (const [factor, x] of [[2, 0], [2, 300], [7.5, 999], [0.3, 500], [1e9, 10], [1e-9, 10]]) {
      let view = g.clampView({ first: 200, scale: 1.5 }, 3446, 1000);
      const before = g.frameAt(view, x), after = g.zoom(view, factor, x, 3446, 1000);
      const end = after.first + 1000 / after.scale, back = g.xOf(after, g.frameAt(after, 123));
      out.push([before, g.frameAt(after, x), after.first, end, back]);
    }
    return out;"""
    for number, (before, after, first, end, back) in enumerate(node(tmp_path, body)):
        assert first >= 0 and end <= 3446 + 1e-6 and back == pytest.approx(123)
        if number < 3:
            assert after == pytest.approx(before)


def test_a_whole_view_holds_everything_and_a_cursor_is_always_in_sight(tmp_path):
    body = """
    const fit = g.clampView(g.fit(575, 800), 575, 800);
    const near = g.fitRange(100, 200, 575, 800);
    const edges = (view, t) => [g.xOf(view, t), g.xOf(view, t + 1)];
    const shown = [0, 50, 574].map((t) => edges(g.reveal(near, t, 575, 800), t));
    return [fit, g.xOf(near, 100), g.xOf(near, 200), shown];"""
    fit, left, right, shown = node(tmp_path, body)
    assert fit == {"first": 0, "scale": 800 / 575} and 0 < left < right < 800 and right - left == pytest.approx(720)
    assert all(0 <= a < b <= 800 for a, b in shown)


def test_ticks_are_readable_at_every_zoom(tmp_path):
    for scale in (0.01, 1, 10, 100, 1000, 50_000):
        step = node(tmp_path, f"return g.tickStep({scale});")
        assert step * scale >= 72 or step == 1800
    assert node(tmp_path, "return [g.clock(75.5), g.seconds(1, 1), g.seconds(0.25, 0.05)];") == [
        "1:15.50",
        "1 s",
        "0.25 s",
    ]


def test_a_loop_wraps_and_the_next_bar_is_ahead(tmp_path):
    body = """return [g.placeInLoop(1, 0.5, 1, 3, 10), g.placeInLoop(1, 2.5, 1, 3, 10), g.placeInLoop(0, 99, 0, 0, 10),
      g.untilBar(0.3, [0, 1, 2, 3], 0, 4), g.untilBar(1, [0, 1, 2, 3], 0, 4), g.untilBar(3.5, [0, 1, 2, 3], 0, 4),
      g.untilBar(1.2, [], 0.5, 1.5)];"""
    assert node(tmp_path, body) == pytest.approx([1.5, 1.5, 10, 0.7, 1, 0.5, 0.3])


def test_a_lane_drawn_in_the_page_is_what_python_draws(tmp_path):
    rng, cases = np.random.default_rng(2), []
    for word in ("rhythm", "loudness") * 12:
        low, high = SHOWN[word]
        lanes, kind = Lanes(T), Control.kinds[word]
        if rng.random() < 0.7:
            lanes.put(word, rng.uniform(low, high, (kind.channels, T)))
        path = [[int(rng.integers(T)), float(rng.uniform(low, high))] for _ in range(rng.integers(1, 5))]
        op = {"type": "lane_draw", "word": word, "path": path, "erase": bool(rng.random() < 0.3)}
        if word == "rhythm" and rng.random() < 0.5:
            op = {"type": "tap", "time": float(rng.uniform(0, lanes.seconds - 0.01)), "strength": 5}
        shape = {"rows": kind.channels, "low": low, "high": high, "frames": T, "seconds": FRAME}
        before = list(curve_bytes(lanes[word].control))
        lanes.tap(op["time"], 5) if op["type"] == "tap" else lanes.draw(word, path, op["erase"])
        cases.append(
            ({"bytes": before, "shape": shape, "op": op}, np.frombuffer(curve_bytes(lanes[word].control), "u1"))
        )
    body = "return data.map((c) => [...g.changedCurve(Uint8Array.from(c.bytes), c.shape, c.op)]);"
    for (case, wanted), made in zip(cases, node(tmp_path, body, [case for case, _ in cases]), strict=True):
        # Python rounds values to 1/32, and the tap's time to a millisecond, which may be another frame.
        assert np.abs(np.array(made) - wanted).max() <= 2, case


def test_a_pitch_class_painted_in_the_page_is_heard_at_once(tmp_path):
    shape = {"rows": 12, "low": 0, "high": 1, "frames": 5, "seconds": FRAME}
    ops = [{"type": "lane_draw", "path": [[0, 4], [3, 4]]}, {"type": "lane_draw", "path": [[2, 4]], "erase": True}]
    made = node(tmp_path, "return [...data[1].reduce((c, op) => g.changedCurve(c, data[0], op), [])];", [shape, ops])
    assert np.array(made).reshape(12, 5).nonzero()[1].tolist() == [0, 1, 3] and set(made) == {0, 255}


def test_a_tap_is_where_its_sound_was_heard(tmp_path):
    body = """
    const stamp = { contextTime: 9.9, performanceTime: 50_000 }; // 9.9 s of the audio clock left the speaker at 50 s
    return [g.heardAt(49_990, 50_040, 10, stamp, 0.3), g.heardAt(50_020, 50_040, 10, stamp, 0.3),
      g.heardAt(50_030, 50_040, 10, null, 0.05), g.heardAt(50_040, 50_040, 10, { performanceTime: 0 }, 0)];"""
    assert node(tmp_path, body) == pytest.approx([9.89, 9.92, 9.94, 10])


def test_clicks_are_short_and_at_their_times(tmp_path):
    made = np.array(node(tmp_path, "return [...g.clicks([[0.1, 3], [0.5, 9], [0.995, 1]], 1, 8000)];"))
    assert len(made) == 8000 and np.abs(made).max() < 1
    loud = np.abs(made) > 0.02
    assert not loud[:800].any() and loud[800:830].any() and not loud[1100:4000].any() and loud[4000:4030].any()
    assert np.abs(made[4000:4300]).max() > 1.3 * np.abs(made[800:1100]).max() and loud[7960:].any()


def test_recorded_samples_become_a_file_that_opens(tmp_path):
    from vampkit.audio import Clip

    data = node(tmp_path, "return [...g.wav([0, 0.5, -1, 2], 8000)];")
    (tmp_path / "made.wav").write_bytes(bytes(data))
    clip = Clip.load(tmp_path / "made.wav")
    assert clip.rate == 8000 and clip.samples[0].tolist() == pytest.approx([0, 0.5, -1, 1], abs=1e-4)


@pytest.mark.parametrize("widget", ["MaskEditor", "SamplerScrubber", "VampStudio"])
def test_joined_modules_are_valid_and_ask_for_nothing_outside(tmp_path, widget):
    import vampkit.widgets

    source = str(getattr(vampkit.widgets, widget)._esm)
    (tmp_path / "widget.mjs").write_text(source)
    done = subprocess.run([NODE, "--check", "widget.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (
        source.count("export default") == 1
        and "import " not in source.replace("important", "")
        and "http" not in source
    )
