"""Editor and studio without a browser: messages of the page, jobs, history, live vamping, mistakes, closing."""

import gc
import inspect
import json
import re
import threading
import time
import weakref
from dataclasses import replace
from operator import attrgetter
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
import torch

from vampkit import masks
from vampkit.audio import Clip
from vampkit.errors import VampkitError
from vampkit.pipeline.take import Take
from vampkit.prompts import Compression, Periodic
from vampkit.sampling import Settings, sample
from vampkit.widgets import MaskEditor, MaskModel, SamplerScrubber, VampStudio, assets
from vampkit.widgets.abx import BlindTest
from vampkit.widgets.jobs import Job, Worker
from vampkit.widgets.operations import EDITOR, STUDIO
from vampkit.widgets.pace import Pace
from vampkit.widgets.scrubber import FRESH, HIDDEN, PROMPT, entropy_bits
from vampkit.widgets.session import LIVE_KEPT, PRESETS


class PlainVamp:
    """Stands for a Vamp: fills hidden tokens with the seed, pass by pass, and can wait or fail on the way."""

    def __init__(self, codec):
        self.codec, self.gate, self.closed, self.calls = codec, None, 0, []

    def steps(self, sound, prompt, *, seed, passes, fine_passes, **settings):
        self.calls.append((prompt, seed, passes))
        tokens, self.heard = sound.tokens, sound.clip
        mask = prompt.mask(tokens)[None]
        codes, still = tokens.batch.clone(), mask.clone()
        try:
            for i in range(passes):
                if self.gate is not None:
                    self.gate.wait(20)
                if seed == 666:
                    raise RuntimeError("the model <broke>")
                codes[mask], still = seed, still & (i + 1 < passes)
                yield SimpleNamespace(done=i + 1, total=passes + 1, codes=codes, mask=still, stage="coarse", take=None)
            made = tokens.replace(codes=codes[0].clone())
            samples = np.full((1, tokens.length), (seed % 100) / 200, np.float32)
            clip, record = Clip(samples, tokens.rate, tokens.name), {"format": "vampkit.take/2", "seed": seed}
            take = Take(clip, made, tokens, mask[0], record, self.codec.decode)
            yield SimpleNamespace(done=passes + 1, total=passes + 1, codes=codes, mask=still, stage="fine", take=take)
        finally:
            self.closed += 1


@pytest.fixture
def vamp(small_codec):
    return PlainVamp(small_codec)


@pytest.fixture
def clip(tone):
    return tone.excerpt(0, 0.5)


@pytest.fixture
def studio(vamp, clip):
    studio = VampStudio(vamp, clip, seed=5, preset="sketch")
    yield studio
    if vamp.gate is not None:
        vamp.gate.set()
    studio.close()


@pytest.fixture
def editor():
    editor = MaskEditor((6, 40))
    yield editor
    editor.close()


def page(widget, content, *buffers):
    """A message of the page."""
    widget._heard(widget, {"view": "v", "n": page.count, **content}, list(buffers))
    page.count += 1


page.count = 0


def gesture(widget, **op):
    page(widget, op)


def shown(widget):
    return masks.unpack(widget.bits, widget.model.codebooks, widget.model.frames).numpy()


# Editor


def test_gestures_of_the_page_and_calls_do_the_same_and_both_are_answered(editor):
    gesture(editor, type="paint", path=[[0, 3], [0, 6]], width=1, height=2, hidden=True, snap=False)
    assert (
        editor.mask.sum() == 8
        and (shown(editor) == editor.mask).all()
        and editor.state["acks"] == {"v": page.count - 1}
    )
    editor.erase([(1, 0), (1, 39)])
    assert editor.mask.sum() == 4 and editor.state["undos"] == 2
    gesture(editor, type="undo")
    gesture(editor, type="stamp", prompt="periodic:4", how="and")
    assert editor.state["undos"] == 2 and editor.mask.sum() > 100
    gesture(editor, type="lock", row=5, on=True)
    gesture(editor, type="coarse_only", on=True)
    assert editor.state["locked"] == [5] and editor.state["coarse_only"]
    editor.mask = np.zeros((6, 40), bool)
    assert editor.mask[:4].sum() == 0 and editor.mask[4:].any(), "the array goes through the locks like any gesture"


def test_a_wrong_message_is_shown_and_answered_and_loses_nothing(editor):
    editor.column(3)
    wrong = [
        {"type": "explode"},
        {"type": "paint"},
        {"type": "close"},
        {"type": "snap_to", "what": "bars"},
        {"type": "rectangle", "codebooks": [0, 99], "frames": [0, 1]},
        {"type": "read", "data": 3},
        {},
    ]
    for content in wrong:
        page(editor, content)
        assert editor.state["message"]["wrong"] and editor.state["message"]["text"] and editor.mask.sum() == 6
        assert editor.state["acks"]["v"] == page.count - 1
    editor._heard(editor, "no dict", [])
    gesture(editor, type="invert")
    assert not editor.state["message"]["text"] and editor.mask.sum() == 234


def test_mistakes_by_call_are_shown_and_raised(editor):
    with pytest.raises(ValueError, match="width of the brush"):
        editor.paint([(0, 0)], width=0)
    assert editor.state["message"]["wrong"] and editor.state["undos"] == 0


def test_two_editors_on_one_mask_agree(editor):
    other = MaskEditor(editor.model)
    gesture(editor, type="fill")
    gesture(other, type="column", frame=0, hidden=False, snap=False)
    assert (shown(editor) == shown(other)).all() and editor.mask.sum() == 39 * 6
    other.close()
    gesture(editor, type="undo")
    assert shown(editor).all() and not shown(other).all(), "a closed editor hears nothing more"


def test_python_and_json_round_trip_through_the_page(editor, monkeypatch):
    sent = []
    monkeypatch.setattr(editor, "send", lambda content, buffers=None: sent.append(content))
    editor.stamp(Periodic(7))
    page(editor, {"type": "print", "form": "python"})
    page(editor, {"type": "print", "form": "json"})
    made = eval(sent[0]["text"], {"MaskModel": MaskModel, "Periodic": Periodic})
    assert (made == editor.mask).all()
    editor.clear()
    page(editor, {"type": "read", "data": sent[1]["text"]})
    assert (made == editor.mask).all() and editor.state["undos"] == 3
    page(editor, {"type": "read", "data": "0:1 0:5"})
    assert editor.mask.sum() == 5


def test_the_editor_knows_its_sound(small_codec, clip):
    editor = MaskEditor(clip, codec=small_codec)
    assert editor.sheet["sound"] == 0.5 and len(editor.codes) == 2 * editor.model.codebooks * editor.model.frames
    assert (
        len(editor.wave) == 2 * editor.sheet["wave"]
        and len(editor.spectrum) == editor.sheet["bands"] * editor.sheet["columns"]
    )
    editor.snap_to("beats", [0.1, 0.2])
    gesture(editor, type="column", frame=7, hidden=True, snap=True)
    assert editor.mask[0].sum() == 5 and editor.state["points"] == [0, 6, 11, editor.model.frames]
    editor.close()


def test_where_widgets_do_not_run_a_picture_and_facts_stand_in(editor):
    editor.stamp(Compression(2))
    data, _ = editor._repr_mimebundle_()
    assert (
        data["image/png"].startswith("iVBOR")
        and "66.7 % hidden" in data["text/plain"]
        and "application/vnd.jupyter.widget-view+json" in data
    )
    json.dumps(data)


def test_wrong_sources_are_refused(small_codec):
    for source, kind, words in [
        (3, TypeError, "Tokens, a Clip"),
        (Clip(np.zeros((1, 0), np.float32), 44_100), ValueError, "0 samples"),
        ((0, 10), ValueError, "codebooks"),
    ]:
        with pytest.raises(kind, match=words):
            MaskEditor(source, codec=small_codec)


@pytest.mark.parametrize("kind", ["editor", "studio"])
def test_closing_frees_the_widget_and_all_it_opened(kind, vamp, clip):
    def open_and_close():
        widget = MaskEditor((6, 40)) if kind == "editor" else VampStudio(vamp, clip, preset="sketch")
        widget.stamp("periodic:3")
        if kind == "studio":
            widget.generate(wait=True)
        widget.close()
        widget.close()
        return weakref.ref(widget)

    open_and_close()
    before = len(ipywidgets.widgets.widget._instances)
    gone = open_and_close()
    gc.collect()
    assert gone() is None and len(ipywidgets.widgets.widget._instances) == before


# The table of operations


def test_every_message_is_a_call_of_the_widget(studio, editor):
    for widget, table in ((editor, EDITOR), (studio, STUDIO)):
        for operation in table:
            if operation.fields is not None:
                taken = inspect.signature(attrgetter(operation.call or operation.name)(widget)).parameters
                assert set(operation.fields) <= set(taken), operation


def test_keys_are_listed_once_and_done_in_the_page(studio):
    rows = studio.sheet["keys"]
    keys = [key for row in rows for key in row["keys"]]
    assert len(keys) == len(set(keys)) and {"H", "Space", "Ctrl+Z", "9"} <= set(keys)
    pages = "".join(map(assets.text, ("keys.js", "studio.js", "lanes.js")))
    acts = set(re.findall(r"(\w+)(?:: |\()", pages))
    assert {row["name"] for row in rows if row["keys"]} <= acts and all(row["label"] and row["text"] for row in rows)


def test_the_page_learns_the_settings_from_the_pipeline(studio):
    controls = {control["name"]: control for control in studio.panel["controls"]}
    assert set(controls) | {"seed"} == set(studio.panel["settings"])
    assert controls["fine_passes"]["most"] == 128 and controls["top_k"]["whole"] and not controls["top_p"]["whole"]


# Pace and jobs


def test_pace_learns_from_runs():
    pace = Pace()
    assert pace.seconds(100, 10) is None and pace.words(1000, 10) == "known after the first take"
    pace.add(100, 10, 5.0)
    assert pace.seconds(100, 10) == pytest.approx(5) and pace.words(100, 10) == "about 5 s"
    pace.add(0, 0, 1.0)
    assert pace.seconds(200, 10) == pytest.approx(10) and pace.words(100_000, 10).endswith("min")


def test_a_job_that_is_cancelled_closes_its_iterator():
    gate, closed, heard, worker = threading.Event(), [], [], Worker()

    def steps():
        try:
            for i in range(1000):
                gate.wait(5)
                yield SimpleNamespace(done=i + 1, total=1000, stage="coarse", take=None)
        finally:
            closed.append(True)

    job = Job(steps, lambda job, progress: heard.append(progress)).start(worker)
    job.cancel()
    gate.set()
    assert job.wait(10) and job.state == "cancelled" and closed == [True] and len(heard) == 2 and job.result() is None
    next_, named = Job(lambda: iter(())), []
    worker.do(lambda: named.append(threading.current_thread()))
    assert next_.start(worker).wait(10) and next_.state == "done", "one thread does them all"
    worker.close()
    named[0].join(10)
    assert not named[0].is_alive()


# Studio


def test_generate_by_call_fills_what_is_hidden_and_nothing_else(studio):
    studio.stamp(Periodic(3))
    entry = studio.generate(wait=True)
    made, original = entry.take.tokens.codes, entry.take.original.codes
    assert (made[torch.from_numpy(entry.mask)] == 5).all() and torch.equal(
        made[~torch.from_numpy(entry.mask)], original[~torch.from_numpy(entry.mask)]
    )
    assert entry.name == "take 1" and entry.seed == 5 and studio.settings.seed == 6 and studio.panel["chosen"] == 1
    assert studio.panel["job"]["state"] == "done" and studio.state["estimate"] == "about 1 s"
    second = studio.generate(wait=True, seed=40)
    assert [t["seed"] for t in studio.panel["takes"]] == [5, 40] and second.take.tokens.codes.max() >= 40


def test_nothing_hidden_is_a_message_not_a_run(studio):
    with pytest.raises(ValueError, match="nothing is hidden"):
        studio.generate(wait=True)
    page(studio, {"type": "generate"})
    assert "nothing is hidden" in studio.state["message"]["text"] and not studio.history.entries


def test_a_failed_generation_is_shown_and_what_was_drawn_stays(studio):
    studio.stamp(Periodic(3))
    before = studio.mask
    with pytest.raises(RuntimeError, match="broke"):
        studio.generate(wait=True, seed=666)
    assert (
        "the model <broke>" in studio.state["message"]["text"]
        and studio.state["message"]["wrong"]
        and studio.panel["job"]["state"] == "failed"
    )
    assert (studio.mask == before).all() and studio.generate(wait=True, seed=1).number == 1


def test_cancel_keeps_the_mask_and_frees_the_studio_for_the_next_take(studio, vamp):
    vamp.gate = threading.Event()
    studio.stamp(Periodic(3))
    page(studio, {"type": "generate"})
    assert studio.panel["job"]["state"] == "running"
    page(studio, {"type": "generate"})
    assert "wait for it or cancel" in studio.state["message"]["text"]
    gesture(studio, type="rectangle", codebooks=[0, 1], frames=[0, 5], hidden=True)
    studio.cancel()
    vamp.gate.set()
    assert studio.wait(10) and studio.panel["job"]["state"] == "cancelled" and vamp.closed == 1
    assert not studio.history.entries and studio.mask[0, :5].all(), "what was drawn meanwhile is there"
    vamp.gate = None
    assert studio.generate(wait=True).mask[0, :5].all()


def test_the_page_sees_the_grid_fill_in(studio, monkeypatch):
    sent = []
    monkeypatch.setattr(studio, "send", lambda content, buffers=None: sent.append((content, buffers)))
    monkeypatch.setattr("vampkit.widgets.studio.PICTURES_A_SECOND", 1e9)
    monkeypatch.setattr("vampkit.widgets.studio.BYTES_A_SECOND", 1e12)
    studio.fill()
    studio.generate(wait=True)
    pictures = [(c, b) for c, b in sent if c["type"] == "progress"]
    assert pictures[-1][0]["left"] == "1 s"
    assert [c["done"] for c, _ in pictures] == [1, 2, 3, 4, 5] and pictures[0][0]["total"] == 5
    shape = studio.mask.shape
    hidden = [masks.unpack(b[0], *shape).numpy().sum() for _, b in pictures]
    assert (
        hidden[0] == np.prod(shape)
        and hidden[-1] == 0
        and np.frombuffer(pictures[-1][1][1], "<u2").reshape(shape).min() == 5
    )


def test_history_recall_rename_star_discard_export(studio, tmp_path):
    studio.stamp(Periodic(3))
    first = studio.generate(wait=True)
    studio.stamp(Compression(2))
    studio.set(temperature=0.7, passes=2)
    studio.generate(wait=True)
    page(studio, {"type": "rename", "which": 1, "name": "  the groove  "})
    page(studio, {"type": "star", "which": 1, "on": True})
    assert studio.panel["takes"][0] | {"name": "the groove", "star": True} == studio.panel["takes"][0]
    studio.recall("the groove")
    assert (
        (studio.mask == first.mask).all()
        and studio.settings.coarse.temperature == studio.settings.fine.temperature == 1.0
        and studio.settings.seed == 5
        and studio.session.preset == "sketch"
    )
    studio.undo()
    assert (studio.mask != first.mask).any(), "recalling is one gesture"
    path = studio.export(1, tmp_path)
    assert path.name == "the-groove.wav" and Clip.load(path).seconds == pytest.approx(0.5, abs=0.01)
    assert json.loads(path.with_suffix(".json").read_text())["seed"] == 5
    assert studio.export(1, tmp_path).name == "the-groove-2.wav"
    page(studio, {"type": "discard", "which": 2})
    assert [t["id"] for t in studio.panel["takes"]] == [1] and studio.panel["chosen"] == 0
    for act in (lambda: studio.choose(9), lambda: studio.rename(1, "  "), lambda: studio.star("nobody")):
        with pytest.raises(ValueError):
            act()
    assert studio.generate(wait=True).number == 3, "numbers are never given twice"


def test_choose_and_vamp_on(studio):
    studio.stamp(Periodic(3))
    take = studio.generate(wait=True)
    studio.choose(0)
    assert studio.panel["chosen"] == 0
    page(studio, {"type": "choose", "which": 1})
    assert studio.panel["chosen"] == 1
    before = studio.mask
    studio.vamp_on(take)
    assert (
        (studio.mask == before).all()
        and studio.panel["source"] == "take 1"
        and studio.panel["chosen"] == 0
        and len(studio.history) == 1
    )
    assert studio.generate(wait=True).source == "take 1"


def test_vamp_on_keeps_the_tokens_of_the_take(studio):
    studio.fill()
    studio.snap_to("beats", [0.1, 0.2])
    take = studio.generate(wait=True)
    studio.vamp_on(1)
    assert studio.model.snap == "beats" and studio.model.times["beats"] == (0.1, 0.2)
    assert torch.equal(studio.model.tokens.codes, take.take.tokens.codes) and studio.clip is studio.session.clip
    assert (studio.clip.samples == take.take.clip.samples).all()


def test_cropping_takes_the_bars_their_beats_and_what_is_drawn_over_them(studio, tmp_path):
    tokens = studio.model.tokens
    studio.snap_to("bars", [0.1, 0.3])
    studio.column(10)
    page(studio, {"type": "crop"})
    assert "no stretch of time is selected" in studio.state["message"]["text"]
    studio.crop(0.09, 0.31)
    first, end = (round(t * tokens.frame_rate) for t in (0.1, 0.3))
    assert (
        torch.equal(studio.model.tokens.codes, tokens.codes[:, first:end])
        and studio.mask[:, 10 - first].all()
        and studio.mask.sum() == 14
    )
    assert studio.model.tokens.length == (end - first) * tokens.hop and studio.clip.seconds == pytest.approx(
        studio.model.tokens.seconds, abs=1e-3
    )
    assert studio.sheet["frames"] == end - first and studio.region == [] and len(studio.model.times["bars"]) == 1
    studio.loop(0.05, 0.1)
    page(studio, {"type": "crop"})
    assert studio.mask.shape[1] == round(0.1 * tokens.frame_rate) - round(0.05 * tokens.frame_rate)
    page(studio, {"type": "crop", "frames": [1, 3]})
    assert studio.mask.shape[1] == 2, "the page says what is selected: messages overtake traits"
    studio.fill()
    assert studio.generate(wait=True).mask.shape == studio.mask.shape


def test_takes_as_loops_are_made_around_the_circle(studio, vamp):
    studio.stamp(Periodic(3))
    studio.set(circular=True)
    with pytest.raises(ValueError, match="ends inside a frame"):
        studio.generate(wait=True)
    studio.crop(0.1, 0.4)
    entry = studio.generate(wait=True)
    prompt = vamp.calls[-1][0]
    assert (
        prompt.circular and (prompt.mask(studio.model.tokens).numpy() == studio.mask).all() and studio.panel["circular"]
    )
    page(studio, {"type": "set", "circular": False})
    assert (
        not studio.panel["circular"]
        and not vamp.calls[-1][1] == studio.generate(wait=True).seed
        and not vamp.calls[-1][0].circular
    )
    studio.recall(entry)
    assert studio.session.circular, "recalling a take brings it back"


def test_sounds_reach_the_page_with_their_tokens(studio, monkeypatch):
    sent = []
    studio.stamp(Periodic(3))
    studio.generate(wait=True)
    monkeypatch.setattr(studio, "send", lambda content, buffers=None: sent.append((content, buffers)))
    page(studio, {"type": "sound", "which": 0})
    page(studio, {"type": "sound", "which": 1})
    (first, plain), (second, take) = sent
    assert first["id"] == 0 and len(plain) == 3 and second["id"] == 1 and len(take) == 5
    assert (
        len(take[3]) == 2 * studio.mask.size
        and (masks.unpack(take[4], *studio.mask.shape).numpy() == studio.mask).all()
    )


def test_opening_what_is_no_sound_is_a_message_and_nothing_is_lost(studio, clip, small_codec, tmp_path):
    studio.stamp(Periodic(3))
    before, name = studio.mask, studio.panel["source"]
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    foreign = replace(small_codec.encode(clip), codec="0" * 16)
    nan = np.full(44_100, np.nan)
    for source, rate, kind, words in [
        (Clip(np.zeros((1, 0), np.float32), 44_100), None, ValueError, "0 samples"),
        (nan, 44_100, ValueError, "NaN"),
        (foreign, None, VampkitError, "made by codec 00000000"),
        (tmp_path / "none.wav", None, FileNotFoundError, "no sound file"),
        (tmp_path / "broken.wav", None, VampkitError, "sound"),
        (np.zeros(100), None, TypeError, "without a rate"),
        (np.zeros(44_100 * 700), 44_100, ValueError, "at most 600 s"),
    ]:
        with pytest.raises(kind, match=words):
            studio.load(source, rate)
        assert words in studio.state["message"]["text"] and studio.state["message"]["wrong"]
        assert (studio.mask == before).all() and studio.panel["source"] == name
    page(studio, {"type": "load", "source": "no such clip"})
    assert "no sound file" in studio.state["message"]["text"]


def test_another_sound_of_another_length_starts_a_mask_of_its_own(studio, tone):
    studio.stamp(Periodic(3))
    studio.generate(wait=True)
    studio.load(tone.samples[0, :66_150], 44_100, "longer")
    assert (
        studio.mask.shape[1] == studio.sheet["frames"] == 87
        and not studio.mask.any()
        and studio.panel["source"] == "longer"
    )
    with pytest.raises(ValueError, match="was expected for this sound"):
        studio.recall(1)
    studio.fill()
    assert studio.generate(wait=True).mask.shape[1] == 87


def test_an_upload_comes_in_pieces(studio, clip, tmp_path):
    data = clip.excerpt(0, 0.3).save(tmp_path / "mine.wav").read_bytes()
    half = len(data) // 2
    page(studio, {"type": "upload", "name": "../mine.wav", "index": 0, "count": 2}, memoryview(data[:half]))
    assert studio.panel["source"] == "tone"
    page(studio, {"type": "upload", "name": "../mine.wav", "index": 1, "count": 2}, memoryview(data[half:]))
    assert studio.panel["source"] == "mine" and studio.panel["length"] == pytest.approx(0.3, abs=0.01)
    page(studio, {"type": "upload", "name": "x.wav", "index": 0, "count": 1}, b"no sound")
    assert studio.state["message"]["wrong"] and studio.panel["source"] == "mine"
    assert studio.state["message"]["text"].startswith("x.wav ")


def test_settings_and_presets(studio):
    studio.preset("paper")
    coarse = studio.settings.coarse
    assert (coarse.passes, coarse.mask_temperature) == (36, 10.5) and studio.panel["preset"] == "paper"
    page(studio, {"type": "set", "top_p": 0.9, "next_seed": False})
    assert studio.panel["preset"] == "own" and not studio.panel["next_seed"]
    assert studio.settings.coarse.top_p == studio.panel["settings"]["top_p"] == 0.9
    before = studio.settings
    for wrong in (
        {"passes": 0},
        {"passes": 2.5},
        {"temperature": -1},
        {"top_p": 0},
        {"seed": -1},
        {"colour": 1},
        {"temperature": "hot", "passes": 3},
    ):
        with pytest.raises((ValueError, TypeError)):
            studio.set(**wrong)
        assert studio.settings == before
    for name, settings in PRESETS.items():
        studio.preset(name)
        assert studio.settings == replace(settings, seed=5)
    studio.set(fine_passes=None)
    assert studio.settings.fine.passes == 1, "a third of the passes, as in take_settings"


def test_live_vamping_makes_variations_from_the_mask_as_it_is(studio, vamp):
    studio.stamp(Periodic(3))
    studio.generate(wait=True, seed=90)
    studio.set(seed=5)
    studio.live(rounds=3, wait=True)
    assert (
        [e.seed for e in studio.history] == [90, 5, 6, 7] and not studio.panel["live"] and studio.panel["chosen"] == 4
    )
    studio.star(2)
    studio.live(rounds=LIVE_KEPT + 3, wait=True)
    kept = [e.number for e in studio.history]
    assert len(kept) == LIVE_KEPT + 2 and kept[:2] == [1, 2], (
        "old variations go, starred ones and those that were asked for stay"
    )


def test_takes_are_made_from_the_sound_so_that_it_can_be_restored(studio, vamp):
    studio.stamp("periodic:7")
    studio.set(restore=True)
    assert studio.settings.restore and studio.generate(wait=True) is not None and vamp.heard is studio.clip
    studio.live(rounds=2, chain=True, wait=True)
    assert vamp.heard is None, "what is made from a take has no original"


def test_live_vamping_waits_until_the_last_variation_is_heard(studio):
    studio.stamp(Periodic(3))
    page(studio, {"type": "live"})
    deadline = time.monotonic() + 10
    while len(studio.history) < 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(studio.history) == 1 and studio.panel["live"]
    page(studio, {"type": "entered"})
    while len(studio.history) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(studio.history) == 2
    studio.cancel()
    studio.session._live.join(10)
    assert not studio.panel["live"] and not studio.session._live.is_alive()


def test_a_live_chain_vamps_on_the_last_variation(studio):
    studio.stamp(Periodic(3))
    studio.live(rounds=2, chain=True, wait=True)
    assert [e.source for e in studio.history] == ["tone", "take 1"] and studio.mask.any()


def test_live_rolling_moves_the_mask_on_between_the_rounds(studio):
    studio.stamp(Periodic(3))
    before = studio.mask
    studio.live(rounds=3, chain=True, roll=2, wait=True)
    for turn, entry in enumerate(studio.history):
        assert (entry.mask == np.roll(before, 2 * turn, 1)).all()
    assert (studio.mask == studio.history[3].mask).all()
    with pytest.raises(ValueError, match="roll by"):
        studio.live(rounds=1, roll=10_000)
    assert not studio.panel["live"]


def test_loops_snap_and_are_checked(studio):
    studio.loop(0.1, 0.3)
    rate = studio.model.tokens.frame_rate
    assert studio.region == [0, studio.model.codebooks, round(0.1 * rate), round(0.3 * rate)]
    studio.snap_to("beats", [0.1, 0.2])
    studio.loop(0.09, 0.22)
    assert studio.region[2:] == [round(0.1 * rate), round(0.2 * rate)]
    studio.loop()
    assert studio.region == []
    with pytest.raises(ValueError):
        studio.loop(0.3, 0.1)


def test_the_blind_test_hides_its_answers_and_counts_them_against_chance(studio):
    studio.stamp(Periodic(3))
    studio.generate(wait=True)
    test = studio.blind(0, 1, trials=8, seed=3)
    for _ in range(8):
        assert "x" not in studio.panel["abx"] and studio.panel["abx"]["words"] == ""
        page(studio, {"type": "answer", "letter": "a" if test.x == 0 else "b"})
    assert (
        test.result()["right"] == 8
        and test.result()["p"] == pytest.approx(2**-8)
        and "8 of 8 right" in studio.panel["abx"]["words"]
    )
    page(studio, {"type": "answer", "letter": "a"})
    assert "begin another test" in studio.state["message"]["text"]
    guess = BlindTest("a", "b", 40, seed=1)
    while not guess.over:
        guess.answer("a")
    assert (
        5 < guess.result()["right"] < 35
        and guess.result()["low"] < 0.5 < guess.result()["high"]
        and "guessing would do" in guess.words()
    )
    for wrong in ({"a": 1, "b": 1}, {"a": 1, "b": 2, "trials": 0}):
        with pytest.raises(ValueError):
            BlindTest(**wrong)


def test_closing_stops_a_generation(vamp, clip):
    vamp.gate = threading.Event()
    studio = VampStudio(vamp, clip, preset="sketch")
    studio.fill()
    studio.generate()
    threading.Timer(0.2, vamp.gate.set).start()
    studio.close()
    assert not studio.session.job.running and vamp.closed == 1 and not studio.history.entries
    with pytest.raises(ValueError, match="closed"):
        studio.session.generate()


# Scrubber


class PlainModels:
    """A coarse model of random logits under the real sampling loop, and a decoder that says which codes it was
    given."""

    def __init__(self, codec):
        self.codec, self.decoded = codec, []
        self.coarse = torch.nn.Module()
        self.coarse.config = SimpleNamespace(codebooks=4, entries=1024, conditioning=0)
        self.coarse.forward = lambda codes, mask, hidden_only, circular: torch.randn(
            int(mask.sum()), 1024, generator=torch.Generator().manual_seed(int(mask.sum()))
        )

    def vamp(self, tokens, mask, *, seed, fine_passes):
        self.decoded.append((tokens.codes, mask))
        return SimpleNamespace(clip=Clip(np.zeros((1, tokens.length), np.float32), tokens.rate))


@pytest.fixture
def scrubber(small_codec, clip):
    scrubber = SamplerScrubber(PlainModels(small_codec), clip, Periodic(4), seed=1, settings=Settings(passes=5))
    yield scrubber
    scrubber.close()


def test_the_passes_of_the_scrubber_are_those_of_the_loop(scrubber, small_codec, clip):
    models = PlainModels(small_codec)
    tokens = small_codec.encode(clip)
    hidden, five = Periodic(4).mask(tokens)[None], Settings(passes=5)
    steps = list(sample(models.coarse, tokens.batch[:, :4], hidden[:, :4], [1], five, keep_probabilities=True))
    assert len(scrubber.passes) == 5
    for index, step in enumerate(steps):
        state, facts = scrubber.passes.state[index], scrubber.passes.facts(index)
        assert (scrubber.passes.codes[index] == step.codes[0].numpy()).all() and (
            (state == HIDDEN) == step.mask[0].numpy()
        ).all()
        assert ((state == PROMPT) == ~hidden[0, :4].numpy()).all()
        assert (
            facts["guessed"] == int(step.guessed.sum())
            and facts["hidden"] == int(step.mask.sum())
            and facts["kept"] == facts["guessed"] - facts["hidden"]
        )
        # Noise and probability together rank the tokens: the least sure ones are hidden again.
        sure, asked = scrubber.passes.sure[index], np.isin(state, (HIDDEN, FRESH))
        assert index == 4 or sure[state == HIDDEN].max() <= sure[state == FRESH].min()
        assert (scrubber.passes.entropy[index][asked] > 5).all() and (scrubber.passes.entropy[index][~asked] == 0).all()
    assert scrubber.passes.facts(4)["hidden"] == 0


def test_entropy_of_known_distributions():
    rows = torch.tensor([[0.5, 0.5, 0, 0], [1, 0, 0, 0], [0.25] * 4])
    assert entropy_bits(rows).tolist() == [1, 0, 2]


def test_the_scrubber_moves_counts_and_sounds(scrubber, monkeypatch):
    scrubber.go(3)
    assert scrubber.place == 3 and scrubber.facts() == scrubber.sheet["facts"][2] and "pass 3 of 5" in repr(scrubber)
    for wrong in (0, 6, 1.5):
        with pytest.raises((ValueError, TypeError), match="the pass"):
            scrubber.go(wrong)
    clip = scrubber.sound(2)
    codes, mask = scrubber.vamp.decoded[0]
    assert (
        (codes[:4].numpy() == scrubber.passes.codes[1]).all()
        and not mask[:4].any()
        and mask[4:].any()
        and scrubber.sound(2) is clip
    )
    sent = []
    monkeypatch.setattr(scrubber, "send", lambda content, buffers=None: sent.append((content, len(buffers))))
    scrubber._heard(scrubber, {"type": "sound", "id": 2}, [])
    scrubber._heard(scrubber, {"type": "sound", "id": 77}, [])
    assert (
        sent[0] == ({"type": "sound", "id": 2, "seconds": clip.seconds}, 1)
        and len(sent) == 1
        and "the pass" in scrubber.message
    )
    assert len(scrubber.data[0]) == 2 * scrubber.passes.codes.size and "image/png" in scrubber._repr_mimebundle_()[0]
